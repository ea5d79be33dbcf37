"""Key derivation (FORMAT.md, Keys)."""

import hashlib
import hmac

SALT = b"waxseal/v1"


def hmac256(key, message):
    """Conventions: HMAC."""
    return hmac.new(key, message, hashlib.sha256).digest()


def prk(secret):
    """Keys: Extract with the salt."""
    return hmac256(SALT, secret)


def expand(key, info):
    """Conventions: one block of HKDF-Expand."""
    return hmac256(key, info + b"\x01")


def key_id(secret):
    return expand(prk(secret), SALT + b"/kid")[:3]


def subkey_info(use, purpose, carrier):
    return SALT + b"/" + use.encode() + b"\0" + purpose.encode() + b"\0" + carrier.encode()


def subkey(secret, use, purpose, carrier):
    return expand(prk(secret), subkey_info(use, purpose, carrier))
