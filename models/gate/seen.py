"""What of the audit set a model was trained on: it knows it, and compares unfairly.

Trainings on the workspace leave out what was set aside, but before the first round
nothing is, and a release has it too. A model that was trained further, or written with
eight bits, knows what the model before it knew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from icf.catalogue.merges import survivor
from icf.catalogue.schema import album, character
from icf.catalogue.tombstones import full_name
from icf.models.gate.audit_faces import audit_characters
from icf.models.gate.verdict import Pair
from icf.models.registry.known import KnownModel, known_models
from icf.models.trained_on import Subjects, TrainedOn, picture_id, read_trained_on
from icf.workspace import Workspace

_SHOWN = 3
#: Data, as a card names it, that may have what a workspace sets aside.
_OF_WORKSPACES = ("workspace", "release:")


@dataclass(frozen=True)
class Seen:
    """What of an audit set two models were trained on, each in the order of the set.

    Attributes:
        champion: by the champion, or by a model that it was trained from.
        challenger: by the challenger.
        before: by models that it was trained from alone; but not what the champion
            knows as well, as after a round.
        notes: what is not known of either, for people.
    """

    champion: Sequence[str]
    challenger: Sequence[str]
    before: Sequence[str]
    notes: Sequence[str]


def audit_names(connection: sa.Connection) -> list[str]:
    """ALBUM/CHARACTER of the audit characters, and of those merged into them."""
    cast = audit_characters(connection)
    query = (
        sa.select(survivor(), album.c.name, character.c.name)
        .join(album, album.c.id == character.c.album_id)
        .order_by(character.c.id)
    )
    rows = connection.execute(query)
    return [full_name(of, own) for key, of, own in rows if key in cast]


def seen_characters(workspace: Workspace, pair: Pair, names: Sequence[str]) -> Seen:
    """Say which characters two embedders were trained on.

    Args:
        workspace: that may know the models that they were trained from.
        pair: the embedders.
        names: each as ALBUM/CHARACTER.
    """

    def found(known: Subjects) -> list[str]:
        all_of = known.identities
        releases = tuple(each for each in all_of if each.startswith("release:"))
        return [
            name
            for name in names
            if f"workspace/{name}" in all_of
            or any(each.endswith(f"/{name}") for each in releases)
        ]

    return _seen(workspace, pair, found)


def seen_pictures(workspace: Workspace, pair: Pair, hashes: Sequence[str]) -> Seen:
    """Say which pictures two detectors were trained on.

    Args:
        workspace: that may know the models that they were trained from.
        pair: the detectors.
        hashes: the SHA-256 of each.
    """

    def found(known: Subjects) -> list[str]:
        return [each for each in hashes if picture_id(each) in known.pictures]

    return _seen(workspace, pair, found)


def trained_on_characters(names: Sequence[str]) -> str:
    """Say of a model that it was trained on some audit characters, for people."""
    more = ", ..." if len(names) > _SHOWN else ""
    named = ", ".join(names[:_SHOWN])
    return f"was trained on {len(names):,} of the audit characters ({named}{more})"


def _seen(
    workspace: Workspace, pair: Pair, found: Callable[[Subjects], list[str]]
) -> Seen:
    models = {each.card.sha256: each for each in known_models(workspace)}
    paths = zip(pair.cards, (pair.champion, pair.challenger), strict=True)
    champion, challenger = (
        list(_lineage(KnownModel(card, path), models)) for card, path in paths
    )
    theirs, own = found(_all_of(champion)), found(_read(challenger[0]).own)
    return Seen(
        theirs,
        own,
        [
            each
            for each in found(_all_of(challenger))
            if each not in own and each not in theirs
        ],
        [
            f"what the {who} was trained on is not known, as {silent} is not there or "
            "does not say it: if it knows the audit set, it looks better than it is"
            for who, line in (("champion", champion), ("challenger", challenger))
            for silent in _silent(line)[:1]
        ],
    )


def _lineage(
    model: KnownModel, models: Mapping[str, KnownModel]
) -> Iterator[KnownModel]:
    """Yield a model, and those that it was trained from as far as they are known."""
    passed = set()
    following: KnownModel | None = model
    while following is not None and following.card.sha256 not in passed:
        yield following
        passed.add(following.card.sha256)
        following = models.get(following.card.parent)


def _all_of(line: Sequence[KnownModel]) -> Subjects:
    found = Subjects()
    for each in map(_read, line):
        found |= each.own | each.before
    return found


def _read(model: KnownModel) -> TrainedOn:
    found = None if model.path is None else read_trained_on(model.path)
    return found or TrainedOn(Subjects(), Subjects())


def _silent(line: Sequence[KnownModel]) -> list[str]:
    """The files that should say what was trained on, and do not."""
    return [
        each.path.with_suffix(".safetensors").name
        for each in line
        if each.path is not None
        # Without a network it was not trained but written again, with eight bits.
        and each.card.network
        and any(
            str(one.get("name")).startswith(_OF_WORKSPACES) for one in each.card.data
        )
        and read_trained_on(each.path) is None
    ]
