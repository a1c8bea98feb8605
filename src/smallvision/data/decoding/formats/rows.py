"""Tables of text: CSV, TSV and JSON Lines, read whole and within bounds."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from smallvision.data.decoding.regular import read_regular
from smallvision.errors import DataError

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")
MAX_BYTES = 64_000_000
MAX_CELLS = 3_000_000  # each takes about 60 bytes beside its text
MAX_ROWS, MAX_COLUMNS = 500_000, 1_000
MAX_LINE = 1_000_000  # characters of a line of JSON, which may be nested
_DELIMITERS = ",;\t|"  # of two that are equally frequent, the first


@dataclass(frozen=True)
class Rows:
    """A table.

    Attributes:
        columns: names of the columns; the first row of a table without names is among the rows.
        rows: a text for each column.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]


def read_rows(path: Path, name: str) -> Rows:
    """Read a table, whose first row holds the names of its columns.

    The delimiter may be a comma, a semicolon, a tab or a bar; in a `.txt`, a space too. Short rows
    are filled with empty texts.

    Args:
        path: of a `.csv`, `.tsv`, `.jsonl` or text file.
        name: what to call it in an error.

    Raises:
        DataError: it is no table, damaged, or larger than the table of any data set.
    """
    text = decode_text(read_regular(path, name, most=MAX_BYTES))
    try:
        if text.count("\n") > 2 * MAX_ROWS:  # before seconds of parsing; a cell may hold some lines
            raise ValueError(f"it has more than {MAX_ROWS:,} rows")
        suffix = path.suffix.lower()
        if suffix == ".jsonl":
            return _read_json(text)
        return _read_csv(text, _DELIMITERS if suffix in TABLE_SUFFIXES else _DELIMITERS + " ")
    except (csv.Error, ValueError, RecursionError) as error:
        raise DataError(f"{name} cannot be read as a table ({error!s:.200})") from error


def decode_text(content: bytes) -> str:
    """Text in UTF-8, in UTF-16 as Excel may write it, or else in the alphabet of western Europe."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _read_csv(text: str, delimiters: str) -> Rows:
    lines = text.splitlines(keepends=True)
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(delimiters, key=first.count)
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    rows = (row for row in reader if any(cell.strip() for cell in row))
    columns = tuple(cell.strip() for cell in next(rows, []))
    return _collect(columns, rows)


def _collect(columns: tuple[str, ...], rows: Iterator[list[str]]) -> Rows:
    if not 2 <= len(columns) <= MAX_COLUMNS:
        raise ValueError(f"it has {len(columns):,} columns; expected 2 to {MAX_COLUMNS:,}")
    collected = []
    width = len(columns)
    for row in rows:
        cells = [cell.strip() for cell in row[:width]]
        collected.append((*cells, *[""] * (width - len(cells))))
        if len(collected) > MAX_ROWS:
            raise ValueError(f"it has more than {MAX_ROWS:,} rows")
        if len(collected) * width > MAX_CELLS:
            raise ValueError(f"it has more than {MAX_CELLS:,} cells")
    return Rows(columns, collected)


def _read_json(text: str) -> Rows:
    columns: dict[str, None] = {}
    objects = []
    cells = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has {len(line):,} characters")
        fields = json.loads(line)
        if not isinstance(fields, dict):
            raise ValueError(f"line {number} is no object of names and values")
        cells += len(fields)
        if cells > MAX_CELLS:
            raise ValueError(f"it has more than {MAX_CELLS:,} cells")
        columns |= dict.fromkeys(fields)
        objects.append({key: _spell(value) for key, value in fields.items()})
    rows = ([fields.get(column, "") for column in columns] for fields in objects)
    return _collect(tuple(columns), rows)


def _spell(value: object) -> str:
    """A value as text; what holds others (boxes, lists of captions) is no label and no name."""
    if value is None or isinstance(value, dict | list):
        return ""
    return json.dumps(value) if isinstance(value, bool) else str(value)
