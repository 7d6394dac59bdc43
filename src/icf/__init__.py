"""Build cartoon-face data sets with people's yes and no.

``import icf`` is cheap: each public name is imported when it is first used.
docs/library.md builds a data set with them.

>>> import tempfile, icf
>>> with tempfile.TemporaryDirectory() as folder:
...     space = icf.init(folder)
...     icf.export_questions(space, f"{folder}/batches/first").batch
...     space.catalogue.close()
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING

from icf.version import __version__ as __version__

if TYPE_CHECKING:
    from icf.app.library import (
        build_release,
        evaluate,
        export_questions,
        find,
        import_answers,
        init,
        rethreshold,
        run_filter,
        run_harvest,
    )
    from icf.errors import IcfError
    from icf.workspace import Workspace

__all__ = [
    "IcfError",
    "Workspace",
    "build_release",
    "evaluate",
    "export_questions",
    "find",
    "import_answers",
    "init",
    "rethreshold",
    "run_filter",
    "run_harvest",
]

#: What keeps libraries from telling their makers what they are used for; they read it
#: when they are imported.
_SILENCED = {
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

for _variable, _value in _SILENCED.items():
    os.environ.setdefault(_variable, _value)

_ELSEWHERE = {"IcfError": "icf.errors", "Workspace": "icf.workspace"}


def __getattr__(name: str) -> object:
    """Import a public name when it is first used (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_ELSEWHERE.get(name, "icf.app.library"))
    return getattr(module, name)


def __dir__() -> list[str]:
    """The public names, imported or not."""
    return sorted({*globals(), *__all__})
