"""Checks the worked examples and tables of docs/FORMAT.md against the second implementation."""

import hashlib
import json
import re
from dataclasses import replace

import document
import keys
import postcard
import ringfile
import waxseal
import xchacha

KEY = bytes(range(32))
R = b"\xa5" * 16
NOW = 1786000000
COOKIE = "cookie:__Host-Http-id"
STATE_TYPE = ["u64", "u32", "u16"]
BODY = postcard.encode(STATE_TYPE, [1234567890, 54321, 513])
STATE = waxseal.State(body=BODY, schema=1, asked=3600)
PADDING = {"6": 16, "7": 32}
SETTINGS = waxseal.Settings(mode="sealed", purpose="session", carrier="header", idle_limit=7200,
                            absolute_limit=43200, chain=((1, STATE_TYPE),))


def run(report):
    text = document.read()
    report.group("labels", check_labels, text)
    report.group("keys", check_keys, text)
    report.group("lifetimes", check_lifetimes, text)
    report.group("example 11", check_ring_file, text)
    for number in "123456789":
        report.group("example " + number, check_token, text, number)
    report.group("example 10", check_prefix, text)


def ring_file(text):
    return document.blocks(document.section(text, "Example 11"), "json")[0].encode()


def ring_of(text):
    return ringfile.load(ring_file(text), allow_example_secrets=True)


# --- Keys and tables --------------------------------------------------------------------------------------


def check_labels(report, text):
    """Keys and Reserved labels: the ASCII and the hex columns agree."""
    rows = document.table(document.section(text, "Keys"), "what")
    rows += document.table(document.section(text, "Reserved labels"), "use")
    for _, ascii, hex in rows:
        label = b"\0" if ascii == "(NUL)" else ascii.strip("`").encode()
        report.equal("label " + ascii, label.hex(), hex.strip("`"))


def check_keys(report, text):
    """Key, labels and subkeys."""
    key, header, cookie = document.blocks(document.section(text, "Key, labels and subkeys"))
    prk = keys.prk(KEY)
    info = b"waxseal/v1/kid"
    report.fields("key", document.fields(key), {
        "K": KEY.hex(), "PRK": prk.hex(), "key id info": info.hex(),
        "key id HKDF": keys.expand(prk, info).hex(), "key id": keys.key_id(KEY).hex()})
    for block, carrier in ((header, "header"), (cookie, COOKIE)):
        expected = {}
        for use in ("seal", "sign", "seal-rnd", "sign-rnd"):
            expected[use + " info"] = keys.subkey_info(use, "session", carrier).hex()
            expected[use] = keys.subkey(KEY, use, "session", carrier).hex()
        report.fields(carrier, document.fields(block), expected)


def check_lifetimes(report, text):
    """Minting: the table of lifetimes, each row minted and opened."""
    ring = ring_of(text)
    first = mint(ring, SETTINGS, 0, NOW, STATE)
    session = waxseal.open_token(SETTINGS, ring, first.encode(), b"", NOW)
    for asked, age, ttl in document.table(document.section(text, "Minting"), "asked"):
        report.equal("ttl %s at %s" % (asked, age), lifetime(ring, session, int(asked), int(age)), ttl)


def lifetime(ring, session, asked, age):
    """The ttl by Minting, steps 4 to 10 alone: step 13 of Opening would refuse a session at 43200 too."""
    now, state = NOW + age, replace(STATE, asked=asked)
    try:
        text = waxseal.finish(SETTINGS, ring, state, b"", now, R, 0, now, session if age else None)
    except waxseal.MintRefused:
        return "refused"
    return str(waxseal.open_token(SETTINGS, ring, text.encode(), b"", now).ttl)


def mint(ring, settings, draw, now, state, context=b""):
    return waxseal.mint(settings, ring, state, context, now, R, draw)


# --- Examples 1 to 10 -------------------------------------------------------------------------------------


def settings_of(found, number):
    mode = "signed" if "sign subkey" in found else "sealed"
    return replace(SETTINGS, mode=mode, carrier=found["carrier"], purpose=found["purpose"],
                   padding=PADDING.get(number))


def context_of(found):
    if found["context"] == "(empty)":
        return b""
    ascii, hex = found["context"].split(" = ")
    assert ascii.encode().hex() == hex
    return bytes.fromhex(hex)


def check_token(report, text, number):
    """Examples 1 to 9: every intermediate, then the whole through minting and opening."""
    part = document.section(text, "Example " + number)
    found = document.fields(document.blocks(part)[0])
    settings, context, draw = settings_of(found, number), context_of(found), int(found["draw"])
    now = int(found["iat"].split(" = ")[0])
    session = None if found["P.origin"] == "00" else first_session(text)
    report.fields("example " + number, found, intermediates(found, settings, context, draw, now, session))
    minted = mint_example(ring_of(text), settings, context, draw, now, session)
    report.equal("minted", minted, found["text"])
    opened = waxseal.open_token(settings, ring_of(text), minted.encode(), context, now)
    report.equal("state", postcard.encode(STATE_TYPE, opened.state), BODY)
    named = re.findall(r"s1\.[0-9a-f]{32}", part)
    report.equal("SessionId", sorted({opened.id(), *named}), [opened.id()])
    report.equal("SessionId's text", waxseal.parse_session_id(opened.id()), (opened.start, opened.first_rnd))


def first_session(text):
    """The session of Example 1, which Examples 4 and 5 go on with."""
    found = document.fields(document.blocks(document.section(text, "Example 1"))[0])
    return waxseal.open_token(SETTINGS, ring_of(text), found["text"].encode(), context_of(found), NOW)


