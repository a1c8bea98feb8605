"""Who tells a person how a study goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from smallvision.recipes import Rung
from smallvision.training import Watcher


class Narrator(Protocol):
    """Tells a person how the study goes; the command line has one that draws."""

    def say(self, sentence: str, /) -> None:
        """Say one sentence."""

    def watch(self, rung: Rung, /) -> Sequence[Watcher]:
        """Watchers for the run of a rung that is about to begin."""

    def finish(self, rung: Rung, status: dict[str, Any], /) -> None:
        """A rung is done, failed or was done before."""


class Silence:
    """Says nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def watch(self, _rung: Rung) -> Sequence[Watcher]:
        """Nobody watches."""
        return ()

    def finish(self, _rung: Rung, _status: dict[str, Any]) -> None:
        """Nothing."""
