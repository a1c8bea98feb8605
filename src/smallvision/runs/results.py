"""A finished run, a search and a test result, as values that show themselves in a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from smallvision.display import Displayed
from smallvision.errors import RecordError
from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_interval,
    format_p,
    format_percent,
    format_points,
    format_share,
    format_span,
)
from smallvision.recipes import Recipe, read_own_recipe
from smallvision.records import store
from smallvision.records.layout import METRICS, SEEDS_RECORD, TUNE, read_status
from smallvision.records.schema import (
    AllImagesRun,
    Calibration,
    EpochMetrics,
    FinishedRun,
    ModelScores,
    SeedSummary,
    SetCoverage,
    TestRecord,
    TuningRecord,
    UnfinishedRun,
    ValidatedRun,
    ValidationScores,
)
from smallvision.text import show_text

if TYPE_CHECKING:  # a table of runs needs no torch
    from smallvision.predict import SavedModel


USUAL_ERROR_RATE = 0.1  # of the prediction sets that are told of; the records hold all


@dataclass(frozen=True, eq=False)
class Run(Displayed):
    """A run: its folder and what the records say; shows itself in a notebook.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "linear", settings=["epochs=2"], out="runs/example")
    >>> run.status.name, run.status.val.n, [line.epoch for line in run.metrics]
    ('linear', 287, [1, 2])
    >>> run.seeds is None  # no `seeds` were asked for
    True
    """

    folder: Path

    @property
    def status(self) -> UnfinishedRun | ValidatedRun | AllImagesRun:
        """The content of `status.json`."""
        return read_status(self.folder)

    @property
    def metrics(self) -> list[EpochMetrics]:
        """One entry per epoch; none for an ensemble, which is not trained.

        Raises:
            RecordError: an entry is damaged, or, of a finished run, missing.
        """
        status = self.status
        if status.kind == "ensemble":
            return []
        lines = store.read_lines(self.folder / METRICS, EpochMetrics)
        if isinstance(status, FinishedRun) and len(lines) != status.epochs_done:
            raise RecordError(
                f"{self.folder / METRICS} has {len(lines)} lines for {status.epochs_done} "
                "epochs; restore it"
            )
        return lines

    @property
    def seeds(self) -> SeedSummary | None:
        """The content of `seeds.json`, or None for a run without repeats."""
        return store.read_if_there(self.folder / SEEDS_RECORD, SeedSummary)

    def load_model(self) -> SavedModel:
        """The model with the best weights.

        Raises:
            RecordError: it is missing or damaged.
        """
        from smallvision.predict import load_model

        return load_model(self.folder)

    def __repr__(self) -> str:
        status, place = self.status, repr(str(self.folder))
        if isinstance(status, UnfinishedRun):
            return f"Run({place}, {status.status})"
        if isinstance(status, AllImagesRun):
            return show_text(f"Run({place}, {status.name}, trained on all images)")
        val = status.val
        means = describe_class_means(val.by_class, val.n)
        return show_text(
            f"Run({place}, {status.name}: {format_accuracy(val)} on {val.n:,} validation images "
            f"[{format_interval(val)}]{f', {means}' if means else ''}, epoch {status.best_epoch})"
        )


@dataclass(frozen=True, eq=False)
class Tuning(Displayed):
    """A finished search: its folder and what it found; shows itself in a notebook.

    >>> import smallvision as sv
    >>> found = sv.tune("digits", "linear", trials=2, seeds=0, settings=["epochs=3"])
    >>> best = found.record.best  # the trial with the highest validation accuracy
    >>> best.accuracy == max(trial.accuracy for trial in found.record.trials)
    True
    >>> sv.train("digits", found.recipe).status.val.n  # a whole training with the best settings
    287
    """

    folder: Path

    @property
    def record(self) -> TuningRecord:
        """The content of `tune.json`."""
        return store.read(self.folder / TUNE, TuningRecord)

    @property
    def recipe(self) -> Recipe:
        """The recipe with the winner's values."""
        return read_own_recipe(self.folder / "tuned.toml")

    def __repr__(self) -> str:
        record = self.record
        rerun = record.rerun.sentence if record.rerun else "not rerun with other seeds"
        best = record.best
        found = "no trial ran to the end"
        if best is not None:
            found = (
                f"trial {best.number} of {len(record.trials)} is best, "
                f"{format_percent(best.accuracy)} on the validation images; {rerun}"
            )
        return show_text(f"Tuning({str(self.folder)!r}, {record.recipe}: {found})")


