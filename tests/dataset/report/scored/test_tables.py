from __future__ import annotations

from pathlib import Path

from icf.dataset.report.scored.tables import read_tables

#: As `icf bench tables` writes them (`icf.app.bench.tables`).
LOSSES = """\
loss,seeds,steps,rank1,rank1_low,rank1_high,rank5,rank5_low,rank5_high,rank10,\
rank10_low,rank10_high,paper_rank1,paper_rank5,paper_rank10,training_seconds,\
scoring_seconds
SoftMax,2,9,70.5,69.0,72.0,80.25,,,90,89,91,78.97,90.51,93.24,1.0,0.1
ArcFace,0,,,,,,,,,,,83.34,93.12,95.2,0.0,0.0
"""


def write(root: Path, text: str, name: str = "table-3.csv") -> None:
    (root / "tables").mkdir(exist_ok=True)
    (root / "tables" / name).write_text(text, encoding="utf-8")


def test_a_row_has_its_percents_with_intervals_beside_the_papers(
    tmp_path: Path,
) -> None:
    write(tmp_path, LOSSES)
    write(tmp_path, "a toy run: 9 steps\n\n# Table 3\n", "tables.md")
    shown = read_tables(tmp_path)
    assert shown is not None
    assert shown.about == "a toy run: 9 steps"
    [table] = shown.tables
    assert (table.number, table.column) == ("3", "loss")
    softmax, arcface = table.rows
    assert softmax.here == ["70.50 ± 1.50", "80.25", "90.00 ± 1.00"]
    assert softmax.paper == ["78.97", "90.51", "93.24"]
    assert (arcface.label, arcface.here) == ("ArcFace", ["", "", ""])


def test_what_is_no_table_is_left_out(tmp_path: Path) -> None:
    assert read_tables(tmp_path) is None
    for text in ("", "a,b\n1,2\n", "\0\0"):
        write(tmp_path, text)
        assert read_tables(tmp_path) is None
