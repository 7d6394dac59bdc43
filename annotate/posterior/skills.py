"""How often a person is right, and what an answer is worth as evidence.

Two coins a person (Dawid and Skene 1979; Raykar et al. 2010): one for pictures of the
same character, one for pictures of another. Each is a Beta distribution, kept as the
pseudo-counts of right and wrong answers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.annotation.schema import skill
from icf.catalogue.rows import lock_table

#: Nobody's answer is taken for more certain than this, however many were right: the
#: two coins know nothing of pictures that mislead everybody.
_MOST = 0.99


@dataclass(frozen=True)
class Skill:
    """How often a person is right.

    Attributes:
        same_right, same_wrong: pseudo-counts of answers about the same character.
        different_right, different_wrong: the same about another character.
    """

    same_right: float
    same_wrong: float
    different_right: float
    different_wrong: float

    @property
    def sensitivity(self) -> float:
        """The probability of "yes" where it is the character."""
        return self.same_right / (self.same_right + self.same_wrong)

    @property
    def specificity(self) -> float:
        """The probability of "no" where it is another one."""
        return self.different_right / (self.different_right + self.different_wrong)

    def log_odds(self, *, yes: bool) -> float:
        """By how much an answer moves the log odds of being the character.

        >>> round(NEW.log_odds(yes=True), 2), round(NEW.log_odds(yes=False), 2)
        (2.2, -2.2)
        """
        sensitivity = min(max(self.sensitivity, 1 - _MOST), _MOST)
        specificity = min(max(self.specificity, 1 - _MOST), _MOST)
        if yes:
            return math.log(sensitivity / (1 - specificity))
        return math.log((1 - sensitivity) / specificity)


#: Somebody of whom nothing is known yet: right nine times of ten.
NEW = Skill(9.0, 1.0, 9.0, 1.0)


def read_skills(connection: sa.Connection) -> dict[str, Skill]:
    """Read everybody's skill, as the last fit has it."""
    return {
        row.annotator: Skill(
            row.same_right, row.same_wrong, row.different_right, row.different_wrong
        )
        for row in connection.execute(sa.select(skill))
    }


def write_skills(connection: sa.Connection, skills: Mapping[str, Skill]) -> None:
    """Let these skills count from now on, and no others."""
    now = time.time()
    rows = [
        {"annotator": name, **vars(each), "fitted_at": now}
        for name, each in sorted(skills.items())
    ]
    lock_table(connection, skill)
    connection.execute(sa.delete(skill))
    if rows:
        connection.execute(sa.insert(skill), rows)
