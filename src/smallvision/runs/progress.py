"""Who tells a person how a study goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from smallvision.training import Watcher


class Narrator(Protocol):
    """Tells a person how the study goes; the command line has one that draws."""

    def say(self, sentence: str, /) -> None:
        """Say one sentence."""

    def begin(self, name: str, question: str, /) -> None:
        """Work on a rung is about to begin."""

    def watch_run(self) -> Sequence[Watcher]:
        """Watchers for a run that is about to begin."""

    def begin_trial(self) -> None:
        """A short run of a search is about to begin, of which only the end will be told."""

    def close(self) -> None:
        """The run that was watched is over."""

    def finish(self, name: str, status: dict[str, Any], /) -> None:
        """A rung is done, failed or was done before."""


class Silence:
    """Says nothing."""

    def say(self, sentence: str) -> None:
        """Nothing."""

    def begin(self, _name: str, _question: str) -> None:
        """Nothing."""

    def watch_run(self) -> Sequence[Watcher]:
        """Nobody watches."""
        return ()

    def begin_trial(self) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""

    def finish(self, _name: str, _status: dict[str, Any]) -> None:
        """Nothing."""
