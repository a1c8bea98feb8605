"""What a result was obtained with."""

from __future__ import annotations

from smallvision.records.schema.base import Record


class GitState(Record):
    """The source tree of the package."""

    commit: str
    """Commit."""
    changed: bool
    """Whether files were changed since."""


class Environment(Record):
    """`environment.json`: versions and hardware."""

    python: str
    """Version of Python."""
    platform: str
    """Operating system."""
    processor: str
    """Name of the processor."""
    generation: str | None
    """Family and model of the processor, whose names in the cloud are cut short."""
    instructions: str
    """Widest vector instructions that torch finds."""
    memory_bytes: int | None
    """Physical memory."""
    gpu: str | None
    """Name of the GPU."""
    versions: dict[str, str | None]
    """Versions of the packages that decide results."""
    git: GitState | None
    """Source tree; null for an installed package."""
