"""Who may import whom (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STAGES = ("annotate", "dataset", "filter", "harvest")
CORE = ROOT / "src" / "icf"


def files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def core_files() -> list[Path]:
    return [
        path
        for path in files(CORE)
        if path.relative_to(CORE).parts[0] not in (*STAGES, "models", "app")
    ]


def houses(path: Path) -> Iterator[str]:
    """The part of icf that each import of a file names, as "filter" or "blobs"."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import in line {node.lineno}"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "icf" and len(parts) > 1:
                yield parts[1]


def assert_no_import(path: Path, *forbidden: str) -> None:
    broken = set(houses(path)) & set(forbidden)
    assert not broken, f"{path.relative_to(ROOT)} must not import icf.{broken}"


@pytest.mark.parametrize("path", core_files(), ids=lambda p: str(p.relative_to(CORE)))
def test_the_core_imports_no_stage(path: Path) -> None:
    assert_no_import(path, *STAGES, "models", "app")


@pytest.mark.parametrize("path", files(ROOT / "models"), ids=lambda p: p.name)
def test_models_import_the_core_only(path: Path) -> None:
    assert_no_import(path, *STAGES, "app")


@pytest.mark.parametrize("stage", STAGES)
def test_stages_do_not_import_one_another(stage: str) -> None:
    others = [each for each in STAGES if each != stage]
    for path in files(ROOT / stage):
        assert_no_import(path, *others, "app")
