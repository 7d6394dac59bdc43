"""What a takedown that was cut short has left is named until it is complete."""

from __future__ import annotations

import re
from typing import Any

import pytest

from icf.app.doctor.withdrawn import check_takedowns
from icf.app.takedown import work
from icf.dataset.release.keys import SECRET, signing_key
from icf.stores.blobs import BlobStore
from icf.stores.vectors import VectorStore
from icf.workspace import Workspace
from tests.app.doctor.test_command import invoke_anyhow
from tests.app.program import call, said

PICTURE = "http://toons.test/1-1.jpg"
WORDS = ("takedown", PICTURE, "--reason", "asked by mail", "--yes")


@pytest.mark.parametrize(
    ("stopped_in", "left"),
    [
        ((work, "_end_urls"), "1 pictures of"),
        ((BlobStore, "remove"), "1 pictures and 1 embeddings of"),
        ((VectorStore, "erase"), "1 embeddings of"),
    ],
    ids=["_end_urls", "remove", "erase"],
)
def test_the_rest_of_a_takedown_is_named(
    space: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    stopped_in: tuple[Any, str],
    left: str,
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    assert list(check_takedowns(space)) == []
    with monkeypatch.context() as patched:
        patched.setattr(*stopped_in, stop)
        call("-C", space.root, *WORDS)
    [check] = check_takedowns(space)
    assert check.state == "broken"
    assert check.found.startswith(left)
    said("-C", space.root, *WORDS)
    [check] = check_takedowns(space)
    assert (check.state, check.found) == ("ok", "complete")


def test_the_command_shows_it(space: Workspace) -> None:
    said("-C", space.root, *WORDS)
    shown = invoke_anyhow("-C", space.root, "doctor")
    assert re.search(r"takedowns +ok +complete", shown)


def test_a_key_that_others_may_sign_with_is_named(space: Workspace) -> None:
    signing_key(space.root)
    assert [each.state for each in check_takedowns(space)] == ["ok"]
    (space.root / SECRET).chmod(0o644)
    [check] = check_takedowns(space)
    assert (check.name, check.state) == ("signing key", "warning")
    assert "chmod 600" in check.found
    (space.root / SECRET).write_bytes(b"short")
    assert [each.state for each in check_takedowns(space)] == ["broken"]
