from __future__ import annotations

from pathlib import Path

import pytest

from icf.dataset.formats import widerface
from icf.dataset.formats.records import Split
from icf.dataset.release.prepare import prepare
from icf.dataset.release.write import write
from icf.models.data.spec import open_reader, parse
from icf.workspace import Workspace
from tests.dataset.formats.conftest import Exported
from tests.dataset.formats.reading import read_all


def test_training_reads_it(whole: Exported) -> None:
    found = read_all(open_reader(parse(f"widerface:{whole.of('widerface')}")))
    assert found == whole.boxes("train")


@pytest.mark.parametrize(("split", "called"), [("train", "train"), ("test", "val")])
def test_torchvision_reads_every_picture_and_box(
    whole: Exported, split: Split, called: str, tmp_path: Path
) -> None:
    from torchvision.datasets import WIDERFace

    # It wants its archives unpacked in a folder of this name, and the test's list.
    folder = tmp_path / "widerface"
    folder.symlink_to(whole.of("widerface"))
    loaded = WIDERFace.__new__(WIDERFace)
    loaded.root, loaded.split, loaded.img_info = str(folder), called, []
    loaded.parse_train_val_annotations_file()
    expected = {each.name: each for each in whole.records["detection", split]}
    assert len(loaded.img_info) == len(expected)
    for each in loaded.img_info:
        path = Path(str(each["img_path"]))
        record = expected[path.name]
        assert path.read_bytes() == whole.bytes[record.placed.picture]
        rows = each["annotations"]["bbox"].tolist()
        corners = tuple((x, y, x + width, y + height) for x, y, width, height in rows)
        assert corners == record.boxes


def test_a_folder_holds_so_many_pictures_and_no_more(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widerface, "_IN_FOLDER", 7)
    prepared = prepare(workspace, 1, ("widerface",))
    write(workspace, prepared, tmp_path / "out", 1)
    folders = list((tmp_path / "out" / "WIDER_train" / "images").iterdir())
    count, rest = divmod(prepared.plan.counts["detection_train_pictures"], 7)
    sizes = sorted(len(list(each.iterdir())) for each in folders)
    assert sizes == sorted([7] * count + [rest] * bool(rest))
    found = read_all(open_reader(parse(f"widerface:{tmp_path / 'out'}")))
    assert found.total() == prepared.plan.counts["detection_train_pictures"]
