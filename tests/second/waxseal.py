"""A second implementation of the waxseal token, written from docs/FORMAT.md alone: mint, open, renew.

It is for checking the document and the vectors, not for production: nothing is wiped from memory.
"""

import base64
import hmac
import re
import struct
from dataclasses import dataclass, field
from typing import Optional

import postcard
import xchacha
from claims import RND, Refused, build_p, parse_p, refuse_if
from keys import hmac256, subkey

CONTEXT_BYTES = 1024
TEXT_LENGTHS = range(52, 4001)
P_BYTES = 2964
U32 = (1 << 32) - 1
HEADER, TAG = 20, 16
MODE_BYTE = {"sealed": 0x11, "signed": 0x12}
USE = {"sealed": "seal", "signed": "sign"}
TOKEN = re.compile(rb"(?:[A-Za-z0-9_-]{4})*"
                   rb"(?:[A-Za-z0-9_-][AQgw]|[A-Za-z0-9_-]{2}[AEIMQUYcgkosw048])?")
PREFIX = r"[A-Za-z0-9_]{0,15}_"
PURPOSE = r"[a-z0-9._/-]{1,64}"
CARRIER = r"header|cookie:[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}"
SESSION_ID = r"s1\.([0-9a-f]{32})"


class CallerError(Exception):
    """The caller's arguments are outside the format; there is no code."""


class MintRefused(Exception):
    """No token is minted. There are no codes; the text says which step of Minting or Renewal refuses."""


def caller(condition, why):
    if not condition:
        raise CallerError(why)


def mint_unless(condition, why):
    if not condition:
        raise MintRefused(why)


# --- Configuration ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """What a writer and a reader are configured with. chain: (schema, type), the outermost first."""

    mode: str
    purpose: str
    carrier: str
    idle_limit: int
    absolute_limit: int
    prefix: Optional[str] = None
    padding: Optional[int] = None
    chain: tuple = ()

    def __post_init__(self):
        """Text: outside the grammar it MUST NOT be built."""
        caller(self.mode in MODE_BYTE, "mode")
        caller(re.fullmatch(PURPOSE, self.purpose), "purpose")
        caller(re.fullmatch(CARRIER, self.carrier), "carrier")
        caller(self.prefix is None or re.fullmatch(PREFIX, self.prefix), "prefix")
        caller(1 <= self.idle_limit <= U32 and 1 <= self.absolute_limit <= U32, "idle or absolute limit")
        caller(self.padding in (None, 16, 32, 64), "padding")
        caller(self.padding is None or self.mode == "sealed", "only a sealed token is padded")

    def subkey(self, entry, suffix=""):
        return subkey(entry.secret, USE[self.mode] + suffix, self.purpose, self.carrier)


def check_context(context):
    """Token, Context: before anything else."""
    caller(len(context) <= CONTEXT_BYTES, "a context of more than 1024 bytes")


# --- Text -------------------------------------------------------------------------------------------------


def encode_text(token, prefix=None):
    return (prefix or "") + base64.urlsafe_b64encode(token).rstrip(b"=").decode()


def decode_text(text, prefix):
    """Opening, steps 1 to 3. text is bytes."""
    if prefix is not None:
        refuse_if(not text.startswith(prefix.encode()), "prefix")
        text = text[len(prefix):]
    refuse_if(len(text) not in TEXT_LENGTHS, "length")
    refuse_if(not TOKEN.fullmatch(text), "text")
    return base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))


def session_id_text(start, first_rnd):
    """SessionId."""
    return "s1." + (struct.pack(">L", start) + first_rnd).hex()


def parse_session_id(text):
    """SessionId: start and first rnd of its text."""
    match = re.fullmatch(SESSION_ID, text)
    caller(match, "no session id")
    raw = bytes.fromhex(match.group(1))
    return struct.unpack(">L", raw[:4])[0], raw[4:]


# --- Token ------------------------------------------------------------------------------------------------


def le64(number):
    return struct.pack("<Q", number)


def rnd_input(r, draw, header8, context, p):
    return r + le64(draw) + header8 + le64(len(context)) + context + p


def hmac_input(header, context, p):
    return header + le64(len(context)) + context + p


def nonce24(header):
    return header + bytes(4)


def build_token(settings, entry, iat, p, context, r, draw):
    """rnd, Sealed and Signed: the token of a final P."""
    header8 = bytes([MODE_BYTE[settings.mode]]) + entry.id + struct.pack(">L", iat)
    rnd = hmac256(settings.subkey(entry, "-rnd"), rnd_input(r, draw, header8, context, p))[:RND]
    header = header8 + rnd
    key = settings.subkey(entry)
    if settings.mode == "signed":
        return header + p + hmac256(key, hmac_input(header, context, p))[:TAG]
    ciphertext, tag = xchacha.seal(key, nonce24(header), header + context, p)
    return header + ciphertext + tag


def authenticate(settings, entry, token, context):
    """Opening, step 8: P if the tag is right."""
    header, body, tag = token[:HEADER], token[HEADER:-TAG], token[-TAG:]
    key = settings.subkey(entry)
    if settings.mode == "signed":
        good = hmac256(key, hmac_input(header, context, body))[:TAG]
        refuse_if(not hmac.compare_digest(good, tag), "forged")
        return body
    p = xchacha.open(key, nonce24(header), header + context, body, tag)
    refuse_if(p is None, "forged")
    return p


