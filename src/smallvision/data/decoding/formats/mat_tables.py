"""The tables in a `.mat` file: its lists of numbers and texts that are equally long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from smallvision.data.decoding.formats.matlab import Value, read_mat
from smallvision.data.decoding.formats.rows import MAX_CELLS, MAX_COLUMNS, Rows

MAT_SUFFIX = ".mat"
MAX_BYTES = 100_000_000


def read_mat_tables(path: Path) -> list[Rows]:
    """The tables in a `.mat` file, whose columns are called like its variables and fields.

    Variables, fields and cells inside of single structures and cells are taken out of them. Lists
    of the same length are columns of one table; a table may have one column alone.

    Args:
        path: of the file.

    Raises:
        DataError: the file is damaged, of another version, or larger than that of any data set.
    """
    by_length: dict[int, dict[str, list[str]]] = {}
    for variable, value in read_mat(path, most=MAX_BYTES).items():
        for name, column in _list_columns(variable, value):
            columns = by_length.setdefault(len(column), {})
            if len(column) * (len(columns) + 1) <= MAX_CELLS and len(columns) < MAX_COLUMNS:
                columns[name] = column
    return [
        Rows(tuple(columns), list(zip(*columns.values(), strict=True)))
        for columns in by_length.values()
        if columns
    ]


def _list_columns(name: str, value: Value) -> Iterator[tuple[str, list[str]]]:
    """The lists of two or more numbers or texts in a value, with their names."""
    if isinstance(value, dict):
        for field, values in value.items():
            yield from _list_columns(field, values)
    elif isinstance(value, np.ndarray):
        if 1 < value.size == max(value.shape) and value.size <= MAX_CELLS:
            yield name, [_spell_number(number) for number in value.ravel().tolist()]
    elif isinstance(value, list):
        if len(value) == 1:
            yield from _list_columns(name, value[0])
        elif len(value) > 1:
            texts = [_spell(each) for each in value]
            if None not in texts:
                yield name, [text or "" for text in texts]


def _spell(value: Value) -> str | None:
    """A number or a text, which may lie in a cell of its own, as text; None of anything else."""
    if isinstance(value, list) and len(value) == 1:
        return _spell(value[0])
    if isinstance(value, np.ndarray):
        return _spell_number(value.item()) if value.size == 1 else None if value.size else ""
    return value.strip() if isinstance(value, str) else None


def _spell_number(number: float) -> str:
    return str(int(number)) if number == number // 1 else str(number)
