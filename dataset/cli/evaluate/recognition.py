"""What the commands that score a recogniser share: options, and what they read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from icf.command import GivenPath, Invocation, refuse_options
from icf.dataset.cli.revoked import say_if_revoked
from icf.errors import BadInput, WrongUse

if TYPE_CHECKING:
    from icf.dataset.scores.plots import Plot
    from icf.dataset.scores.recognition.bootstrap import Bounds
    from icf.dataset.scores.recognition.group_shares import GroupShare
    from icf.dataset.scores.recognition.groups import Grouping
    from icf.dataset.scores.recognition.test_set import TestSet
    from icf.dataset.scores.recognition.unit_vectors import Features
    from icf.icartoonface.recognition import RecognitionTest

F = TypeVar("F", bound=Callable[..., Any])

_FILE = GivenPath(dir_okay=False)
_FOLDER = GivenPath(file_okay=False, exists=True)

_OPTIONS = (
    click.option(
        "--info",
        metavar="INFO.txt",
        type=_FILE,
        help="The test's labels, with or without the pairs.",
    ),
    click.option(
        "--release",
        metavar="DIR",
        type=_FOLDER,
        help="A release: its test's labels, and the groups that its files tell.",
    ),
    click.option(
        "--features",
        metavar="FILE",
        type=_FILE,
        help="A row per picture of the list, in its order: raw float64 or float32, "
        ".npy, or Parquet, which may name the pictures.",
    ),
    click.option(
        "--dim",
        metavar="D",
        type=click.IntRange(1),
        help="Numbers in a row of the features; of a raw file it also says whether "
        "they are float64 or float32.",
    ),
    click.option(
        "--model",
        metavar="NAME",
        help="Run this embedder on the test's pictures: bundled, a file, or a name or "
        "hash of the workspace's models.",
    ),
    click.option(
        "--pictures",
        metavar="DIR",
        type=_FOLDER,
        help="The test's pictures, for --model  [default: where a release has them].",
    ),
    click.option(
        "--templates",
        metavar="K",
        type=click.IntRange(1),
        help="Score templates, each the mean of K pictures of one identity.",
    ),
    click.option(
        "--seed",
        type=click.IntRange(0),
        default=0,
        show_default=True,
        help="Seed of what is drawn: intervals, templates, galleries.",
    ),
    click.option(
        "--plots",
        metavar="DIR",
        type=GivenPath(file_okay=False),
        help="Write the curves there, each as SVG and CSV.",
    ),
)


@dataclass(frozen=True)
class Asked:
    """The options that all commands share.

    Attributes:
        info, release: The test.
        features, dim, model, pictures: What is scored.
        templates: Pictures in a template; None: single pictures are scored.
        seed: Of what is drawn.
        plots: Folder for curves; None: none are drawn.
    """

    info: Path | None
    release: Path | None
    features: Path | None
    dim: int | None
    model: str | None
    pictures: Path | None
    templates: int | None
    seed: int
    plots: Path | None


@dataclass(frozen=True, eq=False)
class Loaded:
    """A test and the features to score.

    Attributes:
        test: As it is on the disk.
        info: Its pictures, or templates of them.
        groups: Of these.
        features: Of these.
        about: What was read, for JSON: ``dim``, ``dtype``, ``model``, ``templates``,
            ``not_a_fair_test``.
    """

    test: TestSet
    info: RecognitionTest
    groups: Mapping[str, Grouping]
    features: Features
    about: Mapping[str, Any]


def recognition_options(command: F) -> F:
    """Give a command the options of `Asked`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def load(
    invocation: Invocation, asked: Asked, against_model: str | None = None
) -> Loaded:
    """Read the test and its features, or compute them.

    Args:
        invocation: The command.
        asked: Its options.
        against_model: Another model that it runs; None: none.

    Raises:
        WrongUse: Not one of --features and --model, or no test is named.
        BadInput: A file is missing, or is not what it should be.
    """
    from icf.dataset.scores.recognition.test_set import open_test

    if asked.info is None and asked.release is None:
        raise WrongUse("name the test: --info INFO.txt, or --release DIR")
    if (asked.features is None) == (asked.model is None):
        raise WrongUse("name what is scored, either --features FILE or --model NAME")
    if asked.model is None and against_model is None:
        refuse_options("it is for --model", "pictures")
    say_if_revoked(invocation, asked.info or asked.release)
    return load_for(invocation, asked, open_test(asked.info, asked.release))


