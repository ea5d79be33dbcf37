"""The filter of FORMAT.md, "Revocation filter", and its vectors: python3 tests/second/filter.py writes them anew."""

import hashlib
import json
from fractions import Fraction
from pathlib import Path

VECTORS = Path(__file__).resolve().parents[2] / "src/revocation/known/bloom/vectors.json"


def shape(capacity, rate):
    """Bits and probes of a layer. `rate` is a 64-bit floating-point number, and here the exact fraction it is."""
    probes = next((k for k in range(1, 40) if Fraction(1, 2**k) <= Fraction(rate)), 40)
    bits = -(-capacity * probes * 73 // 50)
    return max(512, -(-bits // 512) * 512), probes


def mix(x):
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def places(fingerprint, probes, bits):
    a, b = (int.from_bytes(half, "little") for half in (fingerprint[:8], fingerprint[8:]))
    hashes = (mix((a + i * (b | 1)) % 2**64) for i in range(probes))
    return [h * bits >> 64 for h in hashes]


def words(capacity, rate, fingerprints):
    bits, probes = shape(capacity, rate)
    filled = bytearray(bits // 8)
    for place in (place for each in fingerprints for place in places(each, probes, bits)):
        filled[place // 8] |= 1 << place % 8
    return bytes(filled)


def fingerprint(number):
    return hashlib.sha256(b"fingerprint %d" % number).digest()[:16]


def vectors():
    capacities = [1, 64, 1024, 16384, 1 << 20, 100_000_000]
    rates = [0.5, 0.25, 0.1, 1e-3, 1e-4 / 2, 1e-6, 1e-6 / 16, 1e-9, 2.0**-40, 1e-15]
    known = [bytes(16), b"\xff" * 16, bytes(range(16)), fingerprint(0), fingerprint(1)]
    sizes = [(1, 512), (11, 512 * 47), (20, 1 << 32), (40, 512 * 999_999_937)]
    layers = [(64, 0.25, 0), (64, 0.01, 5), (64, 1e-6, 64), (128, 1e-3, 100)]
    return {
        "shapes": [
            dict(zip(("capacity", "rate", "bits", "probes"), (capacity, rate, *shape(capacity, rate))))
            for capacity in capacities
            for rate in rates
        ],
        "places": [
            {"fingerprint": each.hex(), "probes": probes, "bits": bits, "places": places(each, probes, bits)}
            for each in known
            for probes, bits in sizes
        ],
        "layers": [
            {
                "capacity": capacity,
                "rate": rate,
                "fingerprints": [fingerprint(number).hex() for number in range(count)],
                "words": words(capacity, rate, map(fingerprint, range(count))).hex(),
            }
            for capacity, rate, count in layers
        ],
    }


def run(report):
    report.group("revocation filter", lambda report: report.equal("vectors", json.loads(VECTORS.read_text()), vectors()))


if __name__ == "__main__":
    VECTORS.write_text(json.dumps(vectors(), separators=(",", ":")).replace("},{", "},\n{") + "\n")
