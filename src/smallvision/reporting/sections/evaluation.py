"""The one test evaluation: the score, what is confused with what, and calibration."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import format_accuracy, format_p, format_percent, format_points, join_words
from smallvision.records.schema import Calibration, ModelScores, TestRecord, WinnerChoice
from smallvision.reporting.charts.class_scores import ClassPlot, plot_classes
from smallvision.reporting.charts.confusion_matrix import Matrix, draw_matrix, list_cells
from smallvision.reporting.charts.intervals import IntervalPlot, draw_intervals
from smallvision.reporting.charts.reliability import Diagram, draw_reliability
from smallvision.reporting.view import StudyView

KEPT = (
    "No temperature can be told apart from 1 on the validation images, so the probabilities stay "
    "as they are."
)


@dataclass(frozen=True)
class CalibrationPart:
    """The diagrams before and after scaling, and what the temperature did."""

    images: str
    temperature: float
    diagrams: tuple[Diagram, Diagram]
    sentence: str


@dataclass(frozen=True)
class TestPart:
    """What the section shows of the test result; `cells` are for the page's script."""

    record: TestRecord
    beside_val: str
    choice: str
    topk: str
    plot: IntervalPlot | None
    matrix: Matrix
    cells: dict[str, list[str] | list[list[int]]]
    classes: ClassPlot

    __test__ = False  # pytest collects classes that begin with Test


@dataclass(frozen=True)
class EvaluationSection:
    """What the section shows."""

    test: TestPart | None
    calibration: CalibrationPart | None


def gather(study: StudyView) -> EvaluationSection:
    """Collect what the section shows."""
    return EvaluationSection(
        gather_test(study.test, study.choice, study.record.folds) if study.test else None,
        gather_calibration(study),
    )


def gather_test(record: TestRecord, choice: WinnerChoice | None, folds: int = 1) -> TestPart:
    """Collect what the section shows of the test result, and what choosing did to validation."""
    return TestPart(
        record=record,
        beside_val=compare_with_val(record, folds),
        choice=choice.sentence if choice else "",
        topk=describe_topk(record),
        plot=plot_beside_val(record),
        matrix=draw_matrix(record),
        cells=list_cells(record),
        classes=plot_classes(record),
    )


def compare_with_val(record: TestRecord, folds: int = 1) -> str:
    """Test beside validation, in a sentence.

    A refitted model has seen the validation images, so that the model before it is compared. With
    folds, that is the network of the first, beside the answers of all.
    """
    model: ModelScores = record.validation_model or record
    if model.val is None:
        return ""
    between = format_points(model.accuracy - model.val.accuracy, min(model.n, model.val.n))
    evidence = "" if model.p_vs_val is None else f" ({format_p(model.p_vs_val)})"
    how = "more than chance explains" if model.differs_from_val else "which is within chance"
    if folds > 1:
        return (
            f"The networks of {folds} folds reached {format_accuracy(model.val)} on the images "
            f"they left out; the test result of that of fold 1 differs by {between}, "
            f"{how}{evidence}."
        )
    name = "that model" if record.validation_model else "the same model"
    return (
        f"On validation {name} reached {format_accuracy(model.val)}; its test result differs from "
        f"that by {between}, {how}{evidence}."
    )


def describe_topk(record: TestRecord) -> str:
    """How often the right class is among the most probable ones."""
    parts = [
        f"among the {k} most probable ones for {format_percent(rate, record.n)}"
        for k, rate in record.topk.items()
    ]
    return f"The right class is {join_words(parts)} of the images." if parts else ""


def plot_beside_val(record: TestRecord) -> IntervalPlot | None:
    """Draw the test result beside the validation accuracy of the model that validation chose."""
    before = record.validation_model
    val = before.val if before else record.val
    if val is None:
        return None
    tests = [("test", "test", record.rate)]
    if before is not None:
        tests = [("test, before refit", "", before.rate), ("test, refitted", "test", record.rate)]
    return draw_intervals([("validation", "best", val), *tests])


def gather_calibration(study: StudyView) -> CalibrationPart | None:
    """Take the test set's calibration, or the winner's on validation where there is no test."""
    winner = study.winner.run.validated if study.winner else None
    if study.test is not None:
        images, found = "test", study.test.calibration
    elif winner is not None:
        images, found = "validation", winner.calibration
    else:
        return None
    return CalibrationPart(
        images, found.temperature, draw_reliability(found), describe_temperature(found)
    )


def describe_temperature(found: Calibration) -> str:
    """Say what the temperature did, and whether it helped."""
    if found.temperature == 1:
        return KEPT
    start = f"Dividing the logits by a temperature of {found.temperature:.2f}"
    softer = found.temperature > 1
    how = (
        "lowers probabilities that were too high"
        if softer
        else "raises probabilities that were too low"
    )
    better = found.after.ece < found.before.ece
    effect = "which brought them closer to" if better else "which did not bring them closer to"
    return f"{start} {how}, {effect} how often the model is right. It changes no answer."
