"""Checks what neither an example nor a vector shows: refused mints and renewals, and the taking of a ring."""

import hashlib
import json
from dataclasses import replace

import document
import ringfile
import taking
import waxseal
from examples import NOW, R, SETTINGS, STATE, ring_file, ring_of


def run(report):
    text = document.read()
    report.group("caller errors", check_caller_errors, ring_of(text))
    report.group("minting", check_minting, ring_of(text))
    report.group("renewal", check_renewal, ring_of(text))
    report.group("taking", check_taking, ring_file(text).decode())
    report.group("first ring", check_first, ring_file(text).decode())


def change_entries(ring, **change):
    return replace(ring, keys=tuple(replace(e, **change) if e.secret else e for e in ring.keys))


# --- Writers ----------------------------------------------------------------------------------------------


def check_caller_errors(report, ring):
    """Text, Token (Context), Limits."""
    for change in ({"prefix": "shop"}, {"prefix": "x" * 16 + "_"}, {"prefix": ""}, {"prefix": "a-_"},
                   {"purpose": ""}, {"purpose": "Session"}, {"purpose": "x" * 65}, {"carrier": "Header"},
                   {"carrier": "cookie:"}, {"carrier": "cookie:a=b"}, {"carrier": "cookie:" + "x" * 65},
                   {"idle_limit": 0}, {"absolute_limit": 1 << 32}, {"padding": 8},
                   {"mode": "signed", "padding": 16}):
        report.raises(repr(change), waxseal.CallerError, lambda: replace(SETTINGS, **change))
    long = bytes(1025)
    report.raises("context", waxseal.CallerError, waxseal.mint, SETTINGS, ring, STATE, long, NOW, R, 0)
    report.raises("context", waxseal.CallerError, waxseal.open_token, SETTINGS, ring, b"", long, NOW)
    report.raises("session id", waxseal.CallerError, waxseal.parse_session_id, "s1." + "A" * 32)


def check_minting(report, ring):
    """Minting, steps 3 to 8: the last that is minted and the first that is refused."""
    def minted(ring, now=NOW, state=STATE, settings=SETTINGS):
        try:
            return bool(waxseal.mint(settings, ring, state, b"", now, R, 0))
        except waxseal.MintRefused as error:
            return str(error)[:6]

    steps = [
        (True, {"ring": replace(ring, not_before=NOW + 119)}),
        ("step 3", {"ring": replace(ring, not_before=NOW + 120)}),
        (True, {"now": (1 << 32) - 1}),
        ("step 4", {"now": 1 << 32}),
        ("step 5", {"now": 1783404399}),
        ("step 5", {"ring": change_entries(ring, status="disabled")}),
        (True, {"ring": change_entries(ring, superseded_at=NOW + 1)}),
        ("step 5", {"ring": change_entries(ring, superseded_at=NOW)}),
        (True, {"state": replace(STATE, body=bytes(2960))}),
        ("step 8", {"state": replace(STATE, body=bytes(2961))}),
        (True, {"state": replace(STATE, body=bytes(2955)), "settings": replace(SETTINGS, padding=16)}),
        ("step 8", {"state": replace(STATE, body=bytes(2956)), "settings": replace(SETTINGS, padding=16)}),
    ]
    for expected, change in steps:
        report.equal(expected, minted(**{"ring": ring, **change}), expected)


