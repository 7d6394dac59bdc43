"""Put GCompris's jigsaw puzzles of paintings together."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from posixpath import dirname, normpath

from PIL import Image

from icf.errors import BadInput

#: A piece of a board: its file, and where its middle is, in shares of the board.
_PIECE = re.compile(
    r'"pixmapfile"\s*:\s*"([^"]+)",\s*"x"\s*:\s*"([\d.]+)",\s*"y"\s*:\s*"([\d.]+)"'
)
_SIZE = re.compile(r'"width"\s*:\s*(\d+),\s*"height"\s*:\s*(\d+)')


def put_together(files: Mapping[str, bytes], board: str) -> bytes:
    """Return the painting of a board as a PNG file, without the board's margin.

    Args:
        files: of the archive.
        board: the name of a board in it (``….qml``), with the places of its pieces.

    Raises:
        BadInput: it is no board, or a piece is not there.
    """
    text = files[board].decode("utf-8")
    size = _SIZE.search(text)
    pieces = _PIECE.findall(text)
    if not size or not pieces:
        raise BadInput(f"{board} has no pieces of a puzzle")
    width, height = (int(side) for side in size.groups())
    whole = Image.new("RGBA", (width, height))
    for name, x, y in pieces:
        path = normpath(f"{dirname(dirname(board))}/{name}")
        if path not in files:
            raise BadInput(f"{board}: there is no {path}")
        piece = Image.open(io.BytesIO(files[path])).convert("RGBA")
        left = round(float(x) * width - piece.width / 2)
        top = round(float(y) * height - piece.height / 2)
        # A piece may reach over the edge of the board.
        layer = Image.new("RGBA", whole.size)
        layer.paste(piece, (left, top))
        whole = Image.alpha_composite(whole, layer)
    packed = io.BytesIO()
    whole.crop(whole.getbbox()).save(packed, "png")
    return packed.getvalue()
