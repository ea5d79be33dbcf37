"""The values of a ring, and the roles of its keys (FORMAT.md, Ring file, Members; Roles)."""

from dataclasses import dataclass
from typing import Optional


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
    taken_at: Optional[int] = None

    def cut_off(self, now):
        """Taking a new ring: while not_before is more than skew ahead, it counts as the instant of taking."""
        ahead = self.taken_at is not None and self.not_before > now + self.policy.skew
        return self.taken_at if ahead else self.not_before

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
