"""The compact protocol of Thrift, read and written as it stands, to forge the metadata of Parquet files.

A struct is {field id: (type, value)}, a list (type of its elements, [values]); numbers, bytes and truths are
themselves.
"""

from __future__ import annotations

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


def footer(content):
    """The metadata of a Parquet file as a struct."""
    size = int.from_bytes(content[-8:-4], "little")
    return read(content, len(content) - 8 - size)[0]


def with_footer(content, struct):
    """The file with other metadata."""
    size = int.from_bytes(content[-8:-4], "little")
    written = write(struct)
    return content[: -8 - size] + written + len(written).to_bytes(4, "little") + b"PAR1"


def read(data, at, kind=STRUCT):
    """A value of a type at a place, and the place after it."""
    if kind in (TRUE, FALSE):
        return kind == TRUE, at
    if kind == BYTE:
        return data[at], at + 1
    if kind in (I16, I32, I64):
        number, at = _varint(data, at)
        return (number >> 1) ^ -(number & 1), at
    if kind == DOUBLE:
        return data[at : at + 8], at + 8
    if kind == BINARY:
        size, at = _varint(data, at)
        return data[at : at + size], at + size
    if kind in (LIST, SET):
        return _list(data, at)
    assert kind == STRUCT
    return _struct(data, at)


def write(value, kind=STRUCT):
    """A value of a type as bytes."""
    if kind in (TRUE, FALSE):
        return b""
    if kind == BYTE:
        return bytes([value])
    if kind in (I16, I32, I64):
        return _as_varint((value << 1) ^ (value >> 63))
    if kind == DOUBLE:
        return value
    if kind == BINARY:
        return _as_varint(len(value)) + value
    if kind in (LIST, SET):
        of, values = value
        size = len(values)
        head = bytes([size << 4 | of]) if size < 15 else bytes([0xF0 | of]) + _as_varint(size)
        return head + b"".join(write(each, of) for each in values)
    parts, last = [], 0
    for field, (of, each) in value.items():
        step = field - last
        parts.append(bytes([step << 4 | of]) if 0 < step < 16 else bytes([of]) + write(field, I16))
        parts.append(write(each, of))
        last = field
    return b"".join(parts) + b"\0"


def _varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if data[at - 1] < 0x80:
            return number, at


def _as_varint(number):
    parts = []
    while number > 0x7F:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*parts, number])


def _list(data, at):
    size, of = data[at] >> 4, data[at] & 15
    at += 1
    if size == 15:
        size, at = _varint(data, at)
    values = []
    for _ in range(size):
        value, at = read(data, at, of)
        values.append(value)
    return (of, values), at


def _struct(data, at):
    fields, last = {}, 0
    while data[at]:
        step, of = data[at] >> 4, data[at] & 15
        at += 1
        if step:
            last += step
        else:
            last, at = read(data, at, I16)
        value, at = read(data, at, of)
        fields[last] = (of, value)
    return fields, at + 1
