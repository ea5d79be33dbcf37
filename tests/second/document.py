"""Takes the worked examples and tables out of docs/FORMAT.md, so that a change of the document is noticed."""

import re
from pathlib import Path

PATH = Path(__file__).resolve().parent.parent.parent / "docs" / "FORMAT.md"
FIELD = re.compile(r"(\S+(?: \S+)*)  +(\S.*)")
P_LINE = re.compile(r"P ([0-9a-f]+), draw (\d+)(?:, key id ([0-9a-f]{6}))?(?:, iat (\d+))?")


def read():
    return PATH.read_text(encoding="utf-8")


def section(text, title):
    """From a heading, given by the start of its title, up to the next heading of any level."""
    return re.split(r"(?m)^#+ ", text[heading(text, title):])[0]


def heading(text, title):
    found = [m.end() for m in re.finditer(r"(?m)^#+ " + re.escape(title) + r"(?![0-9]).*\n", text)]
    if len(found) != 1:
        raise ValueError("not one heading begins with " + title)
    return found[0]


def blocks(text, language="text"):
    """The fenced blocks of a section."""
    return re.findall(r"(?ms)^```" + language + r"\n(.*?)^```$", text)


def fields(block):
    """A block of lines "name  value" as a dict, without the remark " = ..." that a value may have."""
    pairs = [FIELD.fullmatch(line).groups() for line in block.splitlines()]
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a field is there twice")
    return dict(pairs)


def table(text, first_column):
    """The rows of the table whose head begins with first_column."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")]
            for line in text.splitlines() if line.startswith("|")]
    start = next(i for i, row in enumerate(rows) if row[0] == first_column)
    body = []
    for row in rows[start + 2:]:
        if len(row) != len(rows[start]):
            break
        body.append(row)
    return body


def answers(block):
    """Example 12: (code, description, P line or None, text or None) for every answer of the block."""
    out = []
    for line in block.splitlines():
        if not line.startswith(" "):
            code, what = line.split(None, 1)
            out.append([code, what, None, None])
        elif P_LINE.fullmatch(line.strip()):
            out[-1][2] = P_LINE.fullmatch(line.strip()).groups()
        elif out[-1][3] is None:
            out[-1][3] = line.strip()
        else:
            raise ValueError("a line too many: " + line)
    return out
