"""Keys, the ring file and its rules, roles, and the taking of a new ring (FORMAT.md, Keys; Ring file)."""

import base64
import hashlib
import hmac
import json
import re
import unicodedata
from dataclasses import dataclass, replace
from typing import Optional

U32 = (1 << 32) - 1
U64 = (1 << 64) - 1
SALT = b"waxseal/v1"
FILE_BYTES = 262144
TOMBSTONE_SECONDS = 31536000
TAIL = re.compile(rb'"digest":"sha256:([0-9a-f]{64})"\}\n')
TAIL_BYTES = len('"digest":"sha256:') + 64 + len('"}\n')


class RingRefused(Exception):
    """The file breaks a rule of the section Ring file. There are no codes."""


def need(condition, why):
    if not condition:
        raise RingRefused(why)


# --- Keys -------------------------------------------------------------------------------------------------


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


# --- Values of a ring -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Policy:
    max_token_lifetime: int
    skew: int
    refresh: int
    distribution: int
    late: int
    activation_delay: int
    rotate_every: int


@dataclass(frozen=True)
class Entry:
    id: bytes
    status: str
    created_at: int
    activate_at: Optional[int]
    superseded_at: Optional[int]
    max_token_lifetime: int
    revoked_at: Optional[int]
    reason: Optional[str]
    secret: Optional[bytes]

    def place(self):
        """Roles: the order, for entries with an activate_at."""
        return (self.activate_at, self.id)


@dataclass(frozen=True)
class Ring:
    ring_id: str
    generation: int
    policy: Policy
    not_before: int
    stale_ok_until: int
    keys: tuple
    digest: str

    def entry(self, id):
        """Opening, step 5: one lookup."""
        return next((e for e in self.keys if e.id == id), None)

    def dated(self):
        return sorted((e for e in self.keys if e.activate_at is not None), key=Entry.place)

    def superseded_at(self, entry):
        """Roles: the smaller of what is stored and the activation of the next greater entry."""
        ends = [] if entry.superseded_at is None else [entry.superseded_at]
        if entry.activate_at is not None:
            ends += [e.activate_at for e in self.dated() if e.place() > entry.place()][:1]
        return min(ends, default=None)

    def opens_until(self, entry):
        """Opening, step 7: the instant from which the entry is expired, or None."""
        end = self.superseded_at(entry)
        if end is None:
            return None
        return end + entry.max_token_lifetime + self.policy.late + 2 * self.policy.skew

    def expired(self, entry, now):
        end = self.opens_until(entry)
        return end is not None and now >= end

    def superseded(self, entry, now):
        end = self.superseded_at(entry)
        return end is not None and end <= now

    def active(self, now):
        """Roles: the greatest due entry or none; no other takes its place."""
        due = [e for e in self.dated() if e.activate_at <= now]
        if not due or due[-1].status != "enabled" or self.superseded(due[-1], now):
            return None
        return due[-1]

    def role(self, entry, now):
        """Roles: the table, the first that fits."""
        if entry.status == "revoked":
            return "revoked"
        if self.expired(entry, now):
            return "expired"
        if entry.status == "disabled":
            return "disabled"
        if self.superseded(entry, now):
            return "retiring"
        if entry.activate_at is None:
            return "staged"
        return "scheduled" if entry.activate_at > now else "active"


# --- Loading ----------------------------------------------------------------------------------------------


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


# --- Taking a new ring ------------------------------------------------------------------------------------


def take(held, raw, now, expected_ring_id=None, allow_example_secrets=False):
    """Taking a new ring, with one held: the ring in force afterwards, or RingRefused."""
    new = load(raw, allow_example_secrets)
    if new.digest == held.digest:
        return held
    need(new.ring_id == held.ring_id and expected_ring_id in (None, new.ring_id), "another ring")
    need(new.generation > held.generation, "not a later generation")
    for old in held.keys:
        need(keeps(held, old, new.entry(old.id), now), "a key or tombstone is missing")
    need(new.not_before >= held.not_before, "not_before falls")
    return without_wrong_clock(new, now)


def without_wrong_clock(ring, now):
    """Taking a new ring: a not_before more than skew ahead counts as the instant of the taking."""
    ahead = ring.not_before > now + ring.policy.skew
    return replace(ring, not_before=now) if ahead else ring


def keeps(held, old, new, now):
    """Rules 4 and 5, for one entry of the ring held."""
    if old.status == "revoked":
        return now >= old.revoked_at + TOMBSTONE_SECONDS or (new is not None and new.status == "revoked")
    if held.expired(old, now):
        return True
    return new is not None and (new.status == "revoked" or new.secret == old.secret)


def take_first(raw, now, least_generation=0, revoked_ids=(), expected_ring_id=None,
               allow_example_secrets=False):
    """Taking a new ring, at a start. revoked_ids are pairs of a remembered id and its revoked_at."""
    new = load(raw, allow_example_secrets)
    need(expected_ring_id in (None, new.ring_id), "another ring")
    need(new.generation >= least_generation, "an earlier generation")
    for id, revoked_at in revoked_ids:
        entry = new.entry(id)
        within = now < revoked_at + TOMBSTONE_SECONDS
        need(not within or entry is None or entry.secret is None, "a revoked key has a secret again")
    return without_wrong_clock(new, now)
