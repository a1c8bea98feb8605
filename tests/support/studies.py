"""Studies that were made by the command line."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from smallvision.records.schema import StudySummary
from tests.support.commands import call_command


class MadeStudy(NamedTuple):
    """A study folder, and the summary that the command printed."""

    folder: Path
    summary: StudySummary

    def copy(self, place: Path) -> MadeStudy:
        """A copy, which a test may change."""
        return self._replace(folder=Path(shutil.copytree(self.folder, place / self.folder.name)))


def make_study(data: Path, out: Path, *options: str | Path) -> MadeStudy:
    """Call `smallvision study` with options, to its end; on one split, unless they name folds."""
    folds = () if "--folds" in options or "--seeds" in options else ("--folds", "1")
    outcome = call_command("study", data, "--out", out, "--json", *folds, *options)
    assert outcome.code == 0, outcome.err
    return MadeStudy(out, StudySummary.model_validate_json(outcome.out))
