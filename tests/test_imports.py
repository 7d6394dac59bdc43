"""Who may import whom, between the stages (docs/architecture.md)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

from tests.test_layout import imports

pytestmark = pytest.mark.xdist_group("layout")

STAGES = ("annotate", "dataset", "filter", "harvest")


def under(*names: str) -> Iterator[str]:
    """The modules of some parts of the program."""
    for module in imports():
        if module.split(".")[1:2] and module.split(".")[1] in names:
            yield module


def importing(modules: Iterable[str], *forbidden: str) -> list[str]:
    """Those of some modules that import from a part that they must not know."""
    some = sorted(modules)
    assert some, "no such module: was a folder renamed?"
    return [
        f"{module} -> {each}"
        for module in some
        for each in sorted(imports()[module])
        if "." in each and each.split(".")[1] in forbidden
    ]


def test_the_core_imports_no_stage() -> None:
    core = set(imports()) - set(under(*STAGES, "models", "tools", "app"))
    core.remove("icf")  # its public names lead to icf.app.library; nothing imports it
    assert importing(core, *STAGES, "models", "tools", "app") == []


def test_models_import_the_core_and_the_training_art() -> None:
    assert importing(under("models"), *STAGES, "app") == []


@pytest.mark.parametrize("stage", STAGES)
def test_stages_do_not_import_one_another(stage: str) -> None:
    others = [each for each in STAGES if each != stage]
    assert importing(under(stage), *others, "app", "tools") == []


def test_only_training_needs_the_tools() -> None:
    """What a wheel holds works without tools/: training imports them, and says so."""
    training = "icf.models.training.", "icf.models.cli"
    others = (each for each in under("models") if not each.startswith(training))
    assert importing(others, "tools") == []


def test_the_training_art_stands_alone() -> None:
    art = (each for each in under("tools") if each.startswith("icf.tools.training_art"))
    assert importing(art, *STAGES, "models", "app") == []


def test_no_module_imports_the_public_surface() -> None:
    """`icf` itself is for others: it stands above all that it leads to."""
    assert [module for module in imports() if "icf" in imports()[module]] == []
