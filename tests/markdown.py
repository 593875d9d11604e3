"""The fenced blocks of a Markdown file, so that tests can do what it says."""

import re
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<kind>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block with the heading above it, and the file that the line before it names, if any."""

    heading: str
    kind: str
    text: str
    path: str | None


def one(file: Path, heading: str, number: int = 0) -> Block:
    """The block with that number, from 0 on, of those below a heading."""
    return [block for block in blocks(file) if block.heading == heading][number]


def blocks(file: Path) -> list[Block]:
    """Every fenced block of `file`, in order."""
    document = file.read_text("utf-8")
    # A comment in a shell block looks like a heading.
    headings = [
        (found.start(), found[1])
        for found in HEADING.finditer(
            FENCE.sub(lambda block: re.sub("[^\n]", " ", block[0]), document)
        )
    ]
    return [
        Block(
            [title for start, title in headings if start < found.start()][-1],
            found["kind"],
            found["text"],
            found["path"],
        )
        for found in FENCE.finditer(document)
    ]
