"""The models that a workspace knows: bundled ones, those in its folder, and others.

Another is one that ran from somewhere else: the catalogue has its card, for the
decisions that name it, and not its file.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from icf.catalogue.catalogue import Catalogue
from icf.catalogue.schema import model
from icf.errors import BadModel
from icf.models.cards import BUNDLED, ModelCard, bundled_path, card_from, load_card
from icf.models.registry.tasks import IN_WORDS
from icf.workspace import Workspace

_log = logging.getLogger(__name__)

#: The folder of models in a workspace.
FOLDER = "models"


@dataclass(frozen=True)
class KnownModel:
    """A model.

    Attributes:
        card: its card.
        path: its weights; None: the workspace has no copy of them.
        bundled: it comes with the program.
    """

    card: ModelCard
    path: Path | None
    bundled: bool = False

    @property
    def task(self) -> str:
        """``"detector"``, ``"embedder"`` or ``"photo"``."""
        return IN_WORDS.get(self.card.task, self.card.task)

    @property
    def names(self) -> tuple[str, ...]:
        """What people may call it, besides its hash."""
        stem = () if self.path is None or self.bundled else (self.path.stem,)
        return (self.card.name, *stem)


def known_models(workspace: Workspace) -> list[KnownModel]:
    """Return every model that the workspace knows, each once: bundled ones first."""
    found: dict[str, KnownModel] = {}
    for each in (*_bundled(), *_in_folder(workspace.root / FOLDER)):
        found.setdefault(each.card.sha256, each)
    for card in _registered(workspace.catalogue):
        found.setdefault(card.sha256, KnownModel(card, None))
    return list(found.values())


def _bundled() -> Iterator[KnownModel]:
    for name in BUNDLED:
        path = bundled_path(name)
        yield KnownModel(load_card(path.with_suffix(".json")), path, bundled=True)


def _in_folder(folder: Path) -> Iterator[KnownModel]:
    for card_path in sorted(folder.glob("*.json")):
        try:
            card = load_card(card_path)
        except BadModel as error:
            _log.info("%s", error)
            continue
        yield KnownModel(card, card_path.with_name(card.file))


def _registered(catalogue: Catalogue) -> Iterator[ModelCard]:
    query = sa.select(model.c.card).order_by(model.c.added_at, model.c.sha256)
    with catalogue.read() as connection:
        texts = list(connection.execute(query).scalars())
    for text in texts:
        try:
            yield card_from(json.loads(text), "the catalogue")
        except (BadModel, ValueError) as error:
            _log.info("%s", error)
