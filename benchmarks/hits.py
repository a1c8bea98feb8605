"""Which validation images each kept run classified correctly, and the verdicts that follow.

A bit for each image and run takes a hundredth of the probabilities, shows nothing of the images,
and is all that a comparison of single runs needs.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

from benchmarks.records import Part
from smallvision.errors import RecordError
from smallvision.records import store
from smallvision.records.layout import VERDICTS
from smallvision.records.predictions import find_predictions, read_predictions
from smallvision.records.schema import LadderVerdicts, Verdict
from smallvision.stats.paired import Correct, PairedComparison, compare_paired
from smallvision.stats.rates import find_correct

HITS = "hits.json"


class Hits(Part):
    """`hits.json`: for each run, whether each validation image was classified correctly."""

    kind: Literal["hits"] = "hits"
    n: int
    """Validation images, in the order of their numbers in the data set."""
    runs: dict[str, str]
    """A bit for each image, the first of a byte in its highest place, in base64; by rung, or by
    `RUNG/seeds/SEED`."""

    def unpack(self, run: str) -> Correct:
        """Bool `(n,)` of a run."""
        packed = np.frombuffer(base64.b64decode(self.runs[run]), dtype=np.uint8)
        return np.unpackbits(packed, count=self.n).astype(bool)


def gather_hits(study: Path) -> Hits | None:
    """The hits of a study's runs; None where its rungs were judged on several folds."""
    runs: dict[str, str] = {}
    known: np.ndarray | None = None
    for folder in (*sorted(study.glob("runs/*")), *sorted(study.glob("runs/*/seeds/*"))):
        if not find_predictions(folder).exists():
            continue
        predictions = read_predictions(folder)
        order = np.argsort(predictions.indices)
        indices = predictions.indices[order]
        if known is not None and not np.array_equal(indices, known):
            return None
        known = indices
        right = find_correct(predictions.probabilities, predictions.labels)[order]
        name = folder.relative_to(study / "runs").as_posix()
        runs[name] = base64.b64encode(np.packbits(right).tobytes()).decode()
    return None if known is None else Hits(n=len(known), runs=runs)


def recompute(folder: Path) -> Iterator[tuple[Verdict, PairedComparison]]:
    """The verdicts on single runs of a kept study, each with what its hits say.

    Raises:
        RecordError: the study has no hits.
    """
    hits = store.read(folder / HITS, Hits)
    verdicts = store.read(folder / VERDICTS, LadderVerdicts)
    for verdict in (*verdicts.steps, *verdicts.against_best):
        if verdict.is_of_single_runs and {verdict.rung, verdict.against} <= hits.runs.keys():
            pair = (hits.unpack(verdict.rung), hits.unpack(verdict.against))
            yield verdict, compare_paired(*pair)


def verdicts(
    folder: Annotated[Path, typer.Argument(help="Kept records of a study, under results/.")],
) -> None:
    """Compute the verdicts of a kept study again from its hits."""
    for verdict, found in recompute(folder):
        same = np.allclose(
            (verdict.difference, verdict.p, *verdict.interval),
            (found.difference, found.p, *found.interval),
        )
        print(
            f"{'same' if same else 'ANOTHER'}: {verdict.rung} against {verdict.against}: "
            f"{100 * found.difference:+.2f} points "
            f"({100 * found.interval[0]:+.2f} to {100 * found.interval[1]:+.2f}), p = {found.p:.2g}"
        )
        if not same:
            raise RecordError(f"{folder / VERDICTS} does not follow from {folder / HITS}")
