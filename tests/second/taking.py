"""The taking of a new ring, and of the first one (FORMAT.md, Taking a new ring)."""

from dataclasses import replace

from ringfile import load, need

TOMBSTONE_SECONDS = 31536000


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
    return replace(new, taken_at=now)


def keeps(held, old, new, now):
    """Rules 4 and 5, for one entry of the ring held."""
    if old.status == "revoked":
        return now >= old.revoked_at + TOMBSTONE_SECONDS or (new is not None and new.status == "revoked")
    if held.expired(old, now + 2 * held.policy.skew):
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
    return replace(new, taken_at=now)
