"""The part of postcard that the states of examples and vectors need (FORMAT.md, Conventions; P, Body).

A type is a name ("u8" to "u64", "i16" to "i64", "bool", "string", "bytes"), a list of types (a structure), or
a pair ("option", type), ("seq", type).
"""

VARINTS = {"u16": 16, "u32": 32, "u64": 64, "i16": 16, "i32": 32, "i64": 64}


class Undecodable(Exception):
    """The bytes are not a value of the type."""


class Input:
    """Bytes that are taken from the front."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise Undecodable("cut short")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]


def decode(kind, data):
    """The value that is exactly these bytes; bytes left over are an error (Opening, step 17)."""
    source = Input(data)
    value = read(kind, source)
    if source.at != len(data):
        raise Undecodable("bytes are left over")
    return value


def read(kind, source):
    if isinstance(kind, list):
        return [read(field, source) for field in kind]
    if isinstance(kind, tuple):
        return read_nested(kind, source)
    if kind == "u8":
        return source.byte()
    if kind == "bool":
        return read_flag(source)
    if kind == "bytes":
        return source.take(read_varint(64, source))
    if kind == "string":
        return read_string(source)
    value = read_varint(VARINTS[kind], source)
    return value if kind[0] == "u" else (value >> 1) ^ -(value & 1)


def read_nested(kind, source):
    name, inner = kind
    if name == "option":
        return read(inner, source) if read_flag(source) else None
    return [read(inner, source) for _ in range(read_varint(64, source))]


def read_flag(source):
    byte = source.byte()
    if byte > 1:
        raise Undecodable("neither 00 nor 01")
    return byte == 1


def read_string(source):
    try:
        return source.take(read_varint(64, source)).decode("utf-8")
    except UnicodeDecodeError as error:
        raise Undecodable("not UTF-8") from error


def read_varint(bits, source):
    """Any spelling that is not longer than the type's longest, minimal or not, and fits the type."""
    value = 0
    for i in range((bits + 6) // 7):
        byte = source.byte()
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            if value >> bits:
                raise Undecodable("too great for the type")
            return value
    raise Undecodable("a varint too long for the type")


def encode(kind, value):
    """The one spelling a writer gives."""
    if isinstance(kind, list):
        return b"".join(encode(k, v) for k, v in zip(kind, value))
    if isinstance(kind, tuple) and kind[0] == "option":
        return b"\x00" if value is None else b"\x01" + encode(kind[1], value)
    if isinstance(kind, tuple):
        return write_varint(len(value)) + b"".join(encode(kind[1], v) for v in value)
    if kind in ("u8", "bool"):
        return bytes([value])
    if kind in ("bytes", "string"):
        raw = value.encode("utf-8") if kind == "string" else value
        return write_varint(len(raw)) + raw
    return write_varint(value if kind[0] == "u" else value * 2 if value >= 0 else -value * 2 - 1)


def write_varint(value):
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])
