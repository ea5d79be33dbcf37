"""XChaCha20-Poly1305 in plain Python: draft-irtf-cfrg-xchacha-03 on RFC 8439 (FORMAT.md, Sealed)."""

import hmac
import struct

CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
COLUMNS_AND_DIAGONALS = (
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
)
P1305 = (1 << 130) - 5
CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
MASK = 0xFFFFFFFF


def rotate(word, bits):
    return ((word << bits) & MASK) | (word >> (32 - bits))


def quarter_round(s, a, b, c, d):
    """RFC 8439, section 2.1."""
    for x, y, z, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[x] = (s[x] + s[y]) & MASK
        s[z] = rotate(s[z] ^ s[x], bits)


def twenty_rounds(state):
    words = list(state)
    for _ in range(10):
        for lane in COLUMNS_AND_DIAGONALS:
            quarter_round(words, *lane)
    return words


def chacha20_block(key, counter, nonce):
    """RFC 8439, section 2.3."""
    state = CONSTANTS + struct.unpack("<8L", key) + (counter,) + struct.unpack("<3L", nonce)
    mixed = twenty_rounds(state)
    return struct.pack("<16L", *((x + y) & MASK for x, y in zip(mixed, state)))


def hchacha20(key, nonce16):
    """The draft, section 2.2: the first and last four words, without the final addition."""
    words = twenty_rounds(CONSTANTS + struct.unpack("<8L", key) + struct.unpack("<4L", nonce16))
    return struct.pack("<8L", *(words[:4] + words[12:]))


def chacha20_xor(key, nonce, data):
    """RFC 8439, section 2.4, with the counter that the AEAD starts from, 1."""
    out = bytearray()
    for i in range(0, len(data), 64):
        stream = chacha20_block(key, 1 + i // 64, nonce)
        out += bytes(x ^ y for x, y in zip(data[i:i + 64], stream))
    return bytes(out)


def poly1305(key, message):
    """RFC 8439, section 2.5."""
    r = int.from_bytes(key[:16], "little") & CLAMP
    total = 0
    for i in range(0, len(message), 16):
        block = message[i:i + 16] + b"\x01"
        total = (total + int.from_bytes(block, "little")) * r % P1305
    return ((total + int.from_bytes(key[16:], "little")) % (1 << 128)).to_bytes(16, "little")


def poly1305_key(key, nonce):
    """RFC 8439, section 2.6."""
    return chacha20_block(key, 0, nonce)[:32]


def inner_key_and_nonce(key, nonce24):
    """FORMAT.md, Sealed, steps 1 and 2."""
    return hchacha20(key, nonce24[:16]), bytes(4) + nonce24[16:]


def aead_tag(key, nonce, aad, ciphertext):
    """RFC 8439, section 2.8."""
    def pad16(data):
        return data + bytes(-len(data) % 16)

    lengths = struct.pack("<QQ", len(aad), len(ciphertext))
    return poly1305(poly1305_key(key, nonce), pad16(aad) + pad16(ciphertext) + lengths)


def seal(key, nonce24, aad, plaintext):
    """Ciphertext and tag, apart."""
    key, nonce = inner_key_and_nonce(key, nonce24)
    ciphertext = chacha20_xor(key, nonce, plaintext)
    return ciphertext, aead_tag(key, nonce, aad, ciphertext)


def open(key, nonce24, aad, ciphertext, tag):
    """The plaintext, or None if the tag is wrong. Nothing is decrypted before the tag is right."""
    key, nonce = inner_key_and_nonce(key, nonce24)
    if not hmac.compare_digest(aead_tag(key, nonce, aad, ciphertext), tag):
        return None
    return chacha20_xor(key, nonce, ciphertext)
