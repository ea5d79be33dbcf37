"""Checks Example 12 of docs/FORMAT.md, texts and their answers, against the second implementation."""

import re
from dataclasses import replace

import document
import keys
import waxseal
from examples import KEY, NOW, R, SETTINGS, STATE_TYPE, ring_of
from ring import Entry

SIGNED = {"mode": "signed"}
SHOP = {"prefix": "shop_"}
NOT_BEFORE = {"not_before": 1786000000}
DISABLED = {"disabled": "0fa8a5"}

# The reader that a line's words describe; "; now = N" is cut off before the look-up. A line that is not here
# is a failure.
READERS = {
    "Example 1": {},
    "Example 1, the reader is configured with the prefix `shop_`": SHOP,
    "the same reader, the case of the prefix differs": SHOP,
    "Example 10 ending in `=`, the same reader": SHOP,
    "the first 51 characters of Example 1": {},
    "4001 times `A`": {},
    "Example 1 and one `=`": {},
    "Example 1, the two trailing bits not zero": {},
    "the first 53 characters of Example 1 (4k+1)": {},
    "Example 1 with `+` for `-`": {},
    "Example 3 given to the sealed reader": {},
    "Example 1 with version 2": {},
    "Example 1 with key id `ffffff`": {},
    "truly sealed under the revoked key, whose secret was `fffe..e0`": {},
    "sealed under the staged key": {},
    "sealed under the retiring key; one second before it stops opening": {},
    "the same text one second later": {},
    "Example 1, iat one second later": {},
    "Example 2, a cookie's token, given to the header reader": {},
    "Example 1, the reader has no context": {"context": b""},
    "Example 1, the reader has the purpose `reset`": {"purpose": "reset"},
    "Example 1, last bit of the tag flipped, the entry `0fa8a5` disabled": DISABLED,
    "Example 1, the entry `0fa8a5` disabled": DISABLED,
    "head not minimal (`8200`)": {},
    "head 131072, the first out of range": {},
    "ttl 0": {},
    "ttl 2^32": {},
    "ttl of six bytes": {},
    "origin iat + 2, so start would be -1": {},
    "origin 2^32 + 1": {},
    "cut short within the first rnd": {},
    "padded, 15 bytes": {},
    "padded, only 00 after the claims": {},
    "padded, no 80 before the 00s": {},
    "a state of 12 bytes and 64 bytes of padding": {},
    "a state of 11 bytes and 65 bytes of padding": {},
    "a signed token with the padding flag, given to a signed reader": SIGNED,
    "Example 1, the clock 121 seconds behind": {},
    "Example 1, the clock 120 seconds behind": {},
    "retiring key, iat one second too late": {},
    "retiring key, the last iat it may have": {},
    "Example 1 in its last second": {},
    "Example 1 at iat + ttl": {},
    "ttl 86400, at iat + idle": {},
    "a session that began 43200 seconds before iat": {},
    "Example 1, not_before 1786000000": NOT_BEFORE,
    "Example 4, the same ring: the start counts, not iat": NOT_BEFORE,
    "Example 1, not_before 1785999999": {"not_before": 1785999999},
    "schema 2, the reader's type is schema 1": {},
    "schema 2, the reader's chain is 3 then 1": {"chain": ((3, STATE_TYPE), (1, STATE_TYPE))},
    "one byte left over": {},
    "the state cut short": {},
    "the last integer of the state spelled `818400`, which postcard allows": {},
}

# The keys of Example 11 by id. The document does not show that of the tombstone, ff fe .. e0.
SECRETS = {keys.key_id(secret).hex(): secret for secret in (
    KEY, bytes(range(31, -1, -1)), bytes(range(32, 64)), bytes(range(255, 223, -1)))}


def run(report):
    report.group("example 12", check_answers, document.read())


def check_answers(report, text):
    lines = document.answers(document.blocks(document.section(text, "Example 12"))[0])
    for code, what, p_line, given in lines:
        check_answer(report, text, code, what, p_line, given)
    report.equal("lines", len(lines), len(READERS))


def check_answer(report, text, code, what, p_line, given):
    words, _, now = what.partition("; now = ")
    if words not in READERS:
        return report.fail(what, "a line that this check does not know")
    change = dict(READERS[words])
    ring = changed_ring(ring_of(text), change)
    context = change.pop("context", b"tenant-7")
    settings = replace(SETTINGS, **change)
    message = given or text_of(text, words)
    report.equal(what, answer(settings, ring, message, context, int(now or NOW)), code)
    if p_line is not None:
        report.equal(what + ": text", text_over(settings, *p_line), message)
    derived = derive(text, words)
    if derived is not None:
        report.equal(what + ": derived", derived, message)


def changed_ring(ring, change):
    """The ring of Example 11 with the line's changes, which are taken out of the dict."""
    ring = replace(ring, not_before=change.pop("not_before", 0))
    disabled = change.pop("disabled", None)
    return replace(ring, keys=tuple(
        replace(e, status="disabled") if e.id.hex() == disabled else e for e in ring.keys))


def answer(settings, ring, message, context, now):
    try:
        waxseal.open_token(settings, ring, message.encode(), context, now)
    except waxseal.Refused as error:
        return error.code
    return "accepted"


def text_of(text, words):
    """The text of the example that a line names."""
    if words == "4001 times `A`":
        return "A" * 4001
    number = re.match(r"Example (\d+)", words).group(1)
    return document.fields(document.blocks(document.section(text, "Example " + number))[0])["text"]


def text_over(settings, p, draw, key_id, iat):
    """The token that is rightly made over a given P."""
    id = bytes.fromhex(key_id or "0fa8a5")
    entry = Entry(id, "enabled", 0, None, None, 1, None, None, SECRETS[id.hex()])
    token = waxseal.build_token(settings, entry, int(iat or NOW), bytes.fromhex(p), b"tenant-7", R, int(draw))
    return waxseal.encode_text(token)


def derive(text, words):
    """The text that a line's words describe, where they say all of it."""
    first = text_of(text, "Example 1")
    raw = bytearray(waxseal.decode_text(first.encode(), None))
    edits = {"Example 1 with version 2": (0, 0x21), "Example 1, iat one second later": (7, raw[7] + 1),
             "Example 1, last bit of the tag flipped, the entry `0fa8a5` disabled": (-1, raw[-1] ^ 1)}
    if words in edits:
        at, value = edits[words]
        raw[at] = value
        return waxseal.encode_text(raw)
    if words == "Example 1 with key id `ffffff`":
        return waxseal.encode_text(raw[:1] + b"\xff\xff\xff" + raw[4:])
    return {"the same reader, the case of the prefix differs": "Shop_" + first,
            "Example 10 ending in `=`, the same reader": "shop_" + first[:-1] + "=",
            "the first 51 characters of Example 1": first[:51],
            "the first 53 characters of Example 1 (4k+1)": first[:53],
            "Example 1 and one `=`": first + "=",
            "Example 1 with `+` for `-`": first.replace("-", "+"),
            "Example 1, the two trailing bits not zero": first[:-1] + "1"}.get(words)
