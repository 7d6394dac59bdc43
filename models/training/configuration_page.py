"""Write docs/training/configuration.md from the configurations' classes.

Run ``python -m icf.models.training.configuration_page docs/training/configuration.md``
after a change of a setting or a recipe; a test compares the page with them.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from icf.models.training.config import LoopSettings, TrainingConfig
from icf.models.training.detector.config import DetectorConfig
from icf.models.training.drawn.embedder_config import DrawnSettings
from icf.models.training.embedder.config import EmbedderConfig
from icf.stores.files import replace_file

_INTRODUCTION = """\
# The configuration of a training

Made by `python -m icf.models.training.configuration_page`; do not edit.

A file for `--config FILE` of `icf-train` names what it changes of the recipe, in TOML:

```toml
[loop]
epochs = 30

[loss]
name = "cosface"
options = { margin = 0.4 }
```

An unknown key is an error that names the nearest known one. Where a loss is named, the
options of the recipe's loss do not apply to it. The defaults below are those without a
recipe; a recipe changes some. How to use it all: [training](index.md).
"""


def page() -> str:
    """Return the text of docs/training/configuration.md."""
    parts = [_INTRODUCTION, "## Of every training", ""]
    parts += _table("loop", LoopSettings)
    for title, kind in (("embedder", EmbedderConfig), ("detector", DetectorConfig)):
        parts += [
            f"## Of an {title}" if title[0] in "aeiou" else f"## Of a {title}",
            "",
        ]
        for name, section in _sections(kind):
            if name != "loop":
                parts += _table(name, section)
        if kind is EmbedderConfig:
            parts += ["With `--recipe bundled` there is also:", ""]
            parts += _table("drawn", DrawnSettings)
    parts += ["## The recipes", ""]
    folder = resources.files("icf.models.training.recipes")
    for file in sorted(folder.iterdir(), key=lambda each: each.name):
        if file.name.endswith(".toml"):
            text = file.read_text(encoding="utf-8").rstrip()
            parts += [f"### {file.name.removesuffix('.toml')}", ""]
            parts += ["```toml", text, "```", ""]
    return "\n".join(parts)


def _sections(kind: type[TrainingConfig]) -> Iterator[tuple[str, type[BaseModel]]]:
    for name, field in kind.model_fields.items():
        inner = field.annotation
        if inspect.isclass(inner) and issubclass(inner, BaseModel):
            yield name, inner


def _table(section: str, kind: type[BaseModel]) -> list[str]:
    rows = [f"| `[{section}]` | default | meaning |", "| --- | --- | --- |"]
    for name, field in kind.model_fields.items():
        meaning = (field.description or "").replace("|", "\\|")
        rows.append(f"| `{name}` | {_shown(field)} | {meaning} |")
    return [*rows, ""]


def _shown(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "not given"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`[{', '.join(map(repr, value))}]`".replace("'", '"')
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def main() -> None:
    """Print the page, or write it to the file that is named."""
    if sys.argv[1:]:
        replace_file(Path(sys.argv[1]), [page().encode()])
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main()
