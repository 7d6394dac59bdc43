"""The tables as Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.app.bench.curves import draw_curves
from icf.app.bench.paper import Table, TableName
from icf.app.bench.plan import RUNS, Plan
from icf.app.bench.scoring import Scores
from icf.app.bench.summary import RANKS, Cell, cells_of, shown
from icf.models.training.config import TrainingConfig
from icf.stores.files import replace_file

MARKDOWN, CURVES = "tables.md", "cmc.svg"

#: Settings that a table changes from row to row, or that change no model.
_NOT_SHOWN = (
    "loop.seed",
    "loop.steps",
    "loss.",
    "adaptation.",
    "crops.rate",
    "loop.workers",
)


@dataclass(frozen=True)
class About:
    """What is said above the tables.

    Attributes:
        release: what was trained and scored on, as the user called it.
        human: the photographed faces; "" where there are none.
        faces: that are trained on.
        test: how large the test is.
        steps: of each training.
        batch: faces in each step.
        recipe_steps: that the recipe would take on this data.
        recipe_batch: faces in each of its steps.
        changed: settings that differ from the paper's recipe.
    """

    release: str
    human: str
    faces: int
    test: str
    steps: int
    batch: int
    recipe_steps: int
    recipe_batch: int
    changed: Mapping[str, Any]

    @property
    def is_toy(self) -> bool:
        """Whether fewer faces are seen than by the recipe."""
        return self.steps * self.batch < self.recipe_steps * self.recipe_batch

    @property
    def first_line(self) -> str:
        """Return what comes before everything else."""
        if self.is_toy:
            return (
                f"a toy run: {self.steps:,} steps of {self.batch:,} faces, where the "
                f"recipe takes {self.recipe_steps:,} of {self.recipe_batch:,}; its "
                "figures do not tell which method is better"
            )
        return f"{self.steps:,} steps of {self.batch:,} faces a training"


def changed_settings(
    config: TrainingConfig, recipe: TrainingConfig
) -> dict[str, object]:
    """Return the settings, by dotted key, that differ from the recipe's."""
    before = dict(_flat(recipe.model_dump(mode="json")))
    return {
        key: value
        for key, value in _flat(config.model_dump(mode="json"))
        if before.get(key) != value and not key.startswith(_NOT_SHOWN)
    }


def write_tables(out: Path, plan: Plan, scores: Scores, about: About) -> None:
    """Write ``tables.md``, a CSV for each table, and ``cmc.svg``."""
    cells = {each.name: cells_of(each, plan, scores) for each in plan.tables}
    for table in plan.tables:
        _write(out / f"table-{table.name}.csv", _csv(table, cells[table.name]))
    panels = {
        f"{letter}) {table.title}": cells[table.name]
        for letter, table in zip("abc", plan.tables, strict=False)
    }
    drawn = draw_curves(panels, about.first_line)
    if drawn:
        _write(out / CURVES, drawn)
    _write(out / MARKDOWN, _markdown(plan, cells, scores, about, drawn=bool(drawn)))


def as_json(plan: Plan, scores: Scores, about: About, out: Path) -> dict[str, Any]:
    """Return what ``--json`` prints."""
    return {
        "out": str(out),
        "toy": about.is_toy,
        "steps": about.steps,
        "seeds": plan.seeds,
        "tables": {
            table.name: [_cell_as_json(c) for c in cells_of(table, plan, scores)]
            for table in plan.tables
        },
        "seconds": round(sum(each.seconds for each in scores.values()), 3),
    }


def _cell_as_json(cell: Cell) -> dict[str, Any]:
    return {
        "row": cell.row.label,
        "seeds": cell.seeds,
        "percents": {
            f"rank{rank}": {
                "mean": each.value,
                "interval": [each.low, each.high] if math.isfinite(each.low) else None,
            }
            for rank, each in zip(RANKS, cell.percents, strict=False)
        },
        "paper": list(cell.row.published) if cell.row.published else None,
        "seconds": round(cell.seconds, 3),
    }


