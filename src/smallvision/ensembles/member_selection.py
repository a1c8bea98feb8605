"""Which candidates an ensemble is made of, and how its records tell it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from smallvision.ensembles.candidates import Candidate
from smallvision.predict import Ensemble, SavedModel, sketch_network
from smallvision.recipes import read_run_recipe
from smallvision.records.schema import EnsembleCandidate, EnsembleMember, MetricName, Rate
from smallvision.records.schema.settings.networks import EnsembleSettings, list_networks
from smallvision.runs.run_data import RunData
from smallvision.shapes import Floats, Labels
from smallvision.stats.greedy_selection import SELECTIONS
from smallvision.stats.paired import Correct
from smallvision.stats.probabilities.logits import scale_logits
from smallvision.stats.rates import find_correct, rate_accuracy


@dataclass(frozen=True, eq=False)
class MemberSelection:
    """Which candidates became members, and what each candidate predicts.

    Attributes:
        candidates: M of them.
        order: the members, as positions among the candidates, in order of choice.
        logits, probabilities: `(M, N, K)` for the validation images.
        labels: `(N,)`, the right answers.
        metric: the figure that is chosen by.
    """

    candidates: Sequence[Candidate]
    order: list[int]
    logits: Floats
    probabilities: Floats
    labels: Labels
    metric: MetricName = "accuracy"

    @cached_property
    def rates(self) -> list[Rate]:
        """Accuracy with interval, n and log loss of each candidate."""
        return [rate_accuracy(given, self.labels) for given in self.probabilities]

    @cached_property
    def best(self) -> int:
        """The best member alone, by the figure that is chosen by and then by log loss."""
        return max(
            self.order, key=lambda m: (self.rates[m].score(self.metric), -self.rates[m].loss)
        )

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
    def member_logits(self) -> Floats | None:
        """Logits of the members `(M, N, K)`, without asking them again.

        None where members differ in test-time augmentation: an ensemble has that of its best.
        """
        if any(member.model.tta != self.single.model.tta for member in self.members):
            return None
        return self.logits[self.order]


def select_members(
    candidates: Sequence[Candidate], data: RunData, select: str, limit: int
) -> MemberSelection:
    """Ask every candidate about the validation images and choose by what they say.

    The figure to choose by is that of the candidates' recipes; accuracy where these differ.
    """
    images, labels = data.list_val()
    logits = np.stack([candidate.model.predict_logits(images) for candidate in candidates])
    # Members are calibrated together, so none has a temperature of its own.
    probabilities = np.stack([scale_logits(given, 1.0) for given in logits])
    metrics = {read_run_recipe(candidate.run).metric for candidate in candidates}
    metric: MetricName = metrics.pop() if len(metrics) == 1 else "accuracy"
    order = SELECTIONS[select](probabilities, labels, limit, metric)
    return MemberSelection(candidates, order, logits, probabilities, labels, metric)


def join_members(members: Sequence[Candidate], best: Candidate) -> SavedModel:
    """One model that answers with the mean of the members' probabilities.

    Args:
        members: at least one.
        best: the best of them alone, whose epoch the model is given.

    Raises:
        SettingError: together they are too large.
    """
    models = [member.model for member in members]
    settings = EnsembleSettings(
        members=tuple(one for model in models for one in list_networks(model.settings))
    )
    # What is too large to be read back is not written.
    sketch_network(settings, best.model.shape, len(best.model.class_names))
    return replace(
        best.model,
        network=Ensemble(model.network for model in models).eval(),
        settings=settings,
        fingerprint="",
        folder=None,
    )


def describe_member(selection: MemberSelection, m: int, folder: Path) -> EnsembleMember:
    """A candidate as the record tells it; its path is relative to the ensemble's folder."""
    candidate, rate = selection.candidates[m], selection.rates[m]
    return EnsembleMember(
        run=Path(os.path.relpath(candidate.run.resolve(), folder.resolve())).as_posix(),
        epoch=candidate.model.epoch,
        accuracy=rate.accuracy,
        loss=rate.loss,
    )


def describe_candidates(selection: MemberSelection, folder: Path) -> tuple[EnsembleCandidate, ...]:
    """All candidates as the record tells them."""
    return tuple(
        describe_member(selection, m, folder).extend(EnsembleCandidate, chosen=m in selection.order)
        for m in range(len(selection.candidates))
    )


def list_caveats(select: str, members: int) -> tuple[str, ...]:
    """What to bear in mind when reading the ensemble's validation accuracy."""
    if members == 1:
        return ("No second network improved on the best one, so it stands alone.",)
    if select == "greedy":
        return (
            "The members were chosen on the validation images that also measure the gain, which "
            "flatters it; the test set had no part in the choice.",
        )
    return ()
