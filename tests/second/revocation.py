"""Lists of revocations of FORMAT.md: the worked example of a directory, made and read here."""

import hashlib
import hmac
import struct

import document

RING_ID = bytes.fromhex("6b1f0c9d2e8a4475b3d0917c5ae8f264")
FLEET_ID, WRITER, OTHER = bytes(range(0xA0, 0xB0)), bytes(range(0xD0, 0xD8)), bytes(range(0xE0, 0xE8))
SESSION = bytes.fromhex("6a7432801560fcb22fd075b357e9c94a")
CUT_OFF = bytes(range(0xC0, 0xC8))
NOW = 1786000000
MASK = 2**64 - 1


def siphash(key, message):
    """SipHash-2-4 with 128 bits of output."""
    k0, k1 = struct.unpack("<2Q", key)
    v = [k0 ^ 0x736F6D6570736575, k1 ^ 0x646F72616E646F6D ^ 0xEE, k0 ^ 0x6C7967656E657261, k1 ^ 0x7465646279746573]

    def turn(x, bits):
        return (x << bits | x >> (64 - bits)) & MASK

    def rounds(count):
        for _ in range(count):
            v[0] = (v[0] + v[1]) & MASK
            v[1] = turn(v[1], 13) ^ v[0]
            v[0] = turn(v[0], 32)
            v[2] = (v[2] + v[3]) & MASK
            v[3] = turn(v[3], 16) ^ v[2]
            v[0] = (v[0] + v[3]) & MASK
            v[3] = turn(v[3], 21) ^ v[0]
            v[2] = (v[2] + v[1]) & MASK
            v[1] = turn(v[1], 17) ^ v[2]
            v[2] = turn(v[2], 32)

    padded = message + bytes(7 - len(message) % 8) + bytes([len(message) & 0xFF])
    for (word,) in struct.iter_unpack("<Q", padded):
        v[3] ^= word
        rounds(2)
        v[0] ^= word
    out = b""
    for place, change in ((2, 0xEE), (1, 0xDD)):
        v[place] ^= change
        rounds(4)
        out += struct.pack("<Q", v[0] ^ v[1] ^ v[2] ^ v[3])
    return out


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha256).digest()


def derived(first, label):
    """Under the secret of Example 11 whose bytes count up from `first`."""
    prk = hmac.new(b"waxseal/v1", bytes(range(first, first + 32)), hashlib.sha256).digest()
    return mac(prk, b"waxseal/v1/rev/" + label, b"\1")


def head(key, magic, writer=bytes(8), generation=0, base_number=0, base=b"", at=NOW):
    fields = magic + RING_ID + FLEET_ID + struct.pack(">Q", 1) + writer
    fields += struct.pack(">QQQI", generation, base_number, len(base), at)
    return fields + mac(key, fields)


def note(actor, reason):
    return bytes([len(actor)]) + actor + bytes([len(reason)]) + reason


def framed(body):
    return struct.pack(">H", len(body)) + body


def line(key, tag, number, body):
    start = struct.pack(">HQ", len(body), number) + body
    return start + mac(key, tag, start)


def example():
    scope, journal, snapshot = derived(0x40, b"id")[:16], derived(0x60, b"journal"), derived(0x60, b"snapshot")
    ada = siphash(scope, b"\3ada")
    session = b"\1" + struct.pack(">I", NOW + 30) + SESSION + note(b"", b"")
    cut_off = b"\2" + struct.pack(">I", NOW + 60) + CUT_OFF + b"\3" + ada + struct.pack(">I", NOW + 60) + SESSION
    cut_off += note(b"bob", b"phone lost")
    retract = b"\3" + struct.pack(">I", NOW + 90) + CUT_OFF + note(b"bob", b"")
    place = OTHER + struct.pack(">Q", 9)
    base = framed(session) + framed(b"\x81" + struct.pack(">I", NOW + 40) + place)
    header = head(snapshot, b"waxrevj1", WRITER, 2, 4, base, NOW + 40)
    bodies = [cut_off, retract, b"\x80" + struct.pack(">I", NOW + 100) + place, b"\x82"]
    lines = [line(journal, header[84:], number, body) for number, body in enumerate(bodies, 5)]
    parts = [header, base, mac(snapshot, header[84:], base), *lines]
    found = {
        "scope key": scope,
        "fingerprint key": derived(0x40, b"fingerprint")[:16],
        "journal key": journal,
        "snapshot key": snapshot,
        "subject `ada`": ada,
        "tenant `acme`": siphash(scope, b"\2acme"),
        "session": session,
        "cut-off": cut_off,
        "retract": retract,
        "marker": head(snapshot, b"waxrevm1"),
    }
    names = ["header", "base", "tag of the base", *("line %d" % number for number in range(5, 9))]
    found.update(zip(names, parts))
    return {name: value.hex() for name, value in found.items()}, b"".join(parts)


def check(report, text):
    block = document.blocks(document.section(text, "Example of a list"))[0]
    shown, digest = block.strip().rsplit("\n", 1)
    made, journal = example()
    report.fields("list", document.fields(shown), made)
    whole = "SHA-256 of the %d bytes: %s" % (len(journal), hashlib.sha256(journal).hexdigest())
    report.equal("digest", digest, whole)


def run(report):
    report.group("lists of revocations", check, document.read())
