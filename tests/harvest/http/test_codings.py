"""Bodies in every packing that HTTP allows, in pieces of any size."""

import gzip
import random
import sys
import zlib
from collections.abc import Callable

import brotli
import pytest

from icf.codes import FetchStatus
from icf.harvest.fault import Fault
from icf.harvest.http.codings import Unpacker

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BODY = random.Random(1).randbytes(3_000) + bytes(100_000)
PART, REST = BODY[:777], BODY[777:]


def raw_deflate(body: bytes) -> bytes:
    pack = zlib.compressobj(9, zlib.DEFLATED, -15)
    return pack.compress(body) + pack.flush()


def br(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=1)
    return packed


def unpack(packed: bytes, encoding: str, step: int = 500, cap: int = 10**6) -> bytes:
    unpacker = Unpacker("http://a.example/1", encoding, cap)
    out = bytearray()
    for begin in range(0, len(packed), step):
        out += b"".join(unpacker.feed(packed[begin : begin + step]))
    unpacker.finish()
    return bytes(out)


def fault(packed: bytes, encoding: str, **how: int) -> Fault:
    with pytest.raises(Fault) as caught:
        unpack(packed, encoding, **how)
    return caught.value


@pytest.mark.parametrize("step", [1, 500, 1_000_000])
@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(BODY)),
        ("X-GZip", gzip.compress(PART) + gzip.compress(b"") + gzip.compress(REST)),
        ("gzip", gzip.compress(PART) + bytes(5) + gzip.compress(REST) + bytes(100)),
        ("gzip", gzip.compress(BODY) + b"\x1fwhat a server appends"),
        ("gzip", zlib.compress(BODY)),
        ("deflate", zlib.compress(BODY)),
        ("deflate", raw_deflate(BODY)),
        ("deflate", gzip.compress(BODY)),
        ("br", br(BODY)),
        ("zstd", zstd.compress(PART) + zstd.compress(REST)),
        ("gzip, gzip", gzip.compress(gzip.compress(BODY))),
        ("deflate , ,identity, br,GZIP", gzip.compress(br(raw_deflate(BODY)))),
        ("identity", BODY),
        ("aws-chunked", BODY),
        ("utf-8, gzip;q=1", gzip.compress(BODY)),
        ("", BODY),
    ],
)
def test_a_packed_body_comes_whole(encoding: str, packed: bytes, step: int) -> None:
    assert unpack(packed, encoding, step) == BODY


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd"])
def test_no_bytes_are_an_empty_body(encoding: str) -> None:
    assert unpack(b"", encoding) == b""


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": raw_deflate,
    "br": br,
    "zstd": zstd.compress,
}


@pytest.mark.parametrize("cut", [1, 3, 20, 2_000, -1, -9])
@pytest.mark.parametrize("encoding", PACKERS)
def test_a_body_that_ends_early_is_truncated(encoding: str, cut: int) -> None:
    packed = PACKERS[encoding](BODY)[:cut]
    found = fault(packed, encoding)
    assert (found.fate, found.again) == (FetchStatus.TRUNCATED, True)
    assert encoding in str(found)


def test_a_second_member_that_ends_early_is_truncated_too() -> None:
    packed = gzip.compress(PART) + gzip.compress(REST)[:-1]
    assert fault(packed, "gzip").fate is FetchStatus.TRUNCATED


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        *((name, pack(bytes(3_000_000))) for name, pack in PACKERS.items()),
        # What the outer coding unpacks to is capped, though the inner one is empty.
        ("gzip, gzip", gzip.compress(gzip.compress(b"") * 100_000)),
    ],
)
def test_a_bomb_is_too_large(encoding: str, packed: bytes) -> None:
    assert len(packed) < 20_000
    assert fault(packed, encoding).fate is FetchStatus.TOO_LARGE


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("compress", "'compress'"), (", ".join(["gzip"] * 5), "packed 5 times")],
)
def test_what_no_browser_unpacks_is_refused_by_name(encoding: str, named: str) -> None:
    found = fault(b"...", encoding)
    assert found.fate is FetchStatus.HTTP_ERROR
    assert named in str(found)
