"""Take a model that another program made into a workspace.

The file is looked at, opened by its format, tried out, and only then kept with a card
in the workspace's registry. Nothing is promoted: it passes the gate like any model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from icf.errors import BadInput, BadModel, WrongUse
from icf.models.card_numbers import COLOURS, OF_FORMATS, OF_TASKS, check_numbers
from icf.models.cards import ModelCard, load_card, new_card, of_file, save_card
from icf.models.formats.base import FORMATS, Opening
from icf.models.formats.outside import OutsideFormat, Published
from icf.models.outside import conversion, download, members, onnx_file
from icf.models.outside.probe import probe
from icf.models.registry import store
from icf.models.registry.known import known_models
from icf.redact import redact, without_login
from icf.stores.files import hash_file
from icf.workspace import Workspace

#: Names of files that say nothing: the folder around them does.
_PLAIN = frozenset(
    {"model", "model_feat", "best", "last", "weights", "pytorch_model", "checkpoint"}
)


@dataclass(frozen=True)
class Wish:
    """What a user wants to add.

    Attributes:
        source: a file, a folder, a ZIP file, or an https address.
        form: the format: one of `formats`.
        name: of the model; "": by its file.
        licence: of the weights; "": as the file states it.
        numbers: for the card, in place of the format's own.
        member: the file of a pack; "": the one that fits.
        sha256: of the file, as its publisher states it; "": not stated.
    """

    source: str
    form: str
    name: str = ""
    licence: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    member: str = ""
    sha256: str = ""


@dataclass(frozen=True)
class Added:
    """A model that was added.

    Attributes:
        card: as it is in the workspace.
        source_sha256: of the file that was given or fetched.
    """

    card: ModelCard
    source_sha256: str

    @property
    def calibrated(self) -> bool:
        """Whether its cosines mean probabilities already; true for a detector."""
        return bool(self.card.parameters.get("calibrated", 1))


#: Told what is fetched and its size, if it is known; returns what counts bytes.
Begin = Callable[[int | None], Callable[[int], None]]


def formats() -> list[str]:
    """Return what ``--as`` understands, sorted."""
    own = [name for name in FORMATS.own if _published_format(name)]
    return sorted([*own, *conversion.NAMES])


def add(workspace: Workspace, wish: Wish, by: str, begin: Begin) -> Added:
    """Add a model to a workspace.

    Args:
        workspace: that gets it.
        wish: what is wanted.
        by: who adds it, such as ``anna@studio``.
        begin: for the progress of a download.

    Raises:
        WrongUse: there is no such file or format, or a number is not one of its card's.
        BadInput: the file is another one than its publisher states.
        BadModel: it is not of this format, gives no sensible numbers, or cannot have a
            number that is wanted.
        BrokenMachine: it cannot be fetched.
    """
    convert = conversion.conversion(wish.form)
    form = None if convert else _format(wish.form)
    _check_wanted(wish, bool(convert) or wish.form in FORMATS.own)
    if convert and wish.member:
        raise WrongUse(
            f"--member: --as {wish.form} takes one file of weights; leave it out"
        )
    with tempfile.TemporaryDirectory(prefix="icf-model-") as temporary:
        folder = Path(temporary)
        path = _local(wish, folder, begin)
        if path.is_dir() and wish.sha256:
            raise WrongUse(f"--sha256: {wish.source} is a folder; leave it out")
        sha256 = "" if path.is_dir() else _checked(path, wish.sha256)
        if not path.is_dir():
            _check_no_other_card(path, sha256, wish.form)
        name = wish.name or _name(wish.source)
        source = redact(without_login(wish.source))
        if convert:
            made = convert(path, wish.numbers, folder)
            weights, published = made.weights, made.published
            stated: dict[str, Any] = {
                "network": made.network,
                "architecture": made.architecture,
            }
            form_name = made.form
        else:
            assert form is not None
            weights, published = _of_format(path, form, wish, folder)
            stated, form_name = {}, wish.form
            if members.is_pack(path) and not wish.name:
                name = f"{name}-{weights.stem}"
        card = new_card(
            weights,
            published.task,
            form_name,
            _parameters(published, wish),
            name=name,
            input=published.input,
            limits=published.limits,
            licence=wish.licence or published.licence,
            recipe=f"icf model add {source} --as {wish.form}",
            data=({"name": f"of {name}", "source": source, "licence": "unknown"},),
            **stated,
        )
        if _is_another(workspace, card):
            weights = onnx_file.with_note(weights, _numbers(card), folder)
            card = of_file(card, weights)
        _try_out(weights, card, path.name)
        kept = store.add(workspace, _with_card(weights, card, folder), by)
    return Added(kept, sha256 or kept.sha256)


def _check_wanted(wish: Wish, own: bool) -> None:
    """Refuse numbers that no model can have, before anything is fetched or opened.

    Args:
        wish: with the numbers.
        own: the format comes with the program, so that all its numbers are known.

    Raises:
        BadModel: there is such a number.
    """
    allowed = {**OF_TASKS["detect"], **OF_TASKS["embed"], **(OF_FORMATS if own else {})}
    check_numbers(wish.numbers, allowed, "--parameter")


def _local(wish: Wish, folder: Path, begin: Begin) -> Path:
    """Where the source is on this machine, once it is fetched."""
    if download.is_address(wish.source):
        return download.download(wish.source, folder, begin).path
    path = Path(wish.source).expanduser()
    if not path.exists():
        raise WrongUse(f"there is no {path}")
    return path


def _checked(path: Path, wanted: str) -> str:
    """The SHA-256 of a file, which is the one that was stated.

    Raises:
        BadInput: it is another.
    """
    found = hash_file(path)
    if wanted and found != wanted.lower():
        raise BadInput(
            f"{path.name} has SHA-256 {found}; expected {wanted.lower()}: it is "
            "damaged, incomplete, or another version"
        )
    return found


def _check_no_other_card(path: Path, sha256: str, form: str) -> None:
    """Refuse a file whose card names another format, such as one of `icf-train`.

    Raises:
        WrongUse: it does.
    """
    try:
        card = load_card(path.with_suffix(".json"))
    except BadModel:
        return
    if card.sha256 == sha256 and card.format != form:
        raise WrongUse(
            f"--as {form}: {path.name} has a card, and its card says {card.format}: "
            f"`icf model promote {path}` takes it as it is"
        )


def _of_format(
    path: Path, form: type[OutsideFormat], wish: Wish, folder: Path
) -> tuple[Path, Published]:
    """Return the file of a model, whole, and what its format says of it."""
    if members.is_pack(path):
        path = members.chosen(path, form, wish.member, wish.numbers, folder)
    elif wish.member:
        raise WrongUse(f"--member: {path.name} is neither a folder nor a ZIP file")
    header, network = onnx_file.opened(path)
    try:
        published = form.published(header, network, wish.numbers)
    except BadModel as error:
        raise BadModel(
            f"{path.name} is not of the format {wish.form}: {error}"
        ) from error
    return onnx_file.in_one_file(path, header, folder), published


def _parameters(published: Published, wish: Wish) -> dict[str, float]:
    """The numbers of the card: the format's, and in their place the user's.

    Raises:
        WrongUse: the format has no such number.
    """
    numbers = _by_channel(wish.numbers, published.parameters)
    if unknown := sorted(numbers.keys() - published.parameters.keys()):
        raise WrongUse(
            f"--parameter {unknown[0]}: {wish.form} has "
            f"{', '.join(published.parameters)}"
        )
    made = {**published.parameters, **numbers}
    if {"slope", "intercept"} & numbers.keys():
        made["calibrated"] = 1.0
    return made


def _by_channel(
    numbers: Mapping[str, float], known: Mapping[str, float]
) -> dict[str, float]:
    """Give one number to all channels where the card has one of each.

    >>> _by_channel({"mean": 0.5}, {"mean_red": 0, "mean_green": 0, "mean_blue": 0})
    {'mean_red': 0.5, 'mean_green': 0.5, 'mean_blue': 0.5}
    """
    made: dict[str, float] = {}
    for name, number in numbers.items():
        several = [f"{name}_{colour}" for colour in COLOURS]
        made |= dict.fromkeys(several if several[0] in known else [name], number)
    return made


def _is_another(workspace: Workspace, card: ModelCard) -> bool:
    """Whether the workspace knows the weights with numbers that give other results.

    Results are kept under the hash of the weights, so these need another hash.
    """
    return any(
        each.card.sha256 == card.sha256 and _numbers(each.card) != _numbers(card)
        for each in known_models(workspace)
    )


def _numbers(card: ModelCard) -> str:
    """All of a card that results depend on, besides the weights."""
    curve = ("slope", "intercept", "calibrated")
    used = {k: float(v) for k, v in card.parameters.items() if k not in curve}
    return json.dumps([card.format, used], sort_keys=True)


def _try_out(weights: Path, card: ModelCard, name: str) -> None:
    """Open a model as its users will, and look at what it gives.

    Raises:
        BadModel: it is of no use.
    """
    try:
        probe(FORMATS.load(card.format).open(weights, card, Opening()), card)
    except BadModel as error:
        raise BadModel(f"{name} was not added: {error}") from error


def _with_card(weights: Path, card: ModelCard, folder: Path) -> Path:
    """Put a card next to weights, in a folder of our own."""
    place = folder / "kept"
    place.mkdir()
    target = place / weights.name
    target.symlink_to(weights.resolve())
    save_card(card, target.with_suffix(".json"))
    return target


def _name(source: str) -> str:
    """What a model is called by its file; by the folder where the file's name is plain.

    >>> _name("https://example.org/face_detect_v1.4_s/model.onnx")
    'face_detect_v1.4_s'
    """
    if download.is_address(source):
        path = Path(unquote(urlsplit(source).path))
    else:
        path = Path(os.path.abspath(source))  # noqa: PTH100  # a link has its own name
    stem = path.stem if path.suffix else path.name
    return path.parent.name or stem if stem in _PLAIN else stem


def _format(name: str) -> type[OutsideFormat]:
    found: Any = FORMATS.load(name) if name in FORMATS.names() else None
    if not (isinstance(found, type) and issubclass(found, OutsideFormat)):
        raise WrongUse(f"--as {name}: the formats are {', '.join(formats())}")
    return found


def _published_format(name: str) -> bool:
    found: Any = FORMATS.load(name)
    return isinstance(found, type) and issubclass(found, OutsideFormat)
