"""Records that another process is writing, read again only where their file has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.nofollow import find_state
from smallvision.records.schema import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)
Mark: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True)
class KeptRecord:
    """What was read of a file, and the time, size and number that the file had.

    Attributes:
        mark: of the file.
        written: when it was written last, in seconds since 1970.
        value: the record; None, or no lines, where it was never whole.
        fault: why the value is that of an earlier file, or None.
    """

    mark: Mark
    written: float
    value: Any
    fault: str | None


class RecordCache:
    """Reads records; of one that is damaged it gives what the file said when it was whole."""

    def __init__(self) -> None:
        self.kept: dict[Path, KeptRecord] = {}
        self.faults: dict[Path, str] = {}  # of this look

    def begin(self) -> None:
        """Begin another look at the records."""
        self.faults.clear()

    def read(self, path: Path, model: type[AnyRecord]) -> AnyRecord | None:
        """Read a record; None where there is none."""
        record: AnyRecord | None = self._read(path, None, lambda: store.read(path, model))
        return record

    def read_any(self, path: Path, models: Any) -> Any:
        """Read a record that belongs to one of several classes; None where there is none."""
        return self._read(path, None, lambda: store.read_any(path, models))

    def read_lines(self, path: Path, model: type[AnyRecord]) -> tuple[AnyRecord, ...]:
        """Read JSON lines; those before the first that is damaged."""
        lines: tuple[AnyRecord, ...] = self._read(
            path, (), lambda: tuple(store.read_lines(path, model, whole=False))
        )
        return lines

    def find_written(self, path: Path) -> float:
        """When a file that was read was written last, in seconds since 1970; 0 without one."""
        return self.kept[path].written if path in self.kept else 0.0

    def find_newest(self) -> float:
        """When any of the files that were read was written last."""
        return max((kept.written for kept in self.kept.values()), default=0.0)

    def _read(self, path: Path, absent: Any, read: Callable[[], Any]) -> Any:
        before = self.kept.get(path)
        known = before.value if before else absent
        try:
            state = find_state(path)
        except RecordError as error:
            self.faults[path] = str(error)
            return known
        if state is None:
            self.kept.pop(path, None)
            return absent
        mark = (state.st_mtime_ns, state.st_size, state.st_ino)
        if before is None or before.mark != mark:
            try:
                value, fault = read(), None
            except RecordError as error:
                value, fault = known, str(error)
            before = self.kept[path] = KeptRecord(mark, state.st_mtime, value, fault)
        if before.fault is not None:
            self.faults[path] = before.fault
        return before.value
