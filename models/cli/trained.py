"""Train as a command line asks; imported late: PyTorch takes seconds to import."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch

from icf.catalogue.annotation.waiting import count_waiting
from icf.catalogue.rows import count_rows
from icf.catalogue.schema import tombstone
from icf.command import Invocation
from icf.errors import WrongUse
from icf.models.cards import BUNDLED_WORD, bundled_path
from icf.models.cli.art import cached
from icf.models.cli.asked import Asked, workspace_of
from icf.models.cli.model.listed import as_typed
from icf.models.cli.watching import watching
from icf.models.data.index import DataIndex, Source, build_index
from icf.models.data.spec import WORKSPACE, DataSpec, open_reader, parse
from icf.models.networks import NETWORKS, TIMM
from icf.models.networks.timm_body import unknown_architecture
from icf.models.registry.resolve import find_there
from icf.models.registry.tasks import Task
from icf.models.training.config import TrainingConfig, read_config
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.detector.mix import decided
from icf.models.training.embedder.config import EmbedderConfig
from icf.models.training.losses import FOCAL, LOSSES
from icf.models.training.task import TASKS
from icf.models.training.train import Trained, train
from icf.stores.files import replace_file
from icf.workspace import Workspace


def train_as_asked(invocation: Invocation, task: Task, asked: Asked) -> Trained:
    """Train the model that a command line asks for.

    Raises:
        IcfError: as `train`, and where a SPEC or a model does not exist.
    """
    if asked.threads is not None:
        torch.set_num_threads(asked.threads)
    workspace = workspace_of(invocation)
    start, config, specs = read_asked(task, asked, workspace)
    if asked.recipe == "bundled":
        return _train_bundled(invocation, task, asked, config, start)
    sources = _opened(specs, workspace, invocation.say)
    cache = workspace.root / "cache" if workspace else None
    with (
        _telling_withdrawn(specs, workspace, invocation.say),
        watching(invocation) as watcher,
    ):
        if asked.mix == "auto":
            sources, config = decided(
                sources,
                cast(DetectorConfig, config),
                asked.out,
                start=start,
                cache=cache,
                device=asked.device,
                watcher=watcher,
                say=invocation.say,
            )
        return train(
            task,
            sources,
            config,
            asked.out,
            start=start,
            cache=cache,
            recipe=asked.command(task),
            device=asked.device,
            watcher=watcher,
            say=invocation.say,
        )


@contextmanager
def _telling_withdrawn(
    specs: list[DataSpec], workspace: Workspace | None, say: Callable[[str], object]
) -> Iterator[None]:
    """Say at the end whether something was withdrawn from what is trained on."""
    if workspace is None or not _is_read(specs):
        yield
        return
    with workspace.catalogue.read() as connection:
        before = count_rows(connection, tombstone)
    yield
    with workspace.catalogue.read() as connection:
        now = count_rows(connection, tombstone)
    if now != before:
        say(
            "pictures were withdrawn from the workspace while this was trained, and it "
            "may have learnt from them: train again"
        )


def _is_read(specs: list[DataSpec]) -> bool:
    """Whether the workspace is among the data."""
    return any(spec.kind == WORKSPACE for spec in specs)


def read_data(
    task: Task,
    specs: list[DataSpec],
    workspace: Workspace | None,
    say: Callable[[str], object],
) -> DataIndex:
    """Read what would be trained on; ``say`` receives a line about what is not.

    Raises:
        IcfError: as `train_as_asked`, before its first step.
    """
    index = build_index(_opened(specs, workspace, say))
    if task == "detector":
        index.check_boxes()
    else:
        index.check_identities()
    return index


def _opened(
    specs: list[DataSpec], workspace: Workspace | None, say: Callable[[str], object]
) -> list[Source]:
    if workspace is not None and _is_read(specs):
        with workspace.catalogue.read() as connection:
            waiting = count_waiting(connection)
        if waiting:
            say(
                f"answers of the annotation page that did not become labels yet, and "
                f"are not trained on: {waiting:,}. `icf-annotate status` lets them "
                "follow"
            )
    return [Source(open_reader(spec, workspace), spec.share) for spec in specs]


def read_asked(
    task: Task, asked: Asked, workspace: Workspace | None
) -> tuple[Path | None, TrainingConfig, list[DataSpec]]:
    """Read what a command line names: the model to start from, configuration, data.

    Data are not opened.

    Raises:
        IcfError: one of them does not exist, or is wrong.
    """
    start = None
    if asked.start is not None:
        start = _model(asked.start, task, workspace)
    kind = f"drawn-{task}" if asked.recipe == "bundled" else task
    config = read_config(
        TASKS.load(kind).config_class,
        task,
        recipe=asked.recipe,
        file=asked.file,
        changes=asked.changes(),
        from_model=start is not None,
    )
    _check_names(config)
    return start, config, [parse(text) for text in asked.data]


def _check_names(config: TrainingConfig) -> None:
    assert isinstance(config, DetectorConfig | EmbedderConfig)
    name = config.network.name
    if name.startswith(TIMM):
        if unknown := unknown_architecture(name.removeprefix(TIMM)):
            raise WrongUse(unknown)
    elif name:
        NETWORKS.check(name)
    if isinstance(config, EmbedderConfig):
        LOSSES.check(config.loss.name.removeprefix(FOCAL))


def _train_bundled(
    invocation: Invocation,
    task: Task,
    asked: Asked,
    config: TrainingConfig,
    first: Path | None,
) -> Trained:
    """Make a bundled model again; its run is in the cache of the drawn pictures."""
    # Imported here: only a clone of the repository has what draws them.
    from icf.models.training.drawn.art import drawn_art
    from icf.models.training.drawn.turns import in_turns

    source = Source(drawn_art(invocation.say))
    with watching(invocation) as watcher:

        def one(now: TrainingConfig, folder: Path, start: Path | None) -> Trained:
            return train(
                f"drawn-{task}",
                [source],
                now,
                folder,
                start=start,
                recipe=asked.command(task),
                device=asked.device,
                watcher=watcher,
                say=invocation.say,
            )

        if isinstance(config, DetectorConfig):
            made = in_turns(config, cached(task), one, first, invocation.say)
        else:
            made = one(config, cached(task), first)
    asked.out.mkdir(parents=True, exist_ok=True)
    for file in (made.path, made.path.with_suffix(".json")):
        replace_file(asked.out / file.name, [file.read_bytes()])
    return dataclasses.replace(made, path=asked.out / made.path.name)


def _model(text: str, task: Task, workspace: Workspace | None) -> Path:
    """Return where a model is that a user names."""
    if text == BUNDLED_WORD:
        return bundled_path(task)
    if workspace is not None:
        return find_there(workspace, as_typed(text), task)
    path = Path(text).expanduser()
    if not path.exists():
        raise WrongUse(
            f"--from {text}: there is no such file, and no workspace here that could "
            "know a model of that name"
        )
    return path
