"""How the images were used: the split, the goal, and every opening of the test set."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.about.facts import tell_other_openings
from smallvision.format import format_count, format_latency, format_points
from smallvision.records.schema import FinishedRun
from smallvision.reporting.sections.phrases import name_goal, tell_looks
from smallvision.reporting.view import RunView, StudyView


@dataclass(frozen=True)
class SplitPart:
    """One part of the split bar, in percent of its width."""

    name: str
    n: int
    use: str
    css: str
    start: float
    width: float


@dataclass(frozen=True)
class LimitRow:
    """A limit of the goal, and what the winner has of it."""

    name: str
    value: str
    limit: str


@dataclass(frozen=True)
class ProtocolSection:
    """What the section shows."""

    study: StudyView
    summary: str
    figure: str
    parts: tuple[SplitPart, ...]
    limits: tuple[LimitRow, ...]
    looks: str


def gather(study: StudyView) -> ProtocolSection:
    """Collect what the section shows."""
    return ProtocolSection(
        study,
        describe_protocol(study),
        name_goal(study.record.goal),
        divide_images(study),
        list_limits(study),
        tell_looks(study.winner.run) if study.winner else "",
    )


def describe_protocol(study: StudyView) -> str:
    """How the images were used, as far as the records bear it out."""
    use = "Every model was fitted on the training split and chosen on the validation split."
    folds = study.record.folds
    if folds > 1:
        use = (
            f"Every rung was fitted {folds} times, each time on all labelled images but those of "
            "one fold, and judged on the images that were left out."
        )
    if study.test is not None and study.test.refit:
        both = "all labelled images" if folds > 1 else "both splits together"
        use += f" The chosen one was then trained once more, on {both}, for the test."
    return f"{use} {describe_openings(study)}"


def describe_openings(study: StudyView) -> str:
    """When the test set was opened."""
    if study.opened == 0:
        return "The test set is still sealed."
    if study.opened > 1:
        return f"The test set, which should be opened once, was opened {study.opened} times."
    others = tell_other_openings(1, study.test.openings_on_machine if study.test else None)
    return " ".join(["This study opened the test set once, when that was done.", *others])


def divide_images(study: StudyView) -> tuple[SplitPart, ...]:
    """Lay out train, validation and test images as parts of one bar."""
    split = study.split
    if split is None:
        return ()
    refit = study.test is not None and study.test.refit
    choose = "to choose on, then to fit the tested model on" if refit else "to choose on"
    sealed = "still sealed" if study.opened == 0 else "opened after the choice"
    sizes = (
        ("train", split.train_n, "to fit on", "train"),
        ("validation", split.val_n, choose, "val"),
        ("test", study.record.data.test_n, sealed, "test"),
    )
    total = sum(n for _, n, _, _ in sizes) or 1
    parts, start = [], 0.0
    for name, n, use, css in sizes:
        width = 100 * n / total
        parts.append(SplitPart(name, n, use, css, round(start, 3), round(width, 3)))
        start += width
    return tuple(parts)


def list_limits(study: StudyView) -> tuple[LimitRow, ...]:
    """Each limit that was set, beside what the winner has."""
    limits, winner = study.record.goal.limits, study.winner
    run = winner.run if winner else RunView("")
    found: FinishedRun | None = run.finished
    rows = []
    if limits.gap is not None:
        gap = format_points(
            run.validated.gap if run.validated else None, run.val.n if run.val else 0, signed=False
        )
        most = format_points(limits.gap, signed=False)
        rows.append(
            LimitRow("gap between train and validation, as the finished model answers", gap, most)
        )
    if limits.parameters is not None:
        parameters = format_count(found.parameters if found else None)
        rows.append(LimitRow("parameters", parameters, format_count(limits.parameters)))
    if limits.latency_seconds is not None:
        latency = format_latency(found.latency_seconds if found else None)
        rows.append(LimitRow("time per image", latency, format_latency(limits.latency_seconds)))
    return tuple(rows)
