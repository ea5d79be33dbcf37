"""P, the claims and the padding of a token, and the refusal of a reader (FORMAT.md, P: claims and state)."""

from dataclasses import dataclass
from typing import Optional

from postcard import write_varint

RND = 12
HEAD_MAX = 131071
TTL_MAX = (1 << 32) - 1
ORIGIN_MAX = 1 << 32


class Refused(Exception):
    """A reader refuses; the code is that of the step of Opening."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


def refuse_if(condition, code):
    if condition:
        raise Refused(code)


@dataclass(frozen=True)
class Claims:
    schema: int
    padded: bool
    ttl: int
    origin: int
    first_rnd: Optional[bytes]
    body: bytes

    def start(self, iat):
        """P, Start."""
        return iat if self.origin == 0 else iat - (self.origin - 1)


def read_varint(data, at):
    """Conventions: minimal, at most 5 bytes. The value and the offset behind it."""
    value = 0
    for i in range(5):
        refuse_if(at + i >= len(data), "claims")
        byte = data[at + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            refuse_if(i > 0 and byte == 0, "claims")
            return value, at + i + 1
    raise Refused("claims")


def parse_p(p, iat, mode):
    """Opening, step 10."""
    head, at = read_varint(p, 0)
    refuse_if(head > HEAD_MAX, "claims")
    ttl, at = read_varint(p, at)
    refuse_if(not 1 <= ttl <= TTL_MAX, "claims")
    origin, at = read_varint(p, at)
    refuse_if(origin > ORIGIN_MAX or origin - 1 > iat, "claims")
    first_rnd = None
    if origin != 0:
        first_rnd, at = p[at:at + RND], at + RND
        refuse_if(len(first_rnd) < RND, "claims")
    padded = head % 2 == 1
    body = strip_padding(p, at, mode) if padded else p[at:]
    return Claims(head // 2, padded, ttl, origin, first_rnd, body)


def strip_padding(p, at, mode):
    """Padding: the reader's rules 1 to 4."""
    refuse_if(mode != "sealed" or len(p) % 16 != 0, "claims")
    rest = p[at:]
    kept = rest.rstrip(b"\0")
    refuse_if(not kept.endswith(b"\x80"), "claims")
    body = kept[:-1]
    refuse_if(len(rest) - len(body) > 64, "claims")
    return body


def build_p(schema, ttl, origin, first_rnd, body, padding):
    """P and Padding: the writer's side."""
    head = 2 * schema + (padding is not None)
    p = b"".join(write_varint(v) for v in (head, ttl, origin)) + (first_rnd or b"") + body
    if padding is None:
        return p
    p += b"\x80"
    return p + bytes(-len(p) % padding)
