"""The index of a folder that is kept in a store as well."""

from __future__ import annotations

from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, Field, model_validator

from smallvision.records.schema.base import MAX_PATH, MOST, Count, Number, Record, at_most

MOST_FILES = 1_000_000  # of a folder


def check_inside(path: str) -> str:
    """Refuse what is no plain path of a file below a folder."""
    parts = path.split("/")
    if any(part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts):
        raise ValueError("expected a path below the folder")
    return path


PathInside: TypeAlias = Annotated[
    str, Field(min_length=1, max_length=MAX_PATH), AfterValidator(check_inside)
]
ContentSum: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class MirroredFile(Record):
    """A file of a folder."""

    path: PathInside
    """Path below the folder, with slashes."""
    sha256: ContentSum
    """SHA-256 of its content, and its name in the store."""
    size: Annotated[int, Field(ge=0, le=MOST)]
    """Bytes."""


class MirrorIndex(Record):
    """`mirror.json`, and `index-NUMBER.json` in the store: the files of a folder at one moment."""

    pushes: Number
    """How often the folder was copied to the store, this time included."""
    bytes: Count
    """Of all files together."""
    files: Annotated[tuple[MirroredFile, ...], at_most(MOST_FILES)]
    """The files, by path."""

    @model_validator(mode="after")
    def check_files(self) -> Self:
        """No file stands twice, none is the folder of another, and their sizes add up."""
        paths = {file.path for file in self.files}
        if len(paths) < len(self.files):
            raise ValueError("a file stands twice")
        for path in paths:
            parts = path.split("/")
            if any("/".join(parts[:end]) in paths for end in range(1, len(parts))):
                raise ValueError(f"'{path}' lies in a file")
        if sum(file.size for file in self.files) != self.bytes:
            raise ValueError("the sizes of the files do not add up")
        return self
