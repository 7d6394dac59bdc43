"""The demo's audit: other simulated people check a sample of the labels."""

from __future__ import annotations

from icf.annotate.audit.checks import disagreements
from icf.app.demo.people import answer_questions
from icf.app.demo.shell import Shell
from icf.catalogue.annotation.schema import label_audit_item
from icf.workspace import find

#: What it is to prove. A sample of labels with some wrong ones may have a few of them.
GOAL = ("--max-error", "0.05", "--confidence", "0.95", "--allowed-errors", "2")

CHECKER, REVIEWER = "simulated checker", "simulated reviewer"

#: Exit codes of a complete audit: with a certificate, and without.
_COMPLETE = (0, 1)


def play_audit(shell: Shell, seed: int) -> None:
    """Plan an audit, let somebody check it and somebody else decide, and conclude.

    Killed and started again, it goes on.

    Args:
        shell: of the demo.
        seed: draws the sample, and what its people are wrong about.
    """
    shell.say("\nOther people check a sample of these labels, which they do not see")
    shell.run("icf-annotate", "audit", "plan", *GOAL, "--seed", str(seed))
    _answer(shell, "batches/audit", CHECKER, seed + 1)
    with find(shell.root).catalogue.read() as connection:
        disputed = disagreements(connection)
    if disputed:
        _answer(shell, "batches/disputed", REVIEWER, seed + 2, decides=True)
    shell.run("icf-annotate", "audit", "result", codes=_COMPLETE)


def _answer(
    shell: Shell, folder: str, by: str, seed: int, *, decides: bool = False
) -> None:
    """Export what waits for somebody, fill it in, and import it."""
    disputed, deciding = (("--disputed",), ("--decides",)) if decides else ((), ())
    shell.run("icf-annotate", "audit", "export", folder, *disputed)
    answers = f"{folder}.csv"
    answer_questions(
        find(shell.root),
        shell.root / folder / "questions.csv",
        shell.root / answers,
        seed,
        by=by,
        asked=label_audit_item,
    )
    shell.run("icf-annotate", "audit", "import", answers, *deciding)
