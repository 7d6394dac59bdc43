"""The certificate of a release: whose labels it is about, and what it says of them."""

from __future__ import annotations

import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from icf.annotate.audit.audits import Audit, plan
from icf.annotate.audit.checks import Check, read_items, store_check
from icf.annotate.audit.result import conclude
from icf.annotate.audit.sample import ACCEPTS, TEST, Goal
from icf.catalogue.annotation.audits import last_test
from icf.catalogue.schema import question, release
from icf.codes import Choice, Label
from icf.dataset.certificate import HTML, JSON, NOT_AUDITED, percent, render
from icf.dataset.release.prepare import Prepared, prepare
from icf.dataset.release.write import write
from icf.dataset.verify.tables import check_certificate
from icf.errors import WrongUse
from icf.icartoonface.release_files import RECTEST_INFO, RECTRAIN_LIST
from icf.workspace import Workspace
from tests.dataset.drawn import digest, same_files

GOAL = Goal(0.1, 0.9)
AGREES = {"same": Choice.TRUE, "different": Choice.FALSE}


def audited(workspace: Workspace, goal: Goal = GOAL, wrong: int = 0) -> Audit:
    """An audit in which a checker agrees with all labels but the first few."""
    with workspace.catalogue.write() as connection:
        audit = plan(connection, workspace.settings, goal, 1)
        for number, each in enumerate(read_items(connection, audit.id)):
            choice = AGREES[each.label]
            if number < wrong:
                store_check(connection, Check(each.id, "eve", Choice.UNSURE))
                choice = Choice.FALSE if each.label == "same" else Choice.TRUE
            decides = number < wrong
            name = "rita" if decides else "eve"
            store_check(connection, Check(each.id, name, choice, decides=decides))
        conclude(connection, audit)
    return audit


def released(workspace: Workspace, out: Path, seed: int = 1) -> Prepared:
    prepared = prepare(workspace, seed)
    assert write(workspace, prepared, out, seed)
    return prepared


def certificate(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / JSON).read_text())
    return found


def test_a_certificate_says_what_later_audits_found(
    workspace: Workspace, tmp_path: Path
) -> None:
    first = audited(workspace)
    before = released(workspace, tmp_path / "before")
    stricter = audited(workspace, Goal(0.01, 0.9), wrong=2)
    after = released(workspace, tmp_path / "after")
    found = certificate(tmp_path / "after")
    assert certificate(tmp_path / "before")["release"]["later_audits"] == []
    assert found["certificate"]["audit"] == first.id
    (later,) = found["release"]["later_audits"]
    assert (later["audit"], later["n"]) == (
        stricter.id,
        stricter.parts[ACCEPTS].checked,
    )
    assert later["errors"] >= 1
    summary = json.loads((tmp_path / "after" / "release.json").read_text())
    assert summary["audit"]["later_audits"] == [later]
    said = f"Audit {stricter.id} came later and got no certificate: {later['errors']} "
    assert said in (tmp_path / "after" / HTML).read_text()
    assert "came later" not in (tmp_path / "before" / HTML).read_text()
    assert before.inputs != after.inputs


def test_a_release_without_an_audit_says_so_and_is_as_before(
    workspace: Workspace, tmp_path: Path
) -> None:
    released(workspace, tmp_path / "out")
    summary = json.loads((tmp_path / "out" / "release.json").read_text())
    assert summary["audit"] == {"certified": False, "note": NOT_AUDITED}
    assert not (tmp_path / "out" / JSON).exists()
    assert not (tmp_path / "out" / HTML).exists()


def test_an_audit_without_a_certificate_changes_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    before = released(workspace, tmp_path / "before")
    audited(workspace, wrong=3)
    after = released(workspace, tmp_path / "after")
    assert after.inputs == before.inputs
    assert same_files(tmp_path / "before", tmp_path / "after")


def test_a_certificate_names_what_it_certifies(
    workspace: Workspace, tmp_path: Path
) -> None:
    audit = audited(workspace)
    out = tmp_path / "out"
    prepared = released(workspace, out)
    found = certificate(out)
    assert found["certificate"]["labels_sha256"] == audit.labels_sha256
    assert found["certificate"]["certified"] is True
    assert found["release"]["inputs"] == prepared.inputs
    files = found["release"]["files"]
    labels = {RECTRAIN_LIST.as_posix(), RECTEST_INFO.as_posix()}
    assert {*labels, "release.json", "licences.csv"} <= files.keys()
    for name, sha256 in files.items():
        assert hashlib.sha256((out / name).read_bytes()).hexdigest() == sha256
    pictures = {each.path for each in (*prepared.plan.train, *prepared.plan.test)}
    assert not any(name.endswith(tuple(pictures)) for name in files)
    summary = json.loads((out / "release.json").read_text())
    assert summary["audit"]["covers"] == found["release"]["covers"]
    assert summary["audit"]["labels_sha256"] == audit.labels_sha256
    assert list(check_certificate(out, summary, {**files, JSON: ""})) == []