# --- Opening ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Session:
    """What opening yields, and what a renewal needs."""

    mode: str
    purpose: str
    carrier: str
    key_id: bytes
    iat: int
    ttl: int
    start: int
    first_rnd: bytes
    expires: int
    schema: int
    body: bytes = field(repr=False)
    state: object = field(repr=False)

    def id(self):
        return session_id_text(self.start, self.first_rnd)


def open_token(settings, ring, text, context, now):
    """Opening: the session, or Refused with the code of the first step that refuses."""
    check_context(context)
    token = decode_text(text, settings.prefix)
    refuse_if(token[0] != MODE_BYTE[settings.mode], "mode")
    entry = entry_that_opens(ring, token[1:4], now)
    p = authenticate(settings, entry, token, context)
    refuse_if(entry.status == "disabled", "disabled_key")
    iat = struct.unpack(">L", token[4:8])[0]
    claims = parse_p(p, iat, settings.mode)
    start = claims.start(iat)
    expires = expiry(settings, iat, claims.ttl, start)
    check_times(ring, entry, iat, start, expires, now)
    state = decode_state(settings.chain, claims)
    return Session(mode=settings.mode, purpose=settings.purpose, carrier=settings.carrier, key_id=entry.id,
                   iat=iat, ttl=claims.ttl, start=start, first_rnd=claims.first_rnd or token[8:HEADER],
                   expires=expires, schema=claims.schema, body=claims.body, state=state)


def entry_that_opens(ring, id, now):
    """Opening, steps 5 to 7."""
    entry = ring.entry(id)
    refuse_if(entry is None, "unknown_key")
    refuse_if(entry.status == "revoked", "revoked_key")
    refuse_if(ring.expired(entry, now), "expired_key")
    return entry


def expiry(settings, iat, ttl, start):
    """Opening, step 13: the minimum."""
    return min(iat + ttl, iat + settings.idle_limit, start + settings.absolute_limit)


def check_times(ring, entry, iat, start, expires, now):
    """Opening, steps 11 to 14, without a revocation list."""
    skew, late, end = ring.policy.skew, ring.policy.late, ring.superseded_at(entry)
    refuse_if(iat > now + 2 * skew, "not_yet_valid")
    refuse_if(end is not None and iat > end + late + skew, "retired_key")
    refuse_if(now >= expires, "expired")
    refuse_if(ring.cut_off(now) != 0 and start <= ring.cut_off(now), "revoked")


def decode_state(chain, claims):
    """Opening, steps 15 to 17."""
    refuse_if(claims.schema > chain[0][0], "newer_schema")
    kind = dict(chain).get(claims.schema)
    refuse_if(kind is None, "unknown_schema")
    try:
        return postcard.decode(kind, claims.body)
    except postcard.Undecodable as error:
        raise Refused("body") from error


# --- Minting ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class State:
    """What a writer is asked to carry: postcard bytes, their schema, and the lifetime asked for."""

    body: bytes
    schema: int
    asked: int

    def __post_init__(self):
        caller(0 <= self.schema <= 65535, "schema")
        caller(1 <= self.asked <= U32, "lifetime")


def mint(settings, ring, state, context, now, r, draw):
    """Minting a new session."""
    check_context(context)
    iat = now
    if ring.cut_off(now) != 0 and now <= ring.cut_off(now):
        iat = ring.cut_off(now) + 1
        mint_unless(iat <= now + 2 * ring.policy.skew, "step 3: not_before is too far ahead of the clock")
    return finish(settings, ring, state, context, now, r, draw, iat, None)


def renew(settings, ring, session, state, context, now, r, draw):
    """Renewal: the carrier stays."""
    check_context(context)
    mint_unless(settings.carrier == session.carrier, "renewal: another carrier")
    return mint_further(settings, ring, session, state, context, now, r, draw)


def change_carrier(settings, ring, session, state, context, now, r, draw):
    """Carrier change: a renewal with the subkeys of the carrier of these settings."""
    check_context(context)
    return mint_further(settings, ring, session, state, context, now, r, draw)


def mint_further(settings, ring, session, state, context, now, r, draw):
    """Renewal: the checks, then minting with the session's start and first rnd."""
    same = (settings.purpose, settings.mode) == (session.purpose, session.mode)
    mint_unless(same, "renewal: another purpose or mode")
    check_still_open(settings, ring, session, now)
    return finish(settings, ring, state, context, now, r, draw, max(now, session.iat), session)


def check_still_open(settings, ring, session, now):
    """Renewal: steps 5 to 7, 9 and 11 to 14 of Opening for the token opened."""
    try:
        entry = entry_that_opens(ring, session.key_id, now)
        refuse_if(entry.status == "disabled", "disabled_key")
        expires = expiry(settings, session.iat, session.ttl, session.start)
        check_times(ring, entry, session.iat, session.start, expires, now)
    except Refused as error:
        raise MintRefused("renewal: " + error.code) from error


def finish(settings, ring, state, context, now, r, draw, iat, session):
    """Minting, steps 4 to 10. session is None for a new one."""
    mint_unless(iat <= U32, "step 4: iat")
    entry = ring.active(now)
    mint_unless(entry is not None, "step 5: no active key")
    start = iat if session is None else session.start
    ttl = min(state.asked, settings.idle_limit, ring.policy.max_token_lifetime,
              start + settings.absolute_limit - iat)
    mint_unless(ttl >= 1, "step 6: ttl")
    origin, first_rnd = (0, None) if session is None else (iat - start + 1, session.first_rnd)
    p = build_p(state.schema, ttl, origin, first_rnd, state.body, settings.padding)
    mint_unless(len(p) <= P_BYTES, "step 8: too long")
    return encode_text(build_token(settings, entry, iat, p, context, r, draw), settings.prefix)
