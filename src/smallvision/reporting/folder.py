"""Files of a study folder, checked against the shape that the page expects of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from smallvision.errors import RecordError
from smallvision.records.files import read_json, read_jsonl

SCHEMA = 1
Record = TypeVar("Record")


def is_plain_name(name: str) -> bool:
    """Whether a name stays inside its folder: records are untrusted text."""
    return Path(name).name == name and "\\" not in name and name not in {"", ".", ".."}


def check_record(kind: type[Record], record: Mapping[str, Any], path: Path) -> Record:
    """Turn plain JSON values into `kind`.

    Raises:
        RecordError: a field is missing or of the wrong type, or the schema is another.
    """
    if isinstance(record, Mapping) and record.get("schema", SCHEMA) != SCHEMA:
        raise RecordError(
            f"{path} has schema {record['schema']}, this smallvision reads schema {SCHEMA}; "
            "draw the report with the version that ran the study"
        )
    try:
        return TypeAdapter(kind).validate_python(record)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the record"
        message = f"{path}: {where}: {first['msg'][:1].lower()}{first['msg'][1:]}"
        raise RecordError(f"{message}; restore the file or run the study again") from error


@dataclass(frozen=True)
class Folder:
    """A folder and the list of what reading it found absent."""

    path: Path
    missing: list[str] = field(default_factory=list)

    def has(self, name: str) -> bool:
        """Whether the folder holds that file."""
        return (self.path / name).is_file()

    def read(self, kind: type[Record], name: str, loss: str) -> Record | None:
        """Read one JSON record; when it is absent, note what the page loses by it."""
        if not self.has(name):
            self.missing.append(f"{name} is missing: {loss}")
            return None
        return check_record(kind, read_json(self.path / name), self.path / name)

    def read_optional(self, kind: type[Record], name: str) -> Record | None:
        """Read one JSON record whose absence is nothing to remark on."""
        return self.read(kind, name, "") if self.has(name) else None

    def read_lines(self, kind: type[Record], name: str) -> tuple[Record, ...]:
        """Read JSON lines; an absent file holds none."""
        if not self.has(name):
            return ()
        path = self.path / name
        return tuple(check_record(kind, record, path) for record in read_jsonl(path))

    def read_text(self, name: str) -> str | None:
        """Read a text file, or None when it is absent.

        Raises:
            RecordError: the file cannot be read or is not UTF-8.
        """
        if not self.has(name):
            return None
        try:
            return (self.path / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecordError(f"{self.path / name} cannot be read: {error}") from error
