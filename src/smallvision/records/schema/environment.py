"""What a result was obtained with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from smallvision.records.schema.base import Count, Key, Record, Text


class GitState(Record):
    """The source tree of the package."""

    commit: Annotated[str, Field(pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})$")]
    """Commit."""
    changed: bool
    """Whether files were changed since."""


class Environment(Record):
    """`environment.json`: versions and hardware."""

    python: Text
    """Version of Python."""
    platform: Text
    """Operating system."""
    processor: Text
    """Name of the processor."""
    generation: Text | None
    """Family and model of the processor, whose names in the cloud are cut short."""
    instructions: Text
    """Widest vector instructions that torch finds."""
    memory_bytes: Count | None
    """Physical memory."""
    gpu: Text | None
    """Name of the GPU."""
    versions: dict[Key, Text | None]
    """Versions of the packages that decide results."""
    git: GitState | None
    """Source tree; null for an installed package."""
