"""Steps of other packages: the entry point group ``icf.steps``.

The entry point's name is the step's name, and what it points at is a class under
`PluginStep`. It declares its place in the chain, what its reasons mean, and how it
is made from its own table of ``icf.toml``, ``[filter.steps.NAME]``.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast, get_args

from icf.engine.step import ItemT, Step, Subject
from icf.entry_points import entry_points
from icf.errors import WrongUse
from icf.settings import what_is_wrong

if TYPE_CHECKING:
    from icf.workspace import Workspace

GROUP = "icf.steps"

StepT = TypeVar("StepT", bound="PluginStep[Any]")


class PluginStep(Step[ItemT]):
    """Base of a step of another package."""

    #: The step it comes after, which judges the same subject.
    after: ClassVar[str]
    #: What each of its reasons means, for `icf why` and the tables of counts.
    reasons: ClassVar[Mapping[str, str]]

    @classmethod
    def make(cls, workspace: Workspace, table: Mapping[str, Any]) -> PluginStep[ItemT]:
        """Make the step with its settings; `from_table` checks them.

        A step that needs more of the workspace than its own settings overrides this.

        Args:
            workspace: the workspace it runs in.
            table: what ``icf.toml`` has under ``[filter.steps.NAME]``.

        Raises:
            WrongUse: a setting is not known or not possible.
        """
        return from_table(cls, table)


def from_table(cls: type[StepT], table: Mapping[str, Any], **given: object) -> StepT:
    """Make a step that is a dataclass, its settings checked against its fields.

    Args:
        cls: the class; its fields without those in ``given`` are its settings.
        table: settings by name.
        given: further arguments, from the program.

    Raises:
        WrongUse: a key is not a field, or a value is not of the field's type.
    """
    import pydantic

    fields = dataclasses.fields(cast(Any, cls))
    known = [field.name for field in fields if field.name not in given]
    where = f"filter.steps.{cls.name}"
    for key in table:
        if key not in known:
            raise WrongUse(f"unknown setting {where}.{key}{_nearest(key, known)}")
    try:
        return pydantic.TypeAdapter(cls).validate_python({**table, **given})
    except pydantic.ValidationError as error:
        lines = [
            f"{where}.{'.'.join(map(str, each['loc']))}: {what_is_wrong(each)}"
            for each in error.errors()
        ]
        raise WrongUse("\n".join(lines)) from error


def installed() -> list[EntryPoint]:
    """The entry points of steps, by name; none is loaded.

    Raises:
        WrongUse: two packages have steps of the same name.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(GROUP), key=lambda each: each.name):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise WrongUse(
                f"{other.value} and {point.value} both have a step {point.name!r}; "
                "uninstall one of their packages"
            )
    return list(found.values())


def names() -> set[str]:
    """The names of steps that are installed, whether they can be loaded or not."""
    return {point.name for point in entry_points(GROUP)}


def made(workspace: Workspace) -> list[PluginStep[Any]]:
    """Make every step that is installed.

    Raises:
        WrongUse: one cannot be loaded, is no step, or has wrong settings.
    """
    tables = workspace.settings.filter.steps
    classes = [loaded(point) for point in installed()]
    known = [cls.name for cls in classes]
    for name in tables:
        if name not in known:
            raise WrongUse(
                f"[filter.steps.{name}]: no such step is installed"
                f"{_nearest(name, known)}; install its package, or remove the table"
            )
    return [cls.make(workspace, tables.get(cls.name, {})) for cls in classes]


def loaded(point: EntryPoint) -> type[PluginStep[Any]]:
    """Import the class that an entry point names.

    Raises:
        WrongUse: it cannot be imported, or is no step.
    """
    what = f"the step {point.name!r} ({point.value})"
    try:
        cls = point.load()
    except Exception as error:  # a module may raise whatever it likes
        raise WrongUse(
            f"{what} cannot be loaded: {type(error).__name__}: {error}; repair its "
            "package, or uninstall it"
        ) from error
    if not (isinstance(cls, type) and issubclass(cls, PluginStep)):
        raise WrongUse(f"{what} is not a subclass of icf.engine.plugins.PluginStep")
    for attribute in ("name", "subject", "after", "reasons"):
        if not hasattr(cls, attribute):
            raise WrongUse(f"{what} does not define {attribute!r}")
    if cls.name != point.name:
        raise WrongUse(f"{what} has the name {cls.name!r}; the two must be equal")
    if cls.subject not in get_args(Subject):
        raise WrongUse(
            f"{what} judges {cls.subject!r}, which is neither image nor face"
        )
    return cls


def meanings(subject: Subject) -> dict[str, str]:
    """The meanings of the reasons of installed steps that can be loaded."""
    return {
        reason: meaning
        for cls in loadable()
        if cls.subject == subject
        for reason, meaning in cls.reasons.items()
    }


def loadable() -> Iterator[type[PluginStep[Any]]]:
    """Yield the classes of installed steps that can be loaded."""
    try:
        points = installed()
    except WrongUse:
        return
    for point in points:
        try:
            yield loaded(point)
        except WrongUse:
            continue


def placed(
    own: Sequence[Step[Any]], others: Sequence[PluginStep[Any]]
) -> tuple[Step[Any], ...]:
    """Insert plug-in steps at the places that they declare.

    Of several that come after the same step, the first by name comes first.

    Raises:
        WrongUse: a name is taken, or a step would come after one that is not there or
            that judges something else.
    """
    chain = list(own)
    taken = {step.name for step in own}
    for other in others:
        if other.name in taken:
            raise WrongUse(
                f"a plug-in step is called {other.name!r}, like one of icf's own; "
                "its package must give it another name"
            )
    waiting = sorted(others, key=lambda each: each.name, reverse=True)
    while waiting:
        known = [step.name for step in chain]
        ready = [each for each in waiting if each.after in known]
        if not ready:
            first = waiting[-1]
            raise WrongUse(
                f"the step {first.name!r} comes after {first.after!r}, which is not "
                f"in the chain{_nearest(first.after, known)}"
            )
        for each in ready:
            place = known.index(each.after)
            before = chain[place]
            if before.subject != each.subject:
                raise WrongUse(
                    f"the step {each.name!r} judges {each.subject}s and comes after "
                    f"{before.name!r}, which judges {before.subject}s"
                )
            chain.insert(place + 1, each)
            known.insert(place + 1, each.name)
            waiting.remove(each)
    return tuple(chain)


def _nearest(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, cutoff=0)
    return f"; the nearest is {near[0]!r}" if near else ""
