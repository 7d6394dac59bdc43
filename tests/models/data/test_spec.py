from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icf.errors import WrongUse
from icf.models.data.formats.folders import FoldersReader
from icf.models.data.spec import READERS, DataSpec, open_reader, parse


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("workspace", DataSpec("workspace")),
        ("workspace=0.5", DataSpec("workspace", share=0.5)),
        ("release:out/one", DataSpec("release", "out/one")),
        ("folders:faces=0.25", DataSpec("folders", "faces", 0.25)),
        ("folders:faces=1", DataSpec("folders", "faces", 1.0)),
        ("folders:a=b", DataSpec("folders", "a=b")),
        ("folders:a=1=.5", DataSpec("folders", "a=1", 0.5)),
        ("folders:C:/x", DataSpec("folders", "C:/x")),
        ("folders+human:x", DataSpec("folders", "x", domain="human")),
    ],
)
def test_a_spec_is_read(text: str, spec: DataSpec) -> None:
    assert parse(text) == spec


@given(
    st.builds(
        DataSpec,
        st.sampled_from(["folders", "icartoonface", "release"]),
        st.text("ab/.: =+é", min_size=1).filter(lambda place: place[-1] != " "),
        st.floats(1e-9, 1),
        st.sampled_from([None, "cartoon", "human"]),
    )
)
def test_a_spec_is_written_as_it_is_read(spec: DataSpec) -> None:
    assert parse(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("folder:x", "did you mean 'folders'?"),
        ("x", "Known are "),
        ("folders", "expected folders:PATH"),
        ("folders:", "expected folders:PATH"),
        ("workspace:x", "expected workspace"),
        ("folders:x=0", "above 0 and at most 1"),
        ("folders:x=1.5", "above 0 and at most 1"),
        ("folders+people:x", "neither cartoon nor human"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(WrongUse, match=message.replace("?", r"\?")):
        parse(text)


def test_the_reader_is_a_small_picklable_value(tmp_path: Path) -> None:
    reader = open_reader(parse(f"folders+human:{tmp_path}"))
    assert reader == FoldersReader(tmp_path, "human")
    assert reader.name == f"folders:{tmp_path}"
    assert pickle.loads(pickle.dumps(reader)) == reader
    assert len(pickle.dumps(reader)) < 1000


def test_a_place_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"there is no .*/none"):
        open_reader(parse(f"folders:{tmp_path}/none"))


def test_a_workspace_is_needed_for_its_labels() -> None:
    with pytest.raises(WrongUse, match="no workspace here"):
        open_reader(parse("workspace"))


def test_a_kind_that_knows_its_domain_takes_none(tmp_path: Path) -> None:
    with pytest.raises(WrongUse, match=r"leave out \+human"):
        open_reader(parse(f"icartoonface+human:{tmp_path}"))


def test_names_are_sorted() -> None:
    assert list(READERS.own) == sorted(READERS.own)