@dataclass(frozen=True, eq=False)
class TestResult(Displayed):
    """The outcome of opening the test set; shows itself in a notebook.

    >>> import smallvision as sv
    >>> run = sv.train("digits", "linear", settings=["epochs=2"])
    >>> result = sv.evaluate(run)
    >>> result.record.n, result.accuracy == result.record.accuracy
    (359, True)
    >>> low, high = result.record.interval
    >>> low < result.accuracy < high
    True
    """

    __test__ = False  # pytest collects classes that begin with Test

    record: TestRecord

    @property
    def accuracy(self) -> float:
        """Share of test images classified correctly."""
        return self.record.accuracy

    def __repr__(self) -> str:
        record = self.record
        return show_text(
            f"TestResult({record.model}: {format_accuracy(record)} on {record.n:,} test images "
            f"[{format_interval(record)}], opening {record.openings})"
        )


def list_figures(scores: TestRecord | ValidationScores) -> list[tuple[str, str]]:
    """What scores say beyond the accuracy, as names and values for people."""
    figures = [(f"top-{k}", format_percent(share)) for k, share in scores.topk.items()]
    figures.append(("balanced accuracy", format_percent(scores.macro.recall)))
    figures.append(("macro F1", f"{scores.macro.f1:.3f}"))
    if isinstance(scores, ValidationScores):
        figures += describe_calibration(scores.calibration, is_calibrated=True)
        return figures + describe_sets(scores.sets)
    other = scores.validation_model
    is_calibrated = scores.val is not None or other is not None
    figures += describe_calibration(scores.calibration, is_calibrated=is_calibrated)
    figures += describe_sets(scores.sets)
    if scores.unlike is not None:
        found = scores.unlike
        share = format_percent(found.share, found.n)
        span = format_span(found.interval, found.n)
        figures.append(("called unlike", f"{share} ({span} %), about 5 % by design"))
    if other is not None:
        accuracy = f"{format_accuracy(other)} ({format_interval(other)})"
        figures.append(("trained without validation images", accuracy))
    if against := describe_difference(other or scores):
        figures.append(("against validation", against))
    figures.append(("against training", scores.near_duplicates.sentence))
    return figures


def describe_calibration(calibration: Calibration, *, is_calibrated: bool) -> list[tuple[str, str]]:
    """The calibration figures; a model trained on all images had none left to calibrate it on."""
    before, after = calibration.before, calibration.after
    figures = (
        ("calibration error (ECE)", before.ece, after.ece),
        ("log loss", before.nll, after.nll),
        ("Brier score", before.brier, after.brier),
    )
    if not is_calibrated:
        return [(name, f"{old:.3f}, not calibrated") for name, old, _ in figures]
    kept = ", kept: none can be told apart from 1" if calibration.temperature == 1 else ""
    temperature = ("temperature, from validation", f"{calibration.temperature:.2f}{kept}")
    return [
        temperature,
        *((name, f"{old:.3f} -> {new:.3f} with temperature") for name, old, new in figures),
    ]


def describe_sets(sets: Sequence[SetCoverage]) -> list[tuple[str, str]]:
    """The prediction sets of the usual error rate, where a model has them."""
    return [
        (
            f"coverage of sets, error {format_share(one.error_rate)}",
            f"{format_percent(one.coverage, one.n)} ({format_span(one.interval, one.n)} %), "
            f"{one.mean_size:.2f} classes each",
        )
        for one in sets
        if one.error_rate == USUAL_ERROR_RATE
    ]


def describe_difference(scores: ModelScores) -> str | None:
    """Whether the test accuracy differs from validation beyond chance; None without validation."""
    if scores.val is None:
        return None
    points = format_points(scores.accuracy - scores.val.accuracy, min(scores.n, scores.val.n))
    verdict = "more than chance explains" if scores.differs_from_val else "within chance"
    evidence = f" ({format_p(scores.p_vs_val)})" if scores.p_vs_val is not None else ""
    return f"{points}, {verdict}{evidence}"
