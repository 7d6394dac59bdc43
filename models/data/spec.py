"""``--data SPEC``: which training data, and how much of it.

::

    workspace                 what people confirmed in this workspace
    release:DIR               a folder of `icf-build-splits`
    icartoonface:DIR          the published files
    folders:DIR               one folder an identity
    folders+human:DIR         the same, and its faces are photographed
    rec:DIR                   insightface's train.rec, train.idx and property
    widerface:DIR             WIDER FACE
    manga109:DIR              Manga109
    coco:FILE                 COCO's JSON
    yolo:DIR                  images/, labels/ and data.yaml
    csv:FILE                  picture, box, character in columns
    folders:DIR=0.25          a quarter of what is trained on comes from there
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from icf.errors import WrongUse
from icf.models.by_name import Registry
from icf.models.data.base import Kind, Reader

if TYPE_CHECKING:
    from icf.workspace import Workspace

#: Every kind of training data that comes with the program.
READERS = Registry(
    kind="kind of training data",
    group="icf.training_data",
    own={
        "coco": "icf.models.data.formats.coco:CocoReader",
        "csv": "icf.models.data.formats.csv_list:CsvReader",
        "folders": "icf.models.data.formats.folders:FoldersReader",
        "icartoonface": "icf.models.data.formats.icartoonface:ICartoonFaceReader",
        "manga109": "icf.models.data.formats.manga109:Manga109Reader",
        "rec": "icf.models.data.formats.rec:RecReader",
        "release": "icf.models.data.release:ReleaseReader",
        "widerface": "icf.models.data.formats.widerface:WiderFaceReader",
        "workspace": "icf.models.data.workspace:WorkspaceReader",
        "yolo": "icf.models.data.formats.yolo:YoloReader",
    },
)

#: The one kind that has no place: the workspace around it is its place.
WORKSPACE = "workspace"

#: A share behind a place. A folder whose own name ends so needs a share behind it.
_SHARE = re.compile(r"=(-?[0-9]*\.?[0-9]+)$")


@dataclass(frozen=True)
class DataSpec:
    """One source of training data, as a user names it.

    Attributes:
        kind: a name of `READERS`.
        place: a folder or file; "" for the workspace.
        share: the part of all that is trained on, above 0 and at most 1; None: not
            stated.
        domain: whether its faces are drawn or photographed, where the source does not
            say it; None: what is usual for the kind.
    """

    kind: str
    place: str = ""
    share: float | None = None
    domain: Kind | None = None

    def __str__(self) -> str:
        """Return it as `parse` reads it."""
        domain = f"+{self.domain}" if self.domain else ""
        place = f":{self.place}" if self.place else ""
        # Never with an exponent, which `parse` does not read.
        share = "" if self.share is None else f"={Decimal(repr(self.share)):f}"
        return f"{self.kind}{domain}{place}{share}"


def parse(text: str) -> DataSpec:
    """Read a SPEC.

    Args:
        text: ``KIND:PLACE``, ``KIND+DOMAIN:PLACE`` or ``workspace``, each with an
            optional ``=SHARE`` behind it.

    Raises:
        WrongUse: it is none; the message names what is known.

    Example:
        >>> parse("folders+human:faces=0.25")
        DataSpec(kind='folders', place='faces', share=0.25, domain='human')
    """
    share = None
    source = text
    if stated := _SHARE.search(text):
        source, share = text[: stated.start()], _share(text, stated[1])
    head, colon, place = source.partition(":")
    kind, plus, domain = head.partition("+")
    known = READERS.names()
    if kind not in known:
        near = difflib.get_close_matches(kind, known, 1)
        raise WrongUse(
            f"--data {text!r}: no kind of data is called {kind!r}"
            + (f"; did you mean {near[0]!r}?" if near else ".")
            + f" Known are {', '.join(known)}"
        )
    if plus and domain not in get_args(Kind):
        raise WrongUse(
            f"--data {text!r}: {domain!r} is neither cartoon nor human, as in "
            f"{kind}+human:{place or 'DIR'}"
        )
    if (kind == WORKSPACE) is bool(colon and place):
        wanted = WORKSPACE if kind == WORKSPACE else f"{kind}:PATH"
        raise WrongUse(f"--data {text!r}: expected {wanted}")
    return DataSpec(kind, place, share, _domain(domain))


def open_reader(spec: DataSpec, workspace: Workspace | None = None) -> Reader:
    """Open the source that a SPEC names; nothing is read yet.

    Args:
        spec: what `parse` returned.
        workspace: the workspace around the command, if there is one.

    Raises:
        WrongUse: there is no such place or no workspace, or the source says itself
            which of its faces are drawn.
        BrokenMachine: the blob store has none of the workspace's pictures.
    """
    if spec.kind == WORKSPACE:
        if workspace is None:
            raise WrongUse(
                "--data workspace: there is no workspace here; go into one, or name "
                "it with -C DIR"
            )
        workspace.check_blobs()
        path = workspace.root
    else:
        path = Path(spec.place).expanduser()
        if not path.exists():
            raise WrongUse(f"--data {spec}: there is no {path}")
    cls = READERS.load(spec.kind)
    options: dict[str, object] = {}
    if spec.domain is not None:
        if "domain" not in {field.name for field in dataclasses.fields(cls)}:
            raise WrongUse(
                f"--data {spec}: this kind says itself which faces are drawn; "
                f"leave out +{spec.domain}"
            )
        options["domain"] = spec.domain
    reader: Reader = cls(path, **options)
    return reader


def _share(text: str, number: str) -> float:
    share = float(number)
    if not 0 < share <= 1:
        raise WrongUse(
            f"--data {text!r}: a share is above 0 and at most 1, as in =0.25"
        )
    return share


def _domain(text: str) -> Kind | None:
    return "cartoon" if text == "cartoon" else "human" if text == "human" else None
