"""What a family of trials found."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from smallvision.errors import UserError


@dataclass
class Outcome:
    """Trials and failures of one family.

    Attributes:
        promise: what is claimed, in one sentence.
        trials: made so far.
        failures: what went wrong, one line each; none is the only good number.
        figures: what else was measured.
    """

    promise: str
    trials: int = 0
    failures: list[str] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def expect(self, fact: bool, complaint: str) -> None:
        """Note a failure unless a fact holds."""
        if not fact:
            self.failures.append(complaint)

    def count(self, name: str, number: float = 1) -> None:
        """Add to a figure."""
        self.figures[name] = self.figures.get(name, 0) + number

    def most(self, name: str, number: float) -> None:
        """Keep the largest of a figure."""
        self.figures[name] = max(self.figures.get(name, number), number)

    @contextmanager
    def trial(self, name: str, reason: str = "") -> Iterator[None]:
        """One trial: a `UserError` of one line is an answer, any other exception a failure.

        Args:
            name: of the trial.
            reason: what a refusal has to say.
        """
        self.trials += 1
        try:
            yield
        except UserError as error:
            self.count("refused")
            self.expect(len(str(error).splitlines()) == 1, f"{name}: more than one line")
            self.expect(reason in str(error), f"{name}: refused because {error}"[:300])
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{where.filename.rsplit('/', 1)[-1]}:{where.lineno}"
            self.failures.append(f"{name}: {type(error).__name__} at {place}: {error}"[:300])
