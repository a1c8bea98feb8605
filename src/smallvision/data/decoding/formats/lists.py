"""Lists in text files: each line names a picture, alone or before what is said of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from smallvision.data.decoding.formats.rows import decode_text
from smallvision.data.decoding.image import SUFFIXES
from smallvision.data.decoding.regular import read_regular

LIST_SUFFIXES = (".txt", ".lst", ".list")
MAX_BYTES = 20_000_000
_ENDINGS = "|".join(map(re.escape, SUFFIXES))
# A name with the ending of a picture may hold spaces; any other is one word.
_LINE = re.compile(rf"(.+?(?:{_ENDINGS})|[^\s,;]+)(?:[\s,;]+(.*))?", re.IGNORECASE)


class Line(NamedTuple):
    """A line of a list: what it names, the rest of it, and the whole line."""

    name: str
    rest: str
    text: str


def read_list(path: Path, name: str) -> list[Line]:
    """The lines of a text file, without empty ones and comments (`#`).

    Args:
        path: of the file.
        name: what to call it in an error.

    Raises:
        DataError: it is no regular file, or larger than the list of any data set.
    """
    text = decode_text(read_regular(path, name, most=MAX_BYTES)).replace('"', "")
    lines = [line.strip() for line in text.splitlines()]
    found = [_LINE.fullmatch(line) for line in lines if line and not line.startswith("#")]
    return [Line(match[1], (match[2] or "").strip(), match[0]) for match in found if match]