def load_for(invocation: Invocation, asked: Asked, test: TestSet) -> Loaded:
    """Read the features of a test that is read already, or compute them.

    Raises:
        WrongUse: --dim is not that of the model.
        BadInput: A file is missing, or is not what it should be.
    """
    from icf.dataset.scores.recognition.templates import make_templates

    features, about = _features(invocation, asked, test)
    info, groups = test.info, test.groups
    if asked.templates:
        made = make_templates(info, features, asked.templates, asked.seed)
        info, groups, features = made.info, made.groups(groups), made.features
        about["templates"] = {
            "pictures": asked.templates,
            "templates": len(made.members) - int((info.labels < 0).sum()),
            "pictures_left_out": made.left_out,
        }
    return Loaded(test, info, groups, features, about)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file that has too little to be scored, and no wrong line.

    Raises:
        BadInput: As what is scored says it.
    """
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{path}: {error}") from error


def _features(
    invocation: Invocation, asked: Asked, test: TestSet
) -> tuple[Features, dict[str, Any]]:
    """Read or compute the features, say what is odd; also return it for JSON."""
    if asked.features is not None:
        from icf.dataset.scores.recognition.feature_files import read_feature_file

        features = read_feature_file(asked.features, test.info.files, asked.dim)
        unfair = test.unfair(features=asked.features)
    else:
        features, sha256 = _run(invocation, asked, test)
        unfair = test.unfair(model=sha256)
    about = {
        "dim": features.shape[1],
        "dtype": str(features.dtype),
        "model": asked.model,
        "not_a_fair_test": unfair,
    }
    if _is_guessed(asked, about):
        invocation.say(f"{asked.features} holds float32, by its numbers")
    if unfair:
        invocation.say(f"{asked.features or asked.model}: this scores {unfair}")
    return features, about


def _run(invocation: Invocation, asked: Asked, test: TestSet) -> tuple[Features, str]:
    """Run a model on the test's pictures; also return its hash."""
    from icf.dataset.scores.recognition.embedded import embed_test
    from icf.models.cards import BUNDLED_WORD, bundled_path
    from icf.models.embedding import Embedder

    name = str(asked.model)
    if name == BUNDLED_WORD:
        path = bundled_path("embedder")
    elif Path(name).is_file():
        path = Path(name)
    else:
        from icf.models.registry.resolve import find_there

        path = find_there(invocation.workspace, name, "embedder")
    embedder = Embedder.open(path)
    if asked.dim not in (None, embedder.dim):
        raise WrongUse(f"--dim {asked.dim}: {name} gives {embedder.dim} numbers")
    folder = asked.pictures or test.pictures
    with invocation.progress("embedding", len(test.info.files)) as advance:
        features = embed_test(embedder, test.info, folder, advance)
    return features, embedder.model_hash


def _is_guessed(asked: Asked, about: Mapping[str, Any]) -> bool:
    """Whether only the numbers of a raw file say that it is float32."""
    from icf.icartoonface.features import is_raw

    if asked.features is None or asked.dim is not None:
        return False
    return bool(about["dtype"] == "float32") and is_raw(asked.features)


def write_and_say(invocation: Invocation, folder: Path, stem: str, plot: Plot) -> None:
    """Write the curves that --plots asks for, and say where they are."""
    from icf.dataset.scores.plots import write_plot

    files = write_plot(folder, stem, plot)
    invocation.say(f"wrote {', '.join(map(str, files))}")


def shares_json(
    groups: Mapping[str, Mapping[str, GroupShare]], share: str, count: str
) -> dict[str, dict[str, dict[str, Any]]]:
    """What is right in each group, for JSON.

    Args:
        groups: By what they are grouped by, then by name.
        share: What the share is called.
        count: And what is counted.
    """
    return {
        kind: {
            name: {
                share: each.share,
                "interval": pair_of(each.bounds),
                count: each.count,
            }
            for name, each in named.items()
        }
        for kind, named in groups.items()
    }


def pair_of(bounds: Bounds) -> list[float] | None:
    """An interval for JSON; None: there is none."""
    if bounds.low is None or bounds.high is None:
        return None
    return [bounds.low, bounds.high]


def interval(bounds: Bounds, scale: float = 1.0) -> str:
    """An interval for people, in percent; "" where there is none."""
    if bounds.low is None or bounds.high is None:
        return ""
    return f"{scale * bounds.low:.2f} to {scale * bounds.high:.2f}%"
