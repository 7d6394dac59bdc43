"""Answers imported by `icf-annotate import`: time by the row, memory by the file.

Three files, each in a few and in many rows: `questions.csv` filled in, Label Studio's
minimal JSON, and lines that each leave a quotation mark open, which a reader that looks
for its end would read as often as there are lines. One question in five has answers of
five people. CPU seconds and peak memory of the importing process; the last file has two
million rows that contradict each other.

Run: python -m benchmarks.annotate_import [--json]
"""

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa

from benchmarks.harvest_frontier import run_child
from benchmarks.report import Result, report
from icf.catalogue.schema import album, batch, character, face, image, question
from icf.workspace import Workspace, init

FEW, MANY, MOST = 20_000, 200_000, 2_000_000
PEOPLE = 5

IMPORT = """
import json, sys, time
from pathlib import Path
from icf.annotate.exchange.annotator_names import AnnotatorNames
from icf.annotate.import_answers import import_answers
from icf.workspace import find

workspace = find(Path(sys.argv[1]))
cpu = time.process_time()
done = import_answers(workspace, Path(sys.argv[2]), AnnotatorNames({}))
assert done.taken + sum(done.refused.values()) == done.rows == int(sys.argv[3])
cpu = time.process_time() - cpu
status = Path("/proc/self/status").read_text()
[peak] = [line for line in status.splitlines() if line.startswith("VmHWM")]
print(json.dumps([cpu, int(peak.split()[1]) / 1024]))
"""


def make_workspace(root: Path, questions: int) -> Workspace:
    """A workspace with open questions about faces of one picture."""
    workspace = init(root)
    found = {"source": "benchmark", "found_at": 0.0}
    state = {"verdict": "kept", "reason": "ok"}
    box = {"x1": 0.0, "y1": 0.0, "x2": 9.0, "y2": 9.0, "kind": "cartoon", "score": 0.9}
    measured = {"detector": "d", "sharpness": 1.0, "pixel_hash": "p", "phash": 0}
    numbers = range(1, questions + 1)
    with workspace.catalogue.write() as connection:
        insert = connection.execute
        insert(sa.insert(album).values(id=1, name="Moon", **found))
        insert(sa.insert(character).values(id=1, album_id=1, name="Luna", **found))
        stored = {"sha256": "0" * 64, "bytes": 1, "stored_at": 0.0}
        insert(sa.insert(image).values(id=1, **stored, **state))
        of_face = {"image_id": 1, "dhash": 0, "filed_under_id": 1, "found_at": 0.0}
        insert(
            sa.insert(face),
            [{"id": n, **box, **measured, **of_face, **state} for n in numbers],
        )
        made = {"format": "csv", "path": "b", "questions": questions, "created_at": 0.0}
        insert(sa.insert(batch).values(id="b1", **made))
        asked = {"character_id": 1, "reference_face_id": 1, "batch_id": "b1"}
        open_ = {"label": "open", "asked_at": 0.0}
        insert(
            sa.insert(question),
            [{"id": n, "face_id": n, **asked, **open_} for n in numbers],
        )
    return workspace


def spreadsheet(rows: int) -> Iterator[str]:
    """`questions.csv`, filled in."""
    yield "question,batch_id,answer,annotator\n"
    for row in range(rows):
        truth = "true" if row % 3 else "false"
        yield f"{row // PEOPLE + 1},b1,{truth},person {row % PEOPLE}\n"


def label_studio(rows: int) -> Iterator[str]:
    """The same in Label Studio's minimal JSON."""
    for row in range(rows):
        item = {
            "question_id": f"q{row // PEOPLE + 1:06d}",
            "annotator": row % PEOPLE + 1,
        }
        yield ("," if row else "[") + json.dumps({**item, "same": "same"})
    yield "]"


def open_quotes(rows: int) -> Iterator[str]:
    """Lines that leave a quotation mark open, after whichever line they come."""
    yield "question,answer,annotator\n"
    for _ in range(rows):
        yield 'x"y,"z\n'


def contradictions(rows: int) -> Iterator[str]:
    """One person's answers to one question."""
    yield "question,answer,annotator\n"
    for row in range(rows):
        yield f"1,{'true' if row % 2 else 'false'},ann\n"


def measure(
    folder: Path, write: Callable[[int], Iterator[str]], rows: int
) -> tuple[float, float]:
    """Import a file into a new workspace; return CPU seconds and peak MiB."""
    root = folder / f"{write.__name__}-{rows}"
    make_workspace(root, rows // PEOPLE).catalogue.close()
    path = folder / f"{root.name}.answers"
    with path.open("w", encoding="utf-8") as file:
        file.writelines(write(rows))
    cpu, peak = json.loads(run_child(IMPORT, root, path, rows)[3])
    return float(cpu), float(peak)


def main() -> None:
    """Measure and report."""
    also: dict[str, object] = {}
    exponents: list[float] = []
    peaks: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for write in (spreadsheet, label_studio, open_quotes):
            few, few_peak = measure(Path(folder), write, FEW)
            many, many_peak = measure(Path(folder), write, MANY)
            exponents.append(math.log(many / few) / math.log(MANY / FEW))
            peaks += [few_peak, many_peak]
            also[f"{write.__name__}_cpu_s"] = many
        most, most_peak = measure(Path(folder), contradictions, MOST)
    growth = max(*peaks, most_peak) / min(peaks)
    report(
        Result(
            name="annotate_import",
            unit=f"CPU seconds for {MANY:,} rows of questions.csv",
            ours=float(str(also["spreadsheet_cpu_s"])),
            peer=None,
            peer_name=None,
            ratio=None,
            goal="exponent <= 1.1 from 20 to 200 thousand rows; memory within half as "
            "much again up to two million",
            ok=max(exponents) <= 1.1 and growth <= 1.5,
            also={
                "exponent": max(exponents),
                "rss_growth": growth,
                "rss_mib": max(*peaks, most_peak),
                "two_million_contradictions_cpu_s": most,
                **also,
            },
        )
    )


if __name__ == "__main__":
    main()
