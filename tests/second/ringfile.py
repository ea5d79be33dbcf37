"""The ring file and its rules (FORMAT.md, Ring file)."""

import base64
import hashlib
import json
import re
import unicodedata

from keys import key_id
from ring import Entry, Policy, Ring

U32 = (1 << 32) - 1
U64 = (1 << 64) - 1
FILE_BYTES = 262144
TAIL = re.compile(rb'"digest":"sha256:([0-9a-f]{64})"\}\n')
TAIL_BYTES = len('"digest":"sha256:') + 64 + len('"}\n')


class RingRefused(Exception):
    """The file breaks a rule of the section Ring file. There are no codes."""


def need(condition, why):
    if not condition:
        raise RingRefused(why)


def load(raw, allow_example_secrets=False):
    """The ring of a file, or RingRefused. The flag lets the secrets of the examples pass, for tests only."""
    digest = read_digest(raw)
    top = members(parse_json(raw), "format ring_id generation policy not_before stale_ok_until keys"
                  " revocation_secrets digest")
    need(integer(top["format"], 1, 1) == 1, "format")
    ring = Ring(ring_id=matching(top["ring_id"], r"[0-9a-f]{32}"),
                generation=integer(top["generation"], 1, U64), policy=load_policy(top["policy"]),
                not_before=instant(top["not_before"]), stale_ok_until=instant(top["stale_ok_until"]),
                keys=load_entries(top["keys"]), digest=digest)
    revocation = load_revocation_secrets(top["revocation_secrets"])
    check_entries(ring.keys)
    secrets = [e.secret for e in ring.keys if e.secret is not None] + revocation
    check_secrets(secrets, allow_example_secrets)
    return ring


def read_digest(raw):
    """Framing."""
    need(len(raw) <= FILE_BYTES, "longer than 262144 bytes")
    need(not raw.startswith(b"\xef\xbb\xbf"), "byte order mark")
    tail = TAIL.fullmatch(raw[-TAIL_BYTES:])
    need(tail, "the end is not the digest")
    covered = raw[:-(64 + len('"}\n'))]
    need(hashlib.sha256(covered).hexdigest() == tail.group(1).decode(), "the digest is wrong")
    return tail.group(1).decode()


def parse_json(raw):
    """Framing and Members: JSON in UTF-8, each member once, numbers as plain digits."""
    def number(digits):
        need(re.fullmatch(r"0|[1-9][0-9]{0,19}", digits), "a number is not plain digits up to 2^64 - 1")
        return int(digits)

    def refuse(token):
        raise RingRefused("no such number: " + token)

    def once(pairs):
        need(len(dict(pairs)) == len(pairs), "a repeated member")
        return dict(pairs)

    try:
        return json.loads(raw.decode("utf-8"), object_pairs_hook=once, parse_int=number,
                          parse_float=refuse, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise RingRefused("not JSON in UTF-8") from error


def members(value, names):
    """Members: all of them, and no other."""
    need(type(value) is dict and set(value) == set(names.split()), "members are missing or unknown")
    return value


def integer(value, least, greatest):
    need(type(value) is int and least <= value <= greatest, "not a number in its range")
    return value


def instant(value):
    return integer(value, 0, U64)


def matching(value, pattern):
    need(type(value) is str and re.fullmatch(pattern, value, re.ASCII), "not of the form " + pattern)
    return value


def null_or(check, value):
    return None if value is None else check(value)


def secret_text(value):
    """Secrets: 43 characters, the last of b64-last2."""
    matching(value, r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")
    return base64.urlsafe_b64decode(value + "=")


def reason_text(value):
    """Members: at most 200 bytes of UTF-8, no control characters."""
    need(type(value) is str, "a reason is no string")
    need(all(unicodedata.category(c) != "Cc" for c in value), "a reason with control characters")
    try:
        need(len(value.encode("utf-8")) <= 200, "a reason of more than 200 bytes")
    except UnicodeEncodeError as error:
        raise RingRefused("a reason that is no UTF-8") from error
    return value


def load_policy(value):
    """Policy: ranges, and the two inequalities."""
    p = Policy(**members(value, " ".join(Policy.__dataclass_fields__)))
    integer(p.max_token_lifetime, 1, 315360000)
    integer(p.skew, 2, 3600)
    integer(p.refresh, 1, 3600)
    for seconds in (p.distribution, p.late, p.activation_delay):
        integer(seconds, 0, U32)
    integer(p.rotate_every, 1, U32)
    need(p.activation_delay >= (12 * p.refresh + 4) // 5 + p.distribution + 2 * p.skew, "activation_delay")
    life = p.max_token_lifetime + p.late + 2 * p.skew
    need(-(-life // p.rotate_every) + 3 <= 14, "rotate_every needs too many keys")
    return p


def load_entries(value):
    need(type(value) is list and len(value) >= 1, "no entry")
    return tuple(load_entry(v) for v in value)


def load_entry(value):
    """Members: the table of an entry."""
    v = members(value, " ".join(Entry.__dataclass_fields__))
    status = matching(v["status"], "enabled|disabled|revoked")
    revoked = status == "revoked"
    need((v["revoked_at"] is not None) == revoked, "revoked_at goes with the status revoked")
    need((v["secret"] is None) == revoked, "a secret goes with every other status")
    return Entry(id=bytes.fromhex(matching(v["id"], r"[0-9a-f]{6}")), status=status,
                 created_at=instant(v["created_at"]), activate_at=null_or(instant, v["activate_at"]),
                 superseded_at=null_or(instant, v["superseded_at"]),
                 max_token_lifetime=integer(v["max_token_lifetime"], 1, U32),
                 revoked_at=null_or(instant, v["revoked_at"]), reason=null_or(reason_text, v["reason"]),
                 secret=null_or(secret_text, v["secret"]))


def load_revocation_secrets(value):
    """Members: revocation_secrets. Returns the secrets."""
    v = members(value, "scope mac")
    need(type(v["mac"]) is list and 1 <= len(v["mac"]) <= 8, "not 1 to 8 MAC secrets")
    macs = [members(m, "status created_at secret") for m in v["mac"]]
    states = [matching(m["status"], "current|verify_only") for m in macs]
    need(states.count("current") == 1, "not exactly one MAC secret is current")
    for m in macs:
        instant(m["created_at"])
    return [secret_text(v["scope"])] + [secret_text(m["secret"]) for m in macs]


def check_entries(entries):
    """Secrets: ids and numbers of entries."""
    need(len({e.id for e in entries}) == len(entries), "two entries have one id")
    with_secret = [e for e in entries if e.secret is not None]
    need(len(with_secret) <= 16, "more than 16 entries have a secret")
    need(len(entries) - len(with_secret) <= 256, "more than 256 tombstones")
    need(all(key_id(e.secret) == e.id for e in with_secret), "an id is not that of its secret")


def check_secrets(secrets, allow_example_secrets):
    """Secrets: no progression, none twice."""
    need(allow_example_secrets or not any(is_progression(s) for s in secrets), "a weak secret")
    need(len(set(secrets)) == len(secrets), "two secrets are equal")


def is_progression(secret):
    return len({(b - a) % 256 for a, b in zip(secret, secret[1:])}) == 1
