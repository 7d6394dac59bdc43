"""The decoder against bad pictures."""

import io

import numpy as np
import pytest
from PIL import Image

from icf.codes import ImageReason
from icf.images import Undecodable, decode


def _file(kind: str, width: int = 64, height: int = 48) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", ImageReason.EMPTY),
        (b"<html><body>404</body></html>", ImageReason.NOT_IMAGE),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", ImageReason.UNSUPPORTED),
        (_file("JPEG")[:-900], ImageReason.TRUNCATED),
        (_file("PNG")[:-900], ImageReason.TRUNCATED),
        (_file("PNG", 1, 1), ImageReason.TOO_SMALL),
        (_file("PNG", 4000, 3), ImageReason.BAD_ASPECT),
    ],
)
def test_a_bad_picture_gets_its_reason(data: bytes, reason: ImageReason) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(data)
    assert caught.value.reason is reason


def test_a_script_after_a_jpeg_is_accepted_and_flagged() -> None:
    assert not decode(_file("JPEG")).trailing
    assert decode(_file("JPEG") + b"<script>1</script>").trailing
