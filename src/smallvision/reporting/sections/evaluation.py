"""The one test evaluation: the score, what is confused with what, and calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.format import (
    format_accuracy,
    format_count,
    format_p,
    format_percent,
    format_points,
    format_share,
    format_span,
    join_words,
)
from smallvision.records.schema import (
    Calibration,
    ModelScores,
    SetCoverage,
    TestRecord,
    WinnerChoice,
)
from smallvision.reporting.charts.class_scores import ClassPlot, plot_classes
from smallvision.reporting.charts.confusion_matrix import Matrix, draw_matrix, list_cells
from smallvision.reporting.charts.intervals import IntervalPlot, draw_intervals
from smallvision.reporting.charts.reliability import Diagram, draw_reliability
from smallvision.reporting.view import StudyView
from smallvision.stats.probabilities.prediction_sets import judge_shortfall
from smallvision.stats.probabilities.unlike import KEPT

EXAMPLE = 0.1  # error rate of the prediction sets that a sentence speaks of
LEVEL = 0.05
NO_TEMPERATURE = (
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
class SetRow:
    """The prediction sets of one error rate on validation and on test images."""

    error_rate: float
    val: SetCoverage | None
    test: SetCoverage | None


@dataclass(frozen=True)
class DoubtPart:
    """What a model says where one class is not enough: prediction sets, and unlike images."""

    rows: tuple[SetRow, ...]
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class EvaluationSection:
    """What the section shows."""

    test: TestPart | None
    calibration: CalibrationPart | None
    doubt: DoubtPart | None


def gather(study: StudyView) -> EvaluationSection:
    """Collect what the section shows."""
    return EvaluationSection(
        gather_test(study.test, study.choice, study.record.folds) if study.test else None,
        gather_calibration(study),
        gather_doubt(study),
    )


def gather_record(record: TestRecord) -> EvaluationSection:
    """Collect what the section shows of a test result alone."""
    return EvaluationSection(
        gather_test(record, None),
        draw_calibration("test", record.calibration),
        describe_doubt({}, record),
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
    return draw_calibration(images, found)


def draw_calibration(images: str, found: Calibration) -> CalibrationPart:
    """The calibration on images of a kind: `test` or `validation`."""
    return CalibrationPart(
        images, found.temperature, draw_reliability(found), describe_temperature(found)
    )


def describe_temperature(found: Calibration) -> str:
    """Say what the temperature did, and whether it helped."""
    if found.temperature == 1:
        return NO_TEMPERATURE
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


def gather_doubt(study: StudyView) -> DoubtPart | None:
    """Collect the prediction sets and the share of unlike images, where the winner has them."""
    winner = study.winner.run.validated if study.winner else None
    val = {one.error_rate: one for one in winner.sets} if winner else {}
    return describe_doubt(val, study.test)


def describe_doubt(val: dict[float, SetCoverage], record: TestRecord | None) -> DoubtPart | None:
    """The prediction sets on validation, by error rate, beside those on test images."""
    test = {one.error_rate: one for one in record.sets} if record else {}
    rows = tuple(
        SetRow(rate, val.get(rate), test.get(rate)) for rate in sorted({*val, *test}, reverse=True)
    )
    sentences = (describe_sets(rows), describe_shortfall(rows), describe_unlike(record))
    said = tuple(sentence for sentence in sentences if sentence)
    return DoubtPart(rows, said) if said else None


def describe_sets(rows: Sequence[SetRow]) -> str:
    """What prediction sets are, by the example of the error rate that is nearest to 10 %."""
    if not rows:
        return ""
    row = min(rows, key=lambda row: abs(row.error_rate - EXAMPLE))
    found = row.test or row.val
    assert found is not None, "a row is of one or the other"
    right = format_share(1 - row.error_rate).removesuffix(" %")
    return (
        "Where one class is too bold an answer, the model gives a set of classes, such as cat or "
        f"dog. Of 100 pictures at least {right} shall have a set with the right class, in the "
        f"example of an error rate of {format_share(row.error_rate)}; of the {found.n:,} "
        f"{'test' if row.test else 'validation'} images {format_percent(found.coverage, found.n)} "
        f"have one, with {found.mean_size:.2f} classes on average."
    )


def describe_shortfall(rows: Sequence[SetRow]) -> str:
    """Which sets miss their promise on test images, and whether chance explains it; or nothing."""
    missed = [
        (row.error_rate, row.val.n, row.test)
        for row in rows
        if row.val and row.test and row.test.interval[1] < 1 - row.error_rate
    ]
    if not missed:
        return ""
    fell = [
        f"{format_percent(found.coverage, found.n)} instead of {format_share(1 - rate)}"
        for rate, _, found in missed
    ]
    chances = [judge_shortfall(found, fitted_n) for _, fitted_n, found in missed]
    fitted_n = missed[0][1]
    why = (
        f"limits fitted to only {format_count(fitted_n)} images may by chance miss by as much"
        if min(chances) >= LEVEL
        else f"nor does chance in drawing the {format_count(fitted_n)} images that the limits were "
        "fitted to: these chose the model as well, so that they flatter"
    )
    values = join_words([format_p(one) for one in chances])
    return (
        f"Of the test images {join_words(fell)} have a set with the right class. Chance in drawing "
        f"test images does not explain that; {why} ({values})."
    )


def describe_unlike(test: TestRecord | None) -> str:
    """How many test images are called unlike, beside how many should be."""
    found = test.unlike if test else None
    if found is None:
        return ""
    return (
        "A picture counts as unlike all that the model was trained on beyond a limit that "
        f"{format_share(KEPT)} of the validation images keep. Of the test images, which are like "
        f"these, {format_percent(found.share, found.n)} are beyond it (interval "
        f"{format_span(found.interval, found.n)} %)."
    )
