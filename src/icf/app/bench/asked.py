"""Make the tables that a command line asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from icf.app.bench.data import BenchData, open_release
from icf.app.bench.paper import (
    LOSSES,
    Table,
    TableName,
    losses_table,
    rates_table,
    terms_table,
)
from icf.app.bench.plan import Plan, make_plan, read_base
from icf.app.bench.scoring import known_scores
from icf.app.bench.tables import (
    MARKDOWN,
    About,
    as_json,
    changed_settings,
    write_tables,
)
from icf.command import Invocation, table
from icf.errors import WrongUse
from icf.models.data.index import UNKNOWN, Source, build_index
from icf.models.data.spec import open_reader, parse
from icf.models.training.schedule import steps_of

if TYPE_CHECKING:
    from icf.models.training.loop import Watcher


@dataclass(frozen=True)
class Asked:
    """What a command line asks for.

    Attributes:
        release: what to train and to score on.
        out: folder of the tables.
        names: of the tables; empty: all that can be made.
        human: SPEC of photographed faces.
        losses: of table 3; empty: the paper's.
        file: configuration over the recipe.
        steps: of each training; None: the configuration's.
        seeds: of each row.
        device: where to compute.
        dry_run: only show what would be trained.
    """

    release: Path
    out: Path
    names: tuple[TableName, ...]
    human: str | None
    losses: tuple[str, ...]
    file: Path | None
    steps: int | None
    seeds: int
    device: Literal["auto", "cpu", "cuda"]
    dry_run: bool


def run_tables(invocation: Invocation, asked: Asked) -> None:
    """Make the tables, and print them.

    Raises:
        WrongUse: options do not fit one another, or name what is not there.
        IcfError: as trainings and scorings do.
    """
    tables = _tables(asked)
    config = read_base(asked.file, asked.steps)
    data = _data(invocation, asked)
    plan = make_plan(tables, config, asked.seeds, data)
    about = _about(asked, plan, data)
    if asked.dry_run:
        _say_plan(invocation, asked, plan, about)
        return
    # PyTorch takes seconds to import.
    from icf.app.bench.work import Workplace, work

    asked.out.mkdir(parents=True, exist_ok=True)
    place = Workplace(
        asked.out,
        data,
        asked.device,
        lambda: _watching(invocation),
        invocation.say,
        lambda scores: write_tables(asked.out, plan, scores, about),
    )
    scores = work(plan, place)
    if not place.is_first:
        return
    write_tables(asked.out, plan, scores, about)
    written = (asked.out / MARKDOWN).read_text(encoding="utf-8").rstrip()
    invocation.emit(as_json(plan, scores, about, asked.out), lambda: written)


def _tables(asked: Asked) -> list[Table]:
    """Return the tables to make.

    Raises:
        WrongUse: table 4 is asked for without human faces, a loss is unknown, or an
            option is for a table that is not asked for.
    """
    from icf.models.training.losses import names

    if unknown := sorted(set(asked.losses) - set(names())):
        raise WrongUse(
            f"--loss {unknown[0]}: no loss is called so; known are {', '.join(names())}"
        )
    wanted = asked.names or ("3", *(("4",) if asked.human else ()), "5")
    if "4" in wanted and asked.human is None:
        raise WrongUse(
            "table 4 needs photographed faces: name some with --human, such as "
            "folders+human:DIR or rec:DIR"
        )
    if "4" not in wanted and asked.human is not None:
        raise WrongUse("--human is for table 4: add --table 4, or leave it out")
    if "3" not in wanted and asked.losses:
        raise WrongUse("--loss is for table 3: add --table 3, or leave it out")
    losses = tuple(dict.fromkeys(asked.losses)) or LOSSES
    made = {"3": losses_table(losses), "4": terms_table(), "5": rates_table()}
    return [made[name] for name in sorted(set(wanted))]


def _data(invocation: Invocation, asked: Asked) -> BenchData:
    reader, test = open_release(asked.release)
    human = None
    if asked.human is not None:
        from icf.models.cli.asked import workspace_of

        spec = parse(asked.human)
        workspace = workspace_of(invocation) if spec.kind == "workspace" else None
        human = Source(open_reader(spec, workspace))
    return BenchData(Source(reader), human, test)


def _about(asked: Asked, plan: Plan, data: BenchData) -> About:
    index = build_index([data.release])
    index.check_identities()
    known = (index.identity != UNKNOWN) & ~index.ignored
    faces = int(np.count_nonzero(known))
    recipe = read_base(None, None)
    loop = plan.config.loop
    return About(
        str(asked.release),
        asked.human or "",
        faces,
        data.test.described,
        steps_of(loop, faces),
        loop.batch,
        steps_of(recipe.loop, faces),
        recipe.loop.batch,
        changed_settings(plan.config, recipe),
    )


def _say_plan(invocation: Invocation, asked: Asked, plan: Plan, about: About) -> None:
    done = known_scores(plan, asked.out)
    runs = [
        {"folder": run.folder, "steps": about.steps, "done": run.folder in done}
        for run in plan.in_order()
    ]
    rows = [(run["folder"], "yes" if run["done"] else "no") for run in runs]
    if not invocation.json:
        invocation.say(about.first_line)
    invocation.emit(
        {"toy": about.is_toy, "trainings": runs},
        lambda: table(("training", "done"), rows),
    )


@contextmanager
def _watching(invocation: Invocation) -> Iterator[Watcher]:
    from icf.models.cli.watching import watching

    with watching(invocation) as watcher:
        yield watcher
