"""Which candidates an ensemble is made of, and how its records tell it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from smallvision.ensembles.candidates import Candidate
from smallvision.predict import Ensemble, SavedModel, pool_logits
from smallvision.runs.run_data import Material
from smallvision.shapes import Floats, Labels
from smallvision.stats import find_correct, rate_accuracy
from smallvision.stats.calibration import scale_logits
from smallvision.stats.paired import Correct
from smallvision.stats.selection import SELECTIONS, measure_disagreement, trace_gains


@dataclass(frozen=True, eq=False)
class Choice:
    """Which candidates became members, and what each candidate says.

    Attributes:
        candidates: M of them.
        order: the members, as positions among the candidates, in order of choice.
        logits, probabilities: `(M, N, K)` for the validation images.
        labels: `(N,)`, the right answers.
    """

    candidates: Sequence[Candidate]
    order: list[int]
    logits: Floats
    probabilities: Floats
    labels: Labels

    @cached_property
    def rates(self) -> list[dict[str, Any]]:
        """Accuracy with interval, n and log loss of each candidate."""
        return [rate_accuracy(given, self.labels) for given in self.probabilities]

    @cached_property
    def best(self) -> int:
        """The best member alone, by accuracy and then by log loss."""
        return max(self.order, key=lambda m: (self.rates[m]["accuracy"], -self.rates[m]["loss"]))

    @property
    def members(self) -> list[Candidate]:
        """The chosen candidates."""
        return [self.candidates[m] for m in self.order]

    @property
    def single(self) -> Candidate:
        """The best member."""
        return self.candidates[self.best]

    @property
    def right(self) -> Correct:
        """Which images the best member answers correctly."""
        return find_correct(self.probabilities[self.best], self.labels)

    @property
    def pooled(self) -> Floats | None:
        """Logits `(N, K)` of the members joined, computed from what each predicted alone.

        None where members differ in test-time augmentation: joined, all have that of the best.
        """
        if any(member.model.tta != self.single.model.tta for member in self.members):
            return None
        pooled: Floats = pool_logits(torch.from_numpy(self.logits[self.order])).numpy()
        return pooled


def choose_members(
    candidates: Sequence[Candidate], material: Material, select: str, limit: int
) -> Choice:
    """Ask every candidate about the validation images and choose by what they say."""
    images, labels = (tensor.cpu().numpy() for tensor in material.val)
    logits = np.stack([candidate.model.predict_logits(images) for candidate in candidates])
    # Members are calibrated together, so none has a temperature of its own.
    probabilities = np.stack([scale_logits(given, 1.0) for given in logits])
    order = SELECTIONS[select](probabilities, labels, limit)
    return Choice(candidates, order, logits, probabilities, labels)


def join_members(members: Sequence[Candidate], best: Candidate) -> SavedModel:
    """One model that answers with the mean of the members' probabilities.

    Args:
        members: at least one.
        best: the best of them alone, whose epoch the model is given.
    """
    models = [member.model for member in members]
    return replace(
        best.model,
        network=Ensemble(model.network for model in models).eval(),
        settings={"name": "ensemble", "members": [model.settings for model in models]},
        fingerprint="",
    )


def describe_choice(choice: Choice, folder: Path) -> dict[str, Any]:
    """The choice as `ensemble.json` tells it; paths are relative to the ensemble's folder."""

    def describe(m: int) -> dict[str, Any]:
        run = Path(os.path.relpath(choice.candidates[m].run.resolve(), folder.resolve()))
        rate = choice.rates[m]
        return {
            "run": run.as_posix(),
            "epoch": choice.candidates[m].model.epoch,
            "accuracy": rate["accuracy"],
            "loss": rate["loss"],
        }

    chosen, rate = choice.probabilities[choice.order], choice.rates[choice.best]
    return {
        "candidates": [
            {**describe(m), "chosen": m in choice.order} for m in range(len(choice.candidates))
        ],
        "members": [describe(m) for m in choice.order],
        "steps": [asdict(step) for step in trace_gains(chosen, choice.labels)],
        "disagreement": measure_disagreement(chosen).tolist(),
        "single": {**describe(choice.best), "interval": rate["interval"], "n": rate["n"]},
    }


def explain_choice(select: str, members: int) -> list[str]:
    """What to bear in mind when reading the ensemble's validation accuracy."""
    if members == 1:
        return ["No second network improved on the best one, so it stands alone."]
    if select == "greedy":
        return [
            "The members were chosen on the validation images that also measure the gain, which "
            "flatters it; the test set had no part in the choice."
        ]
    return []
