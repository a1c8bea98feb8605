"""Every opening of a test set is numbered and kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.errors import RecordError
from smallvision.records import ledger
from smallvision.records.schema import LedgerEntry
from tests.support.records import HASH

ENTRY = LedgerEntry(
    opening=1,  # set by the ledger
    time="2026-11-22T14:40:00+00:00",
    command="smallvision evaluate",
    study="s",
    model="m",
    n=5,
    data_fingerprint=HASH,
)


def test_openings_are_numbered(tmp_path: Path) -> None:
    assert ledger.read_openings(tmp_path) == []
    assert [ledger.record_opening(tmp_path, ENTRY) for _ in range(3)] == [1, 2, 3]
    assert ledger.read_openings(tmp_path) == [ENTRY.change(opening=n) for n in (1, 2, 3)]


def test_a_damaged_ledger_does_not_grow(tmp_path: Path) -> None:
    for _ in range(2):
        ledger.record_opening(tmp_path, ENTRY)
    path = tmp_path / ledger.LEDGER
    damaged = path.read_text().replace('"n": 5', '"n": 6', 1)
    path.write_text(damaged)
    with pytest.raises(RecordError, match="line 1"):
        ledger.record_opening(tmp_path, ENTRY)
    assert path.read_text() == damaged


def test_an_opening_that_a_kill_tore_does_not_count(tmp_path: Path) -> None:
    ledger.record_opening(tmp_path, ENTRY)
    with (tmp_path / ledger.LEDGER).open("a") as file:
        file.write('{"opening": 2, "ti')
    assert ledger.record_opening(tmp_path, ENTRY) == 2
