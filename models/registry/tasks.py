"""What models are for, in words for people and as cards and the catalogue say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

#: What a workspace chooses a model for.
Task = Literal["detector", "embedder"]
TASKS: tuple[Task, Task] = ("detector", "embedder")

#: The task of a card, by the word that commands and settings have for it.
ON_CARDS: Mapping[str, str] = {
    "detector": "detect",
    "embedder": "embed",
    "photo": "judge",
}
#: The other way round.
IN_WORDS: Mapping[str, str] = {card: word for word, card in ON_CARDS.items()}
