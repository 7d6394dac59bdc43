"""Say of a file why it is no ONNX file that can be used, before anything runs it."""

from __future__ import annotations

from pathlib import Path

from icf.errors import BadModel, WrongUse
from icf.models.runtime.network import Network, open_network
from icf.models.runtime.onnx_header import OnnxHeader, read_header

#: Beginnings of files that people take for models, and what they are.
_OTHERS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    (
        (b"<", b"\r\n<", b"\n<"),
        "a web page: give the address of the file itself, as of a button 'download'",
    ),
    (
        (b"version https://git-lfs",),
        "a pointer of Git LFS, not the file: run `git lfs pull` in its repository",
    ),
    (
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "a Python pickle, which runs code when it is opened: ask for an ONNX file",
    ),
    (
        (b"PK\x03\x04",),
        "a ZIP archive: of PyTorch, whose weights --as timm:NAME, dinov2 or "
        "torchvision-retinanet can take, or a pack, whose name has to end in .zip or "
        ".whl",
    ),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!"), "a compressed archive: unpack it first"),
)
#: What helps where ONNX Runtime cannot open a file.
_OPSET = "Export it for an older opset, such as 17, if that is what is said"
_FLOAT64 = (
    "It has float64 numbers, for which ONNX Runtime lacks most operators: export it "
    "with float32, in PyTorch after model.float()"
)
#: Bytes at the beginning of a file of the format safetensors: a length.
_LENGTH = 8


def opened(path: Path) -> tuple[OnnxHeader, Network]:
    """Open an ONNX file that nobody has looked at yet.

    Raises:
        WrongUse: there is no such file.
        BadModel: it is something else, incomplete, or too new or too old for ONNX
            Runtime; the message says what it is.
    """
    if not path.is_file():
        raise WrongUse(f"there is no file {path}")
    if what := _what_else(path):
        raise BadModel(f"{path.name} is no ONNX file, but {what}")
    header = read_header(path)
    if missing := [name for name in header.external if not _beside(path, name)]:
        raise BadModel(
            f"{path.name} has its weights in other files, and {', '.join(missing[:3])} "
            "is not next to it: fetch that too, into the same folder"
        )
    try:
        return header, open_network(path)
    except BadModel as error:
        raise BadModel(
            f"{path.name} ({header.versions()}, by {header.producer or 'unknown'}) "
            f"cannot be opened: {_reason(error)}. "
            + (_FLOAT64 if header.float64 else _OPSET)
        ) from error


def in_one_file(path: Path, header: OnnxHeader, folder: Path) -> Path:
    """Return a file that has all its weights: this one, or a copy made of its parts.

    Args:
        path: the file.
        header: what it says of itself.
        folder: where a copy goes.

    Raises:
        BadModel: they make no file of at most 2 GB, which is what ONNX allows.
    """
    if not header.external:
        return path
    import onnx

    whole = folder / path.name
    try:
        whole.write_bytes(onnx.load(path).SerializeToString())
    except Exception as error:  # onnx and protobuf raise all kinds
        raise BadModel(
            f"{path.name} and its weights cannot be put into one file: {error}"
        ) from error
    return whole


def with_note(path: Path, note: str, folder: Path) -> Path:
    """Return a copy of a file with a note in its metadata, and so with another hash.

    Args:
        path: an ONNX file.
        note: anything.
        folder: where the copy goes.
    """
    import onnx

    entry = onnx.StringStringEntryProto(key="icf", value=note)
    more = onnx.ModelProto(metadata_props=[entry]).SerializeToString()
    noted = folder / f"noted-{path.name}"
    # Of messages behind one another, protobuf reads the sum.
    noted.write_bytes(path.read_bytes() + more)
    return noted


def _what_else(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(64)
    if not head:
        return "empty"
    for beginnings, what in _OTHERS:
        if head.startswith(beginnings):
            return what
    if head[_LENGTH:].startswith(b'{"'):
        return (
            "weights of the format safetensors: --as timm:NAME, dinov2 and "
            "torchvision-retinanet take these"
        )
    return ""


def _beside(path: Path, name: str) -> bool:
    """Whether a file of weights is there; one outside of the folder never counts."""
    other = (path.parent / name).resolve()
    return other.is_file() and other.is_relative_to(path.parent.resolve())


def _reason(error: BadModel) -> str:
    """The words of ONNX Runtime, without the path and its own codes."""
    text = str(error).partition("ONNX Runtime: ")[2] or str(error)
    return text.rpartition(" : ")[2].strip().rstrip(".")