def check_renewal(report, ring):
    """Renewal: what a writer MUST refuse."""
    text = waxseal.mint(SETTINGS, ring, STATE, b"", NOW, R, 0).encode()
    session = waxseal.open_token(SETTINGS, ring, text, b"", NOW)

    def renewed(settings=SETTINGS, ring=ring, now=NOW, renew=waxseal.renew):
        try:
            return bool(renew(settings, ring, session, STATE, b"", now, R, 0))
        except waxseal.MintRefused as error:
            return str(error)[len("renewal: "):]

    cookie = replace(SETTINGS, carrier="cookie:id")
    steps = [
        (True, {}),
        ("another carrier", {"settings": cookie}),
        (True, {"settings": cookie, "renew": waxseal.change_carrier}),
        ("another purpose or mode", {"settings": replace(SETTINGS, purpose="reset")}),
        ("another purpose or mode", {"settings": replace(SETTINGS, mode="signed")}),
        (True, {"now": NOW + 3599}),
        ("expired", {"now": NOW + 3600}),
        (True, {"now": NOW - 120}),
        ("not_yet_valid", {"now": NOW - 121}),
        ("revoked", {"ring": replace(ring, not_before=NOW)}),
        ("disabled_key", {"ring": change_entries(ring, status="disabled")}),
        ("revoked_key", {"ring": change_entries(ring, status="revoked")}),
        ("unknown_key", {"ring": replace(ring, keys=ring.keys[:2])}),
        ("retired_key", {"ring": change_entries(ring, superseded_at=NOW - 86461)}),
        ("expired_key", {"ring": change_entries(ring, superseded_at=NOW - 172920)}),
    ]
    for expected, change in steps:
        report.equal(expected, renewed(**change), expected)


# --- Rings ------------------------------------------------------------------------------------------------


def rewrite(file, edit):
    """The file after an edit of its members, with the digest that goes with it."""
    top = json.loads(file)
    del top["digest"]
    edit(top)
    raw = json.dumps(top)[:-1].encode() + b',"digest":"sha256:'
    return raw + hashlib.sha256(raw).hexdigest().encode() + b'"}\n'


def setting(**members):
    """An edit of top members, or with key and its number, of that entry."""
    number = members.pop("key", None)

    def edit(top):
        top["generation"] += 1
        (top if number is None else top["keys"][number]).update(members)
    return edit


def without(number):
    def edit(top):
        top["generation"] += 1
        del top["keys"][number]
    return edit


def revoked(number):
    return setting(key=number, status="revoked", secret=None, revoked_at=NOW)


def check_taking(report, file):
    """Taking a new ring: rules 2 to 6, and a not_before ahead of the clock."""
    held = ringfile.load(file.encode(), True)

    def taken(edit, now=NOW, expected=None, held=held):
        try:
            return taking.take(held, rewrite(file, edit), now, expected, True).cut_off(now)
        except ringfile.RingRefused as error:
            return str(error)

    gone, tombstone = "a key or tombstone is missing", 1783404400 + 31536000
    steps = [
        (0, setting(), {}),
        ("another ring", setting(ring_id="0" * 32), {}),
        ("another ring", setting(), {"expected": "0" * 32}),
        ("not a later generation", lambda top: None, {}),
        (gone, without(2), {}),
        (0, revoked(2), {}),
        (gone, without(1), {"now": 1786169199}),
        (0, without(1), {"now": 1786169200}),
        (gone, without(0), {"now": tombstone - 1}),
        (0, without(0), {"now": tombstone}),
        ("not_before falls", setting(), {"held": replace(held, not_before=1)}),
        (NOW + 60, setting(not_before=NOW + 60), {}),
        (NOW, setting(not_before=NOW + 61), {}),
    ]
    for i, (expected, edit, change) in enumerate(steps):
        report.equal("case %d" % i, taken(edit, **change), expected)
    report.equal("the same file", taking.take(held, file.encode(), NOW, None, True) is held, True)


def check_first(report, file):
    """Taking a new ring, at a start."""
    def taken(**change):
        try:
            return taking.take_first(file.encode(), NOW, allow_example_secrets=True, **change).generation
        except ringfile.RingRefused as error:
            return str(error)

    generation, back = json.loads(file)["generation"], "a revoked key has a secret again"
    key, tombstone = bytes.fromhex("0fa8a5"), bytes.fromhex("638890")
    report.equal("least", taken(least_generation=generation), generation)
    report.equal("earlier", taken(least_generation=generation + 1), "an earlier generation")
    report.equal("expected", taken(expected_ring_id="0" * 32), "another ring")
    report.equal("remembered", taken(revoked_ids=[(tombstone, NOW)]), generation)
    report.equal("back", taken(revoked_ids=[(key, NOW - 31535999)]), back)
    report.equal("long ago", taken(revoked_ids=[(key, NOW - 31536000)]), generation)
