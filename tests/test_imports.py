"""Who may import whom, between the stages (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.test_layout import imports

pytestmark = pytest.mark.xdist_group("layout")

STAGES = ("annotate", "dataset", "filter", "harvest")


def under(*names: str) -> Iterator[str]:
    """The modules of some parts of the program."""
    for module in imports():
        if module.split(".")[1:2] and module.split(".")[1] in names:
            yield module


def assert_no_import(module: str, *forbidden: str) -> None:
    named = {each.split(".")[1] for each in imports()[module] if "." in each}
    broken = named & set(forbidden)
    assert not broken, f"{module} must not import icf.{broken}"


def test_the_core_imports_no_stage() -> None:
    core = set(imports()) - set(under(*STAGES, "models", "tools", "app"))
    core.remove("icf")  # its public names lead to icf.app.library; nothing imports it
    for module in core:
        assert_no_import(module, *STAGES, "models", "tools", "app")


def test_models_import_the_core_and_the_training_art() -> None:
    for module in under("models"):
        assert_no_import(module, *STAGES, "app")


@pytest.mark.parametrize("stage", STAGES)
def test_stages_do_not_import_one_another(stage: str) -> None:
    others = [each for each in STAGES if each != stage]
    for module in under(stage):
        assert_no_import(module, *others, "app", "tools")


def test_only_training_needs_the_tools() -> None:
    """What a wheel holds works without tools/: training imports them, and says so."""
    for module in under("models"):
        if module.startswith(("icf.models.training.", "icf.models.cli")):
            continue
        assert_no_import(module, "tools")


def test_the_training_art_stands_alone() -> None:
    for module in under("tools"):
        if module.startswith("icf.tools.training_art"):
            assert_no_import(module, *STAGES, "models", "app")


def test_no_module_imports_the_public_surface() -> None:
    """`icf` itself is for others: it stands above all that it leads to."""
    assert [module for module in imports() if "icf" in imports()[module]] == []
