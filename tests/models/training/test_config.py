from __future__ import annotations

from pathlib import Path

import pytest

from icf.errors import WrongUse
from icf.models.training.config import (
    RECIPES,
    digest_of,
    read_config,
)
from icf.models.training.configuration_page import page
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.embedder.config import EmbedderConfig

PAGE = Path(__file__).parents[3] / "docs" / "training" / "configuration.md"


def read(
    file: Path | None = None, recipe: str = "default", **changes: object
) -> EmbedderConfig:
    given = {key.replace("__", "."): value for key, value in changes.items()}
    return read_config(
        EmbedderConfig, "embedder", recipe=recipe, file=file, changes=given
    )


def test_the_page_is_what_the_settings_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "run python -m icf.models.training.configuration_page "
        "docs/training/configuration.md"
    )


def test_the_paper_s_recipe_has_what_the_paper_states() -> None:
    paper = read(recipe="paper")
    assert paper.network.name == "densenet169"
    assert paper.crops.rate == 1.0
    assert paper.loss.name == "focal-arcface"
    assert paper.loop.schedule == "steps"


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_of_a_detector_can_be_read(recipe: str) -> None:
    assert read_config(DetectorConfig, "detector", recipe=recipe)


def test_a_file_lies_over_the_recipe_and_the_command_line_over_both(
    tmp_path: Path,
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[loop]\nsteps = 7\nseed = 3\n")
    found = read(file, loop__seed=4, network__name=None)
    assert (found.loop.steps, found.loop.seed) == (7, 4)
    assert found.network.name == "embedder-mobilenetv2"


def test_a_file_may_begin_with_a_mark_as_editors_write_it(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("\ufeff[loop]\nsteps = 5\n", encoding="utf-8")
    assert read(tmp_path / "mine.toml").loop.steps == 5


def test_another_loss_does_not_get_the_options_of_the_recipe_s() -> None:
    assert read().loss.options
    assert read(loss__name="softmax").loss.options == {}
    assert read(loss__name="arcface").loss.options == read().loss.options


def test_a_start_model_asks_for_its_own_numbers() -> None:
    further = read_config(EmbedderConfig, "embedder", from_model=True)
    assert further.network.frozen_norms
    assert not read().network.frozen_norms


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[lop]\nsteps = 1", "unknown setting 'lop' in .*; the nearest .* 'loop'"),
        ("[loop]\nstep = 1", "unknown setting 'loop.step' in .* 'loop.steps'"),
        ("[loop]\nrate = -1", r"loop\.rate = -1 \(.*mine\.toml\): .* greater than 0"),
        ("[loop]\nschedule = 'cos'", "loop.schedule = 'cos'"),
        (f"[loop]\nseed = {2**63}", r"loop\.seed = 9223372036854775808 .* less than"),
        ("[held_out]\nseed = -1", r"held_out\.seed = -1 .* greater than or equal to 0"),
        ("[loop]\nrate = inf", r"loop\.rate = inf .* finite number"),
        ("[loop]\nsteps = true", r"loop\.steps = True .* a number"),
        ("[loop]\nepochs = '3'", r"loop\.epochs = '3' .* a number"),
        ("[loop]\nchannels_last = 1", r"loop\.channels_last = 1 .* true or false"),
        ("[loop]\nmilestones = [true]", r"loop\.milestones.* a number"),
        (f"[loop]\nbatch = {2**63}", r"loop\.batch = .* less than 2\*\*63"),
        ("[loop]\nworkers = 100000", r"loop\.workers = .* less than or equal to 1024"),
        ("loop = ", "cannot read the configuration"),
    ],
)
def test_what_is_wrong_in_a_file_is_said(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(WrongUse, match=message):
        read(file)


def test_an_unknown_recipe_names_those_there_are() -> None:
    with pytest.raises(WrongUse, match="no recipe 'full'; known are default, paper"):
        read(recipe="full")


def test_equal_configurations_have_equal_digests() -> None:
    assert digest_of(read()) == digest_of(read())
    assert digest_of(read()) != digest_of(read(loop__seed=1))
