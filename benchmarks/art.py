"""The drawings of styles that were kept out of training, for benchmarks of models."""

import sys

from icf.tools.training_art import heads


def held_out_art() -> heads.Art:
    """Return them, or end the program with a sentence that says what to run first."""
    art = heads.held_out_art()
    if not art.heads:
        sys.exit(
            "this benchmark draws on styles that are not on this machine yet: run "
            "`python -m icf.tools.training_art.make` first, which downloads packages "
            "and draws for a long time"
        )
    return art