def _markdown(
    plan: Plan,
    cells: Mapping[TableName, Sequence[Cell]],
    scores: Scores,
    about: About,
    *,
    drawn: bool,
) -> str:
    *most, last = [table.name for table in plan.tables]
    names = f"{', '.join(most)} and {last}" if most else last
    noun = "Table" if len(plan.tables) == 1 else "Tables"
    done, wanted = len(scores), len(plan.in_order())
    parts = [about.first_line, f"# {noun} {names}, on {about.release}"]
    if done < wanted:
        parts.append(
            f"{done} of {wanted} trainings are done; the same command goes on."
        )
    parts += [_how(plan, about), _settings(about)]
    for table in plan.tables:
        parts += [f"## Table {table.name}: {table.title}"]
        parts += [_table(table, cells[table.name], plan.seeds)]
    if "4" not in cells:
        parts.append(
            "Table 4 is not here: its trainings need photographed faces, which "
            "`--human SPEC` names."
        )
    if drawn:
        parts += ["## Figure 6: how many pairs are found within a rank"]
        parts += [f"![Cumulative match curves]({CURVES})"]
    parts += ["## Costs", _costs(scores)]
    return "\n\n".join(parts) + "\n"


def _how(plan: Plan, about: About) -> str:
    seeds = "one seed" if plan.seeds == 1 else f"{plan.seeds} seeds"
    spread = (
        "One seed gives no interval."
        if plan.seeds == 1
        else "± is half of the 95% interval of the mean over the seeds, by Student's "
        "t; it does not cover that the test is a sample."
    )
    return (
        f"Percent of pairs within rank 1, 5 and 10, by the published protocol, with "
        f"the boxes of the test itself: {about.test}. Each row is {seeds}, each seed a "
        f"training on {about.faces:,} faces. {spread} The columns *paper* are for the "
        "published data set, and compare with nothing here unless that is what this "
        "was run on."
    )


def _settings(about: About) -> str:
    lines = [
        "Settings: the recipe `paper`; every loss with the defaults of its own paper; "
        "boxes enlarged by 1.00 where a table does not say otherwise.",
    ]
    if about.human:
        lines.append(
            f"Table 4: softmax on {about.release} first, then both domains from that "
            f"model, with {about.human}, every drawn face as often again; L_uir as "
            "`mean`, L_da as `grl`, weights 1, 0.1 and 10."
        )
    if about.changed:
        changed = ", ".join(f"`{k} = {v!r}`" for k, v in about.changed.items())
        lines.append(f"Changed in the recipe: {changed}.")
    return " ".join(lines)


def _table(table: Table, cells: Sequence[Cell], seeds: int) -> str:
    head = [table.column]
    head += [f"rank-{rank}" for rank in RANKS]
    head += [f"paper, rank-{rank}" for rank in RANKS]
    head += ["seconds a training"]
    rows = [head, ["---", *["---:"] * (len(head) - 1)]]
    for cell in cells:
        label = cell.row.label
        if 0 < cell.seeds < seeds:
            label += f" ({cell.seeds} of {seeds} seeds)"
        rows.append([label, *_percents(cell), *_published(cell), _seconds(cell)])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _percents(cell: Cell) -> list[str]:
    return [shown(each) for each in cell.percents] or ["not yet"] * len(RANKS)


def _published(cell: Cell) -> list[str]:
    published = cell.row.published
    return [f"{each:.2f}" for each in published] if published else [""] * len(RANKS)


def _seconds(cell: Cell) -> str:
    return f"{cell.seconds / cell.seeds:,.1f}" if cell.seeds else ""


def _costs(scores: Scores) -> str:
    training = sum(each.seconds for each in scores.values())
    scoring = sum(each.scoring_seconds for each in scores.values())
    return (
        f"{len(scores)} trainings: {training:,.1f} seconds of steps; scoring them: "
        f"{scoring:,.1f} seconds. Each is in a folder of `{RUNS}/`; what two tables "
        "have in common was trained once."
    )


def _csv(table: Table, cells: Sequence[Cell]) -> str:
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\n")
    head = [table.column, "seeds", "steps"]
    for rank in RANKS:
        head += [f"rank{rank}", f"rank{rank}_low", f"rank{rank}_high"]
    head += [f"paper_rank{rank}" for rank in RANKS]
    writer.writerow([*head, "training_seconds", "scoring_seconds"])
    for cell in cells:
        row: list[object] = [cell.row.label, cell.seeds, cell.steps or ""]
        for each in cell.percents:
            bounds = (each.low, each.high)
            row += [each.value, *(b if math.isfinite(b) else "" for b in bounds)]
        row += [""] * (3 * (len(RANKS) - len(cell.percents)))
        row += list(cell.row.published or [""] * len(RANKS))
        seconds = (cell.seconds, cell.scoring_seconds)
        writer.writerow([*row, *(round(each, 3) for each in seconds)])
    return made.getvalue()


def _flat(table: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _flat(value, f"{above}{key}.")
        else:
            found.append((f"{above}{key}", value))
    return found


def _write(path: Path, text: str) -> None:
    replace_file(path, [text.encode()])
