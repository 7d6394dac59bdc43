"""`icf demo --rounds N`: rounds of answers and training, with the commands one types.

Each round is `icf round run`, as often as it asks for answers; a simulated annotator
gives them. Killed anywhere and started again, it goes on: the catalogue knows how far.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from icf.app.demo.people import ERROR_RATE, answer_questions
from icf.app.demo.rounds.figures import RoundFigures, measure, read_figures, save
from icf.app.demo.rounds.site import rounds_tar, rounds_truth, write_list
from icf.app.demo.shell import Shell
from icf.app.demo.site import DemoSite
from icf.app.round.status import read_status
from icf.catalogue.schema import batch, question
from icf.codes import Label, RoundState
from icf.command import table
from icf.errors import IcfError
from icf.stores.files import replace_file
from icf.workspace import CONFIG, Workspace, find

#: Questions asked in a round.
BATCH = 160

_CONFIG = """\
[harvest]
contact = "demo@example.org"
allow_hosts = ["127.0.0.1:{port}"]

[[source]]
name = "look-alikes"
kind = "list"
path = "site.csv"                 # album, character, url, licence

[filter]
min_face = 48                     # pixels; the site's pictures are small

[annotate]
batch = {batch}
risk = 0.05                       # surer faces are not asked about

[round]
seed = {seed}
steps = 200                       # of the training; two minutes on two processors
audit_share = 0.3                 # of 56 characters
audit_faces = 160
"""


def play(shell: Shell, port: int, rounds: int, seed: int) -> list[RoundFigures]:
    """Harvest and filter the site, then play rounds.

    Args:
        shell: runs commands in the workspace, which `icf init` has made.
        port: that the site is served on.
        rounds: to play in all; those that are done already are not played again.
        seed: of the annotator, of what is set aside, and of the training.

    Returns:
        The figures before the first round, and after each.
    """
    root = shell.root
    text = _CONFIG.format(port=port, batch=BATCH, seed=seed)
    if (root / CONFIG).read_text() != text:
        replace_file(root / CONFIG, [text.encode()])
    write_list(root / "site.csv", f"http://127.0.0.1:{port}")
    with DemoSite(port, rounds_tar()):
        shell.run("icf-harvest", "run")
    shell.run("icf-filter", "run")
    shell.say(
        "\nNo people are at hand: a simulated annotator, who is wrong "
        f"{ERROR_RATE:.0%} of the time, answers the questions of each round"
    )
    figures = read_figures(root)
    if not figures:
        figures = [measure(find(root), 0, {}, rounds_truth())]
        save(root, figures)
    while len(figures) <= rounds:
        number = len(figures)
        status = _play_round(shell, number, seed)
        figures.append(measure(find(root), number, status, rounds_truth()))
        save(root, figures)
    return figures


def _play_round(shell: Shell, number: int, seed: int) -> Mapping[str, Any]:
    """Play one round to its end; return its status."""
    shell.say(f"\nRound {number}")
    while True:
        shell.run("icf", "round", "run")
        status = _status(find(shell.root))
        if status["round"] > number or status["state"] == RoundState.DONE.value:
            return status
        waiting = unanswered(find(shell.root))
        if not waiting:
            raise IcfError(
                f"round {number} is at {status['state']!r} and waits for no answers; "
                "`icf round status` says more"
            )
        for folder in waiting:
            answers = Path(f"{folder}.csv")
            questions = shell.root / folder / "questions.csv"
            workspace = find(shell.root)
            answer_questions(
                workspace, questions, shell.root / answers, seed, rounds_truth()
            )
            shell.run("icf-annotate", "import", str(answers))


def _status(workspace: Workspace) -> dict[str, Any]:
    with workspace.catalogue.read() as connection:
        found = read_status(connection, workspace.settings.annotate.enough)
    assert found is not None
    return found.as_json()


def unanswered(workspace: Workspace) -> list[Path]:
    """Return the folders of batches with questions that nobody has answered."""
    query = (
        sa.select(batch.c.path)
        .join(question, question.c.batch_id == batch.c.id)
        .where(question.c.label == Label.OPEN.value)
        .group_by(batch.c.id, batch.c.path, batch.c.created_at)
        .order_by(batch.c.created_at)
    )
    with workspace.catalogue.read() as connection:
        return [Path(path) for path in connection.execute(query).scalars()]


def results(figures: Sequence[RoundFigures]) -> object:
    """Lay the figures out as a table, a column a round."""
    head = ["", *("before" if f.number == 0 else f"round {f.number}" for f in figures)]
    rows = [
        ["answers given", *(f"{f.answers:,}" for f in figures)],
        ["questions still to ask", *(f"{f.still_to_ask:,}" for f in figures)],
        ["questions in all", *(f"{f.questions:,}" for f in figures)],
        ["labels a release would have", *(f"{f.labels:,}" for f in figures)],
        ["  of them wrong", *(f"{f.wrong:,} ({f.error:.1%})" for f in figures)],
        ["right faces dropped", *(f"{f.lost:,}" for f in figures)],
        [
            "rank-1 of characters set aside",
            *("" if f.rank1 is None else f"{f.rank1:.1f}%" for f in figures),
        ],
        [
            "  by the bundled embedder",
            *(
                "" if f.rank1_bundled is None else f"{f.rank1_bundled:.1f}%"
                for f in figures
            ),
        ],
        ["new embedder", *(_fate(f) for f in figures)],
    ]
    return table(head, rows)


def _fate(figures: RoundFigures) -> str:
    if figures.number == 0:
        return ""
    return "promoted" if figures.promoted else "refused"
