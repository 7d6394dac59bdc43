"""From what people call a model to its file.

The settings ``filter.detector`` and ``filter.embedder`` and the commands of `icf model`
understand the same words, in this order: ``bundled``; an alias; the path of
weights or of their card; one of `icf.models.registry.packaged`; a name; a hash or the
beginning of one.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path

from icf.errors import BadModel, WrongUse
from icf.models.cards import (
    BUNDLED_WORD,
    absent,
    bundled_path,
    load_card,
    weights_path,
)
from icf.models.registry import aliases, packaged
from icf.models.registry.aliases import ALIASES, Alias
from icf.models.registry.known import KnownModel, known_models
from icf.models.registry.tasks import ON_CARDS, TASKS, Task
from icf.workspace import Workspace

#: Fewer letters of a hash are taken for a name.
_LEAST_PREFIX = 4
_HASH = re.compile(rf"[0-9a-f]{{{_LEAST_PREFIX},64}}")


def model_path(workspace: Workspace, task: Task) -> Path:
    """Where the weights are, or their card, that the settings name for a task.

    With the default, ``champion``: the model that was promoted last, or the bundled one
    before the first promotion. The path may not exist: `icf.models.cards.weights_path`
    says so.

    Raises:
        WrongUse: the setting names no known model.
        BadModel: the file of the model is not there any more.
    """
    return find(workspace, getattr(workspace.settings.filter, task), task)


def find_there(workspace: Workspace, text: str, task: Task) -> Path:
    """Do as `find` for an option or argument, whose path must lead to a file.

    Raises:
        WrongUse: as `find`, or there is no such file.
        BadModel: its file is not there any more.
    """
    path = find(workspace, text, task)
    if no_model := absent(path):
        raise WrongUse(no_model)
    return path


def find(workspace: Workspace, text: str, task: Task) -> Path:
    """Where the weights of a model are, or its card.

    Args:
        workspace: that knows it; a relative path starts from its folder.
        text: ``bundled``, an alias, a path, a name (also one of
            `icf.models.registry.packaged`), or a hash or its beginning.
        task: what the model must be for.

    Raises:
        WrongUse: nothing or several are called that, or it is for something else.
        BadModel: its file is not there any more.
    """
    if text == BUNDLED_WORD:
        return bundled_path(task)
    if text in ALIASES:
        return _path_of_alias(workspace, text, task)
    path = workspace.root / Path(text).expanduser()
    if _is_file(path, text):
        return path
    if text in packaged.NAMES:
        return packaged.packaged(workspace, text, task)
    found = _named(known_models(workspace), text, task)
    if found.path is None:
        raise BadModel(
            f"the {task} {text!r} ran here once, from a file outside of the workspace "
            "that is not recorded: name that file by its path"
        )
    return found.path


def find_any(
    workspace: Workspace, text: str, task: Task | None = None
) -> tuple[Task, Path]:
    """Find a model whose task may not have been said.

    Args:
        workspace: that knows it.
        text: as for `find`.
        task: what it is for; None: as the model says.

    Returns:
        Its task, and its weights or card.

    Raises:
        WrongUse: nothing or several are called that, or one of each task is.
        BadModel: its file is not there, or it is for neither task.
    """
    if task is not None:
        return task, find_there(workspace, text, task)
    if text == BUNDLED_WORD or text in ALIASES:
        raise WrongUse(f"{text!r} is a detector and an embedder: say which with --task")
    path = workspace.root / Path(text).expanduser()
    if _is_file(path, text):
        if no_model := absent(path):
            raise WrongUse(no_model)
        card = load_card(weights_path(path).with_suffix(".json"))
        for each in TASKS:
            if card.task == ON_CARDS[each]:
                return each, path
        raise BadModel(f"{path} is for {card.task!r}, and neither of {TASKS}")
    if text in packaged.NAMES:
        return "detector", find(workspace, text, "detector")
    models = known_models(workspace)
    called = {each.task for each in _called(models, text)}
    fitting = [each for each in TASKS if each in called]
    if len(fitting) == 1:
        return fitting[0], find(workspace, text, fitting[0])
    if fitting:
        raise WrongUse(
            f"{text!r} is the name of a detector and of an embedder: say which with "
            "--task, or give its hash"
        )
    if called:
        raise WrongUse(
            f"{text!r} is the judge of photographs: it comes with the program, and no "
            "other takes its place"
        )
    raise WrongUse(_unknown(models, text, None))


def _path_of_alias(workspace: Workspace, alias: Alias, task: Task) -> Path:
    with workspace.catalogue.read() as connection:
        now = aliases.current(connection, task)
    if alias not in now:
        raise WrongUse(
            f"there is no {alias} {task} yet; `icf model list` shows the models"
        )
    sha256 = now[alias]
    if sha256 is None:
        return bundled_path(task)
    for each in known_models(workspace):
        if each.card.sha256 == sha256 and each.path and each.path.is_file():
            return each.path
    raise BadModel(
        f"the file of the {alias} {task}, {sha256[:12]}, is no longer in "
        f"{workspace.root / 'models'}: put it back, or go on with another: "
        f"`icf model rollback {task}`, or --set filter.{task}={BUNDLED_WORD}"
    )


def _is_file(path: Path, text: str) -> bool:
    """Whether a text means a file, which need not exist if it looks like one."""
    looks = os.sep in text or text.startswith("~") or text.endswith((".onnx", ".json"))
    return looks or path.is_file() or path.with_name(f"{path.name}.json").is_file()


def _named(models: Sequence[KnownModel], text: str, task: Task) -> KnownModel:
    """Return the one model that is called ``text``.

    Raises:
        WrongUse: none or several are, or it is for another task.
    """
    found = _called(models, text)
    own = [each for each in found if each.task == task]
    if len(own) == 1:
        return own[0]
    if own:
        shown = ", ".join(each.card.sha256[:12] for each in own)
        raise WrongUse(
            f"{len(own)} models are called {text!r}: name one by its hash: {shown}"
        )
    if found:
        raise WrongUse(f"{text!r} is a model for {found[0].task}; this needs a {task}")
    raise WrongUse(_unknown(models, text, task))


def _called(models: Sequence[KnownModel], text: str) -> list[KnownModel]:
    """The models with a name, or else those whose hash begins with it."""
    found = [each for each in models if text in each.names]
    if not found and _HASH.fullmatch(text):
        found = [each for each in models if each.card.sha256.startswith(text)]
    return found


def _unknown(models: Sequence[KnownModel], text: str, task: Task | None) -> str:
    fitting = [each for each in models if task in (None, each.task)]
    names = [name for each in fitting for name in each.names]
    [near] = difflib.get_close_matches(
        text, [*names, *ALIASES, *packaged.NAMES, BUNDLED_WORD], 1, cutoff=0
    )
    return (
        f"there is no {task or 'model'} {text!r}; the nearest known one is {near!r}; "
        "`icf model list` shows all. A path names a file: models/NAME.onnx"
    )
