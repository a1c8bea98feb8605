"""What every measurement is kept with."""

from __future__ import annotations

from typing import Any

from smallvision.compute.environment import describe_environment
from smallvision.compute.machine import Machine
from smallvision.records.files import now


def begin_record(kind: str, command: str, machine: Machine | None) -> dict[str, Any]:
    """The head of a record: what was measured, when, on what, with which versions."""
    return {
        "schema": 1,
        "kind": kind,
        "created": now(),
        "command": command,
        "machine": machine.record() if machine is not None else None,
        "environment": describe_environment(),
    }