def mint_example(ring, settings, context, draw, now, session):
    if session is None:
        return mint(ring, settings, draw, now, STATE, context)
    same = settings.carrier == session.carrier
    further = waxseal.renew if same else waxseal.change_carrier
    return further(settings, ring, session, STATE, context, now, R, draw)


def intermediates(found, settings, context, draw, now, session):
    """All lines of the example's block, from its inputs."""
    out = {name: found[name] for name in ("purpose", "carrier", "context")}
    out.update({"r": R.hex(), "draw": str(draw), "iat": "%d = %08x" % (now, now)})
    out.update(claims_lines(settings, now, session))
    p = bytes.fromhex("".join(v for k, v in out.items() if k.startswith("P.")))
    out["P"] = p.hex()
    use, key = waxseal.USE[settings.mode], keys.subkey
    mode = "11" if settings.mode == "sealed" else "12"
    header8 = bytes.fromhex(mode + "0fa8a5%08x" % now)
    rnd_key = key(KEY, use + "-rnd", settings.purpose, settings.carrier)
    message = waxseal.rnd_input(R, draw, header8, context, p)
    rnd_hmac = keys.hmac256(rnd_key, message)
    header = header8 + rnd_hmac[:12]
    token_key = key(KEY, use, settings.purpose, settings.carrier)
    out.update({"rnd subkey": rnd_key.hex(), "rnd input": message.hex(), "rnd HMAC": rnd_hmac.hex(),
                "rnd": rnd_hmac[:12].hex(), "header": header.hex(), use + " subkey": token_key.hex()})
    lines = sealed_lines if settings.mode == "sealed" else signed_lines
    token = lines(out, token_key, header, context, p)
    out.update({"token": token.hex(), "text": waxseal.encode_text(token)})
    return out


def claims_lines(settings, now, session):
    """P in its parts."""
    head = 2 + (settings.padding is not None)
    origin = 0 if session is None else now - session.start + 1
    parts = {"P.head": postcard.write_varint(head), "P.ttl": postcard.write_varint(3600),
             "P.origin": postcard.write_varint(origin)}
    if session is not None:
        parts["P.first rnd"] = session.first_rnd
    parts["P.body"] = BODY
    if settings.padding:
        length = sum(map(len, parts.values()))
        parts["P.padding"] = b"\x80" + bytes(-(length + 1) % settings.padding)
    return {name: value.hex() for name, value in parts.items()}


def sealed_lines(out, key, header, context, p):
    inner, nonce = xchacha.inner_key_and_nonce(key, waxseal.nonce24(header))
    ciphertext, tag = xchacha.seal(key, waxseal.nonce24(header), header + context, p)
    out.update({"nonce (24)": waxseal.nonce24(header).hex(), "HChaCha20 subkey": inner.hex(),
                "nonce (12)": nonce.hex(), "AAD": (header + context).hex(),
                "Poly1305 key": xchacha.poly1305_key(inner, nonce).hex(), "ciphertext": ciphertext.hex(),
                "tag": tag.hex()})
    return header + ciphertext + tag


def signed_lines(out, key, header, context, p):
    message = waxseal.hmac_input(header, context, p)
    full = keys.hmac256(key, message)
    out.update({"HMAC input": message.hex(), "HMAC": full.hex(), "tag": full[:16].hex()})
    return header + p + full[:16]


def check_prefix(report, text):
    part = document.section(text, "Example 10")
    minted = mint(ring_of(text), replace(SETTINGS, prefix="shop_"), 7, NOW, STATE, b"tenant-7")
    report.equal("text", minted, document.blocks(part)[0].strip())


# --- Example 11 -------------------------------------------------------------------------------------------


def check_ring_file(report, text):
    part, raw = document.section(text, "Example 11"), ring_file(text)
    size, lines = re.search(r"(\d+) bytes: (\d+) lines", part).groups()
    report.equal("bytes", str(len(raw)), size)
    report.equal("lines", str(raw.count(b"\n")), lines)
    covered = int(re.search(r"over the first (\d+) bytes", part).group(1))
    report.equal("covered", raw[covered - 7:covered], b"sha256:")
    report.equal("digest", hashlib.sha256(raw[:covered]).hexdigest(), json.loads(raw)["digest"][7:])
    report.raises("example secrets are refused", ringfile.RingRefused, ringfile.load, raw)
    ring = ringfile.load(raw, allow_example_secrets=True)
    for row in document.table(part, "id"):
        report.equal("role of " + row[0], role_row(ring, row), row)
    for now, active in ((1785996399, "f2e4c0"), (1785996400, "0fa8a5"), (1783404399, None)):
        report.equal("%d is named" % now, str(now) in part, True)
        entry = ring.active(now)
        report.equal("active at %d" % now, entry and entry.id.hex(), active)


def role_row(ring, row):
    """The row of the table of Example 11, computed."""
    entry = ring.entry(bytes.fromhex(row[0].strip("`")))
    secret = "gone"
    if entry.secret is not None:
        first, second, last = (entry.secret[i:i + 1].hex() for i in (0, 1, 31))
        secret = "%s %s .. %s" % (first, second, last)
    role, end = ring.role(entry, NOW), ring.superseded_at(entry)
    until = "never" if role == "revoked" else str(ring.opens_until(entry) or "no end yet")
    return ["`%s`" % entry.id.hex(), secret, str(end or "none"), role, until]