def test_all_labels_that_were_there_are_covered(
    workspace: Workspace, tmp_path: Path
) -> None:
    audited(workspace)
    prepared = released(workspace, tmp_path / "out")
    found = certificate(tmp_path / "out")
    most = found["certificate"]["parts"][ACCEPTS]["most_wrong"]
    for name, placed in (("train", prepared.plan.train), ("test", prepared.plan.test)):
        covered = found["release"]["covers"][name]
        assert covered["labels"] == covered["audited"] == len(placed)
        assert covered["most_wrong"] == min(most, len(placed))
        assert covered["share"] == covered["most_wrong"] / len(placed)


def test_labels_that_came_later_are_counted_as_not_audited(
    workspace: Workspace, tmp_path: Path
) -> None:
    with workspace.catalogue.write() as connection:
        query = sa.select(question.c.id).where(question.c.label == Label.SAME.value)
        late = connection.execute(query.order_by(question.c.id).limit(3)).scalars()
        ids = list(late)
        update = sa.update(question).where(question.c.id.in_(ids))
        connection.execute(update.values(label=Label.OPEN.value))
    audited(workspace)
    with workspace.catalogue.write() as connection:
        update = sa.update(question).where(question.c.id.in_(ids))
        connection.execute(update.values(label=Label.SAME.value))
    prepared = released(workspace, tmp_path / "out")
    faces = prepared.plan.selection.faces.face
    used = {int(faces[e.face]) for e in (*prepared.plan.train, *prepared.plan.test)}
    with workspace.catalogue.read() as connection:
        asked = sa.select(question.c.face_id).where(question.c.id.in_(ids))
        added = used & set(connection.execute(asked).scalars())
    every = certificate(tmp_path / "out")["release"]["covers"]["all"]
    assert added
    assert every["labels"] - every["audited"] == len(added)


def test_the_test_of_the_next_release_is_audited_as_a_part_of_its_own(
    workspace: Workspace, tmp_path: Path
) -> None:
    draft = released(workspace, tmp_path / "draft")
    with workspace.catalogue.read() as connection:
        noted = last_test(connection)
    assert noted is not None
    faces = draft.plan.selection.faces.face
    assert noted[1].tolist() == sorted(int(faces[e.face]) for e in draft.plan.test)
    audit = audited(workspace)
    assert audit.parts[TEST].labels == len(draft.plan.test)
    released(workspace, tmp_path / "final")
    found = certificate(tmp_path / "final")
    covered = found["release"]["covers"]["test"]
    assert covered["labels"] == covered["audited"] == len(draft.plan.test)
    assert covered["share"] <= GOAL.max_error
    assert covered["most_wrong"] == found["certificate"]["parts"][TEST]["most_wrong"]


def test_a_release_with_a_certificate_is_another_one_than_without(
    workspace: Workspace, tmp_path: Path
) -> None:
    released(workspace, tmp_path / "out")
    audited(workspace)
    with pytest.raises(WrongUse, match="another release"):
        write(workspace, prepare(workspace, 1), tmp_path / "out", 1)


def test_the_same_release_has_the_same_certificate(
    workspace: Workspace, tmp_path: Path
) -> None:
    audited(workspace)
    released(workspace, tmp_path / "one")
    released(workspace, tmp_path / "two")
    assert digest(tmp_path / "one") == digest(tmp_path / "two")
    assert not write(workspace, prepare(workspace, 1), tmp_path / "one", 1)


def test_an_earlier_catalogue_notes_no_test(
    workspace: Workspace, tmp_path: Path
) -> None:
    released(workspace, tmp_path / "out")
    with workspace.catalogue.write() as connection:
        connection.execute(sa.update(release).values(test_faces=None))
    with workspace.catalogue.read() as connection:
        assert last_test(connection) is None


class Page(HTMLParser):
    """The text of a page, and what it would load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.loads += [
            f"{tag} {name}" for name, _ in attrs if name in ("src", "href", "action")
        ]
        self.loads += [tag] if tag in ("script", "link", "iframe", "object") else []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def test_the_page_says_the_same_and_loads_nothing(
    workspace: Workspace, tmp_path: Path
) -> None:
    audit = audited(workspace)
    released(workspace, tmp_path / "out")
    page = Page((tmp_path / "out" / HTML).read_text())
    found = certificate(tmp_path / "out")["certificate"]
    assert page.loads == []
    claim = (
        f"At most {percent(found['bound'])} of {found['labels']:,} audited labels are "
        "wrong, at 90% confidence."
    )
    assert claim in page.text
    assert audit.labels_sha256 in page.text


def test_the_page_escapes_what_it_shows(workspace: Workspace, tmp_path: Path) -> None:
    audited(workspace)
    released(workspace, tmp_path / "out")
    value = certificate(tmp_path / "out")
    value["release"]["files"] = {"<script>alert(1)</script>": "0" * 64}
    assert "<script>" not in render(value)


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0100001, "1.01%"), (0.00001, "0.01%"), (1.0, "100.00%"), (1 / 3, "33.34%")],
)
def test_a_share_is_never_shown_smaller_than_it_is(share: float, shown: str) -> None:
    assert percent(share) == shown
