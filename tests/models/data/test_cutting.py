from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from icf.errors import BrokenMachine
from icf.models.data.base import LabelledPicture, Reader, Skipped
from icf.models.data.crop_cache import CropCutter
from icf.models.data.cutting import Cuts, Job, cut_all, processes_for
from icf.models.data.formats.folders import FoldersReader
from tests.models.data.files import write_jpeg

CUTTER = CropCutter(rate=0.5, side=24)


@dataclass(frozen=True)
class Deadly(Reader):
    """Its reads do what no reader should, in whichever process reads."""

    kind: ClassVar[str] = "deadly"

    def pictures(self) -> Iterator[LabelledPicture | Skipped]:
        yield from ()

    def read(self, key: str) -> bytes:
        if key == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if key == "broken":
            raise BrokenMachine("the disk is gone")
        return (self.path / key).read_bytes()

    def fingerprint(self) -> str:
        return ""


def jobs(*keys: str) -> list[Job]:
    return [Job(key, (None, (4, 4, 30, 30))) for key in keys]


def test_several_processes_do_what_one_does(tmp_path: Path) -> None:
    names = [f"{i:02}.jpg" for i in range(40)]
    for number, name in enumerate(names):
        write_jpeg(tmp_path / name, seed=number)
    (tmp_path / "07.jpg").write_bytes(b"no picture")
    (tmp_path / "08.jpg").unlink()
    reader = FoldersReader(tmp_path)
    here = list(cut_all(reader, CUTTER, jobs(*names), 0))
    assert list(cut_all(reader, CUTTER, jobs(*names), 2)) == here
    assert here[7] == Cuts(0, 0, ("it cannot be decoded: not_image",) * 2)
    assert here[8] == Cuts(0, 0, ("it cannot be read",) * 2, passing=True)
    assert (here[0].width, here[0].height) == (64, 48)


def test_a_picture_that_crashes_a_decoder_is_left_out_alone(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_jpeg(tmp_path / name)
    found = list(cut_all(Deadly(tmp_path), CUTTER, jobs("a", "crash", "b"), 1))
    assert found[1] == Cuts(0, 0, ("it crashes the decoder",) * 2, passing=True)
    assert found[0].width == found[2].width == 64


def test_a_broken_machine_ends_it(tmp_path: Path) -> None:
    with pytest.raises(BrokenMachine, match="the disk is gone"):
        list(cut_all(Deadly(tmp_path), CUTTER, jobs("broken"), 1))


def test_small_work_needs_no_process() -> None:
    assert processes_for(199, None) == 0
    assert processes_for(10**6, None) == os.cpu_count()
    assert processes_for(1, 3) == 3
