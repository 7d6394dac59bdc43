from __future__ import annotations

from pathlib import Path

import pytest

from icf.models.cards import BUNDLED, bundled_path, load_card
from icf.models.training.models_page import described, main, page
from tests.models.onnx_files import card_for

PAGE = Path(__file__).parents[3] / "docs" / "models.md"


def test_the_page_is_what_the_cards_say() -> None:
    cards = [load_card(bundled_path(name).with_suffix(".json")) for name in BUNDLED]
    assert PAGE.read_text(encoding="utf-8") == page(cards), (
        "run python -m icf.models.training.models_page docs/models.md"
    )


def test_the_readme_says_what_the_cards_say() -> None:
    text = PAGE.parents[1].joinpath("README.md").read_text(encoding="utf-8")
    detector, embedder = (
        load_card(bundled_path(name).with_suffix(".json")).figures
        for name in ("detector", "embedder")
    )
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith(("| | painted", "| faces found", "| boxes that are"))
    ]
    groups, *shares = (row[1:] for row in rows)
    for name, row in zip(("recall", "precision"), shares, strict=True):
        own = (detector[f"ruler, test set, {group}"][name] for group in groups)
        assert row == [f"{share:.0%}" for share in own]
    assert f"in {embedder['ruler, test set, all']['rank1']:.0%} of the cases" in text
    assert f"({embedder['other-days']['rank1']:.0%} on repainted modelled" in text


@pytest.mark.parametrize("name", BUNDLED)
def test_the_licence_of_the_weights_that_it_started_from_is_shipped(name: str) -> None:
    path = bundled_path(name)
    parent = load_card(path.with_suffix(".json")).parent
    assert parent is not None
    notice = path.with_name("NOTICE.txt").read_text(encoding="utf-8")
    [heading] = [line for line in notice.splitlines() if f"{name}.onnx" in line]
    assert parent.split()[0] in heading
    assert "Copyright (c)" in notice.partition(heading)[2].partition(".onnx")[0]


def test_a_card_is_shown_with_figures_limits_and_licences(tmp_path: Path) -> None:
    path = tmp_path / "eyes.onnx"
    path.write_bytes(b"weights")
    figures = {
        "micah": {"faces": 90, "recall": 0.91},
        "comicgen": {"faces": 40, "recall": 0.8},
        "no faces": {"pictures": 160, "false_boxes": 0.05},
    }
    card = card_for(path, "detect", figures=figures, parameters={"min_score": 0.5})
    shown = described(card)
    assert "## The eyes\n" in shown
    assert f"| SHA-256 | `{card.sha256}` |" in shown
    assert "| `min_score` | 0.5 |" in shown
    assert (
        "| measured on | faces | recall |\n| --- | --- | --- |\n"
        "| micah | 90 | 0.91 |\n| comicgen | 40 | 0.8 |\n\n"
        "| measured on | pictures | false_boxes |\n| --- | --- | --- |\n"
        "| no faces | 160 | 0.05 |\n"
    ) in shown
    assert "- it knows colours only\n" in shown
    assert "| none | none | CC0-1.0 |" in shown


def test_it_is_printed_or_written_to_a_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.argv", ["page"])
    main()
    printed = capsys.readouterr().out
    target = tmp_path / "models.md"
    monkeypatch.setattr("sys.argv", ["page", str(target)])
    main()
    assert target.read_text(encoding="utf-8") == printed
