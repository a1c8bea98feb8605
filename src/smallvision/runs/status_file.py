"""The status of a run under way, which is on disk after every change."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from smallvision.compute.machine import Machine
from smallvision.records import store
from smallvision.records.layout import STATUS
from smallvision.records.schema import UnfinishedRun


class StatusFile:
    """The `status.json` of a run until it is finished.

    Args:
        folder: of the run.
        status: so far; it is written at once.
    """

    def __init__(self, folder: Path, status: UnfinishedRun) -> None:
        self.path = folder / STATUS
        self.status = status
        self.write(status)

    def write(self, status: UnfinishedRun) -> None:
        """Replace the status."""
        self.status = status
        store.write(self.path, status)

    def add_notes(
        self,
        notes: Sequence[str],
        *,
        slowdown: float | None = None,
        micro_batch: int | None = None,
    ) -> list[str]:
        """Keep what a person should know of the run, for a later session would not know.

        Args:
            notes: a sentence each.
            slowdown, micro_batch: what they tell of, if anything.

        Returns: the notes.
        """
        self.write(
            self.status.change(
                notes=(*self.status.notes, *notes),
                slowdown=slowdown or self.status.slowdown,
                micro_batch=micro_batch or self.status.micro_batch,
            )
        )
        return list(notes)

    def note_machine(self, machine: Machine) -> list[str]:
        """Record how the run computes; say so if an earlier session computed otherwise."""
        ours, before = machine.settings, self.status.compute or machine.settings
        changed = [name for name, value in ours if getattr(before, name) != value]
        self.status = self.status.change(compute=ours, moved=self.status.moved or bool(changed))
        if not changed:
            return self.add_notes([])
        what = ", ".join(changed)
        return self.add_notes(
            [f"resumed with another {what}, so the bits are not those of one session"]
        )

    def end(self, status: Literal["failed", "pruned"], error: str) -> None:
        """Write that the run failed or was pruned, and why."""
        self.write(self.status.change(status=status, error=error))
