"""A folder of records, and what reading it found to be absent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.files import read_text
from smallvision.records.nofollow import is_file
from smallvision.records.schema import Record

AnyRecord = TypeVar("AnyRecord", bound=Record)


def is_plain_name(name: str) -> bool:
    """Whether a name stays inside its folder: what a record names is untrusted text."""
    return Path(name).name == name and "\\" not in name and name not in {"", ".", ".."}


@dataclass(frozen=True)
class Folder:
    """A folder whose records are read; a damaged one raises an error, an absent one is noted."""

    path: Path
    missing: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the folder holds that file."""
        return is_file(self.path / name)

    def read(self, model: type[AnyRecord], name: str, loss: str) -> AnyRecord | None:
        """Read a record; where it is absent, note what the page loses by it.

        Raises:
            RecordError: the record is damaged.
        """
        if not self.has(name):
            self.missing.append(f"{name} is missing: {loss}")
            return None
        return store.read(self.path / name, model)

    def read_optional(self, model: type[AnyRecord], name: str) -> AnyRecord | None:
        """Read a record that not every folder has.

        Raises:
            RecordError: the record is damaged.
        """
        return store.read(self.path / name, model) if self.has(name) else None

    def read_lines(self, model: type[AnyRecord], name: str) -> tuple[AnyRecord, ...]:
        """Read a record of several lines; an absent file holds none.

        Raises:
            RecordError: a line other than the last is damaged.
        """
        return tuple(store.read_lines(self.path / name, model)) if self.has(name) else ()

    def read_text(self, name: str) -> str | None:
        """Read a text file, or give None where it is absent.

        Raises:
            RecordError: the file cannot be read or is not UTF-8.
        """
        if not self.has(name):
            return None
        try:
            return read_text(self.path / name)
        except UnicodeDecodeError as error:
            raise RecordError(f"{self.path / name} cannot be read: {error}") from error
