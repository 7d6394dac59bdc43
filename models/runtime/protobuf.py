"""Read protocol buffer messages, as far as ONNX files need it.

https://protobuf.dev/programming-guides/encoding: a message is a sequence of fields,
each a number and a value.
"""

from __future__ import annotations

from collections.abc import Iterator

Value = int | memoryview

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
#: A number has at most ten bytes of seven bits.
_LONGEST_VARINT = 70


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Yield number and value of each field of a message.

    Raises:
        ValueError: it is not a message, or ends early.
    """
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            length = 8 if wire == _EIGHT_BYTES else 4
        else:
            raise ValueError(f"not a protocol buffer: wire type {wire}")
        if at + length > len(message):
            raise ValueError("the file ends early")
        yield number, message[at : at + length]
        at += length


def varints(packed: memoryview) -> list[int]:
    """Return the numbers of a packed field.

    Raises:
        ValueError: it ends early.
    """
    values, at = [], 0
    while at < len(packed):
        value, at = _varint(packed, at)
        values.append(value)
    return values


def as_bytes(value: Value) -> memoryview:
    """Return a value that has to be a message or text.

    Raises:
        ValueError: it is a number.
    """
    if isinstance(value, int):
        raise ValueError("not an ONNX file: a number where a message is expected")
    return value


def as_text(value: Value) -> str:
    """Return a value that has to be text.

    Raises:
        ValueError: it is a number, or not UTF-8.
    """
    return bytes(as_bytes(value)).decode()


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        if at >= len(message):
            raise ValueError("the file ends early")
        if shift > _LONGEST_VARINT:
            raise ValueError("not a protocol buffer: a number of more than ten bytes")
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
