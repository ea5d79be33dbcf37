#!/usr/bin/env python3
"""Runs the second implementation over docs/FORMAT.md and tests/vectors: python3 tests/second/check.py [folder]"""

import sys
from pathlib import Path

import answers
import examples
import filter
import refusals
import revocation
import vectors

VECTORS = Path(__file__).resolve().parent.parent / "vectors"


class Report:
    """Counts what passed and prints what failed."""

    def __init__(self):
        self.passed, self.failed, self.name = 0, 0, ""

    def equal(self, what, got, expected):
        if got == expected and type(got) is type(expected):
            self.passed += 1
        else:
            self.fail(what, "got %r, expected %r" % (got, expected))

    def fields(self, what, found, computed):
        """Every field of the one is in the other, with the same value."""
        for name in sorted(set(found) | set(computed)):
            self.equal(what + ", " + name, computed.get(name), found.get(name))

    def raises(self, what, error, function, *arguments):
        try:
            function(*arguments)
        except error:
            self.passed += 1
        else:
            self.fail(what, "was not refused")

    def fail(self, what, why):
        self.failed += 1
        print("FAILED %s: %s: %s" % (self.name, what, why))

    def group(self, name, check, *arguments):
        """One check of several comparisons. It fails if it breaks off, or compares nothing."""
        self.name, before = name, self.passed + self.failed
        try:
            check(self, *arguments)
        except Exception as error:
            self.fail("broke off", repr(error))
        if self.passed + self.failed == before:
            self.fail("ran", "nothing was compared")


def main(arguments):
    report = Report()
    examples.run(report)
    answers.run(report)
    refusals.run(report)
    filter.run(report)
    revocation.run(report)
    vectors.run(report, Path(arguments[0]) if arguments else VECTORS)
    print("%d passed, %d failed" % (report.passed, report.failed))
    return 0 if report.failed == 0 and report.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
