"""Keep models in the workspace: their files under names that have their hash."""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from icf.errors import BadModel
from icf.models.cards import ModelCard, load_card, save_card, verified, weights_path
from icf.models.registry.known import FOLDER
from icf.models.registry.register import register
from icf.stores.files import replace_file
from icf.workspace import Workspace

#: Digits of the hash in a file's name.
_DIGITS = 12
#: The same weights for PyTorch, next to those for ONNX Runtime.
_TORCH = ".safetensors"
_PIECE = 1 << 20


def add(workspace: Workspace, weights: Path, by: str) -> ModelCard:
    """Copy a model into the workspace and enter its card in the catalogue.

    The weights, ``NAME.safetensors`` next to them where there is one, and the card get
    the name ``NAME-HASH`` in ``models/``, the card last. What is there already stays;
    weights that are there under another name stay there, and get this card;
    a killed call leaves nothing that looks like a model.

    Args:
        workspace: that gets it.
        weights: the file, or its card.
        by: who adds it, such as ``anna@studio``.

    Returns:
        Its card, as it is in the workspace.

    Raises:
        BadModel: weights or card are missing, or the weights are not those of the card.
    """
    source = weights_path(weights)
    card = load_card(source.with_suffix(".json"))
    verified(source, card.task, frozenset())
    folder = workspace.root / FOLDER
    folder.mkdir(exist_ok=True)
    target = _target(folder, card, source.suffix)
    kept = dataclasses.replace(card, file=target.name)
    if source.resolve() != target.resolve():
        extra = source.with_suffix(_TORCH)
        if extra.is_file() and extra != source:
            replace_file(target.with_suffix(_TORCH), _pieces(extra, None))
        if not _is_there(target, kept):
            replace_file(target, _pieces(source, card.sha256))
            save_card(kept, target.with_suffix(".json"))
    register(workspace.catalogue, [kept], by)
    return kept


def _target(folder: Path, card: ModelCard, suffix: str) -> Path:
    """Where the weights go: where they are, under another name perhaps.

    Weights in two files would have two cards, and one would count by its name.
    """
    own = folder / f"{file_name(card)}{suffix}"
    there = sorted(folder.glob(f"*-{card.sha256[:_DIGITS]}{suffix}"))
    return own if own in there or not there else there[0]


def file_name(card: ModelCard) -> str:
    """Return the name of a model's files, without a suffix: its name and hash.

    >>> from icf.models.cards import bundled_path
    >>> file_name(load_card(bundled_path("embedder").with_suffix(".json")))[:9]
    'embedder-'
    """
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", card.name).strip("-") or "model"
    return f"{plain}-{card.sha256[:_DIGITS]}"


def _is_there(target: Path, card: ModelCard) -> bool:
    try:
        return verified(target, card.task, frozenset()) == card
    except BadModel:
        return False


def _pieces(path: Path, sha256: str | None) -> Iterator[bytes]:
    """Read a file; fail at its end if it was not the one expected.

    Raises:
        BadModel: it changed since it was compared with its card.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            yield piece
    if sha256 is not None and digest.hexdigest() != sha256:
        raise BadModel(f"{path} changed while it was copied: give the command again")
