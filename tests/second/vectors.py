"""Runs the JSON vectors of a folder: what to open, mint and load. The folder's README says what the members mean."""

import json
from dataclasses import replace

import ringfile
import taking
import waxseal

CODES = ("prefix length text mode unknown_key revoked_key expired_key forged disabled_key claims not_yet_valid"
         " retired_key expired revoked newer_schema unknown_schema body").split()
USER = ["u64", "u32", "u16"]
NOTED = USER + ["string", ("option", "bool")]
STATES = {0: [], 1: USER}
SETTINGS = "mode purpose carrier prefix context idle_limit absolute_limit known_schema schemas"
OPENED = "session_id issued_at expires_at key_id schema body"
EVERY = "kind name comment expect "
MEMBERS = {
    "open": EVERY + "now ring reader token",
    "mint": EVERY + "now ring writer padding lifetime schema body renews r draw token opened",
    "ring": EVERY + "file",
}
EXPECTED = {"open": ["open"] + CODES, "mint": ["token"], "ring": ["load", "refused"]}


def run(report, folder):
    """Every file of the folder, by name; each is one group, so that none can break off unseen."""
    files = sorted(folder.glob("*.json"))
    report.group("vectors", check_folder, folder, files)
    for file in files:
        report.group(file.name, check_file, file)


def check_folder(report, folder, files):
    """Not empty, and nothing in it but the vectors and the README."""
    report.equal("there are vectors in " + str(folder), bool(files), True)
    names = sorted(p.name for p in folder.glob("*"))
    report.equal("files", names, sorted([p.name for p in files] + ["README.md"]) if files else names)


def check_file(report, file):
    vector = as_bytes(json.loads(file.read_text(encoding="utf-8")))
    kind, expect = vector["kind"], vector["expect"]
    if kind not in MEMBERS or expect not in EXPECTED[kind]:
        return report.fail("kind and expect", "unknown: %r, %r" % (kind, expect))
    names = MEMBERS[kind] + (" " + OPENED if expect == "open" else "")
    report.equal("members", sorted(vector), sorted(names.split()))
    report.equal("name", vector["name"] + ".json", file.name)
    {"open": check_open, "mint": check_mint, "ring": check_ring}[kind](report, vector)


def as_bytes(vector):
    """token and file as bytes, from their text or from token_hex and file_hex."""
    out = {}
    for name, value in vector.items():
        if name in ("token_hex", "file_hex"):
            out[name[:-4]] = bytes.fromhex(value)
        else:
            out[name] = value.encode() if name in ("token", "file") else value
    return out


def settings_of(members, padding=None):
    """The settings and the context of a reader or writer."""
    if sorted(members) != sorted(SETTINGS.split()) or members["known_schema"] != members["schemas"][0]:
        raise ValueError("members of a reader that are not understood")
    chain = tuple((schema, STATES.get(schema, NOTED)) for schema in members["schemas"])
    settings = waxseal.Settings(
        mode=members["mode"], purpose=members["purpose"], carrier=members["carrier"], prefix=members["prefix"],
        idle_limit=members["idle_limit"], absolute_limit=members["absolute_limit"], padding=padding, chain=chain)
    return settings, bytes.fromhex(members["context"])


def opened(session):
    """The members that say what an opened session is."""
    return {"session_id": session.id(), "issued_at": session.iat, "expires_at": session.expires,
            "key_id": session.key_id.hex(), "schema": session.schema, "body": session.body.hex()}


def answer(settings, ring, text, context, now):
    try:
        return opened(waxseal.open_token(settings, ring, text, context, now))
    except waxseal.Refused as error:
        return error.code


def check_open(report, vector):
    settings, context = settings_of(vector["reader"])
    ring = taking.take_first(vector["ring"].encode(), vector["now"])
    expected = vector["expect"]
    if expected == "open":
        expected = {name: vector[name] for name in OPENED.split()}
    report.equal("answer", answer(settings, ring, vector["token"], context, vector["now"]), expected)


def check_mint(report, vector):
    settings, context = settings_of(vector["writer"], vector["padding"])
    now, ring = vector["now"], taking.take_first(vector["ring"].encode(), vector["now"])
    state = waxseal.State(bytes.fromhex(vector["body"]), vector["schema"], vector["lifetime"])
    inputs = (state, context, now, bytes.fromhex(vector["r"]), vector["draw"])
    if vector["renews"] is None:
        text = waxseal.mint(settings, ring, *inputs)
    else:
        text = mint_further(report, settings, ring, vector["renews"], inputs)
    report.equal("token", text.encode(), vector["token"])
    report.equal("opened", answer(settings, ring, vector["token"], context, now), vector["opened"])


def mint_further(report, settings, ring, renews, inputs):
    """A renewal or, from another carrier, a carrier change."""
    if sorted(renews) != ["carrier", "issued_at", "session_id", "token"]:
        raise ValueError("members of renews that are not understood")
    from_settings = replace(settings, carrier=renews["carrier"])
    session = waxseal.open_token(from_settings, ring, renews["token"].encode(), inputs[1], inputs[2])
    report.equal("renews", (session.id(), session.iat), (renews["session_id"], renews["issued_at"]))
    same = settings.carrier == renews["carrier"]
    return (waxseal.renew if same else waxseal.change_carrier)(settings, ring, session, *inputs)


def check_ring(report, vector):
    try:
        ringfile.load(vector["file"])
        found = "load"
    except ringfile.RingRefused:
        found = "refused"
    report.equal("answer", found, vector["expect"])
