"""The first screen of the page of a lone run."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.about.facts import tell_other_openings
from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_count,
    format_duration,
    format_interval,
    format_points,
    format_signed_span,
    format_times,
)
from smallvision.records.schema import SplitRecord, TestRecord, UnfinishedRun
from smallvision.reporting.sections.first_screen.facts import Fact, describe_network
from smallvision.reporting.sections.first_screen.headline import Headline
from smallvision.reporting.sections.first_screen.usage import Usage, describe_usage
from smallvision.reporting.sections.phrases import describe_seeds
from smallvision.reporting.view import LoneRunView, RunView


@dataclass(frozen=True)
class RunSummarySection:
    """What the first screen shows."""

    name: str
    headline: Headline
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    usage: Usage | None


def gather(folder: LoneRunView) -> RunSummarySection:
    """Collect what the first screen shows."""
    run = folder.run
    return RunSummarySection(
        name=run.name,
        headline=write_headline(run),
        notes=run.status.notes if run.status else (),
        facts=(
            describe_network(run, folder.ensemble) or Fact("Model", "not yet known"),
            describe_data(run, folder.split),
            describe_test(folder.test),
            describe_training(run),
        ),
        usage=describe_usage(folder.folder) if run.finished and folder.folder else None,
    )


def write_headline(run: RunView) -> Headline:
    """Say what the run reached, or how far it came."""
    if isinstance(run.status, UnfinishedRun):
        ended = "is not finished." if run.status.status == "running" else "did not come to its end."
        known = run.status.error or "What is known of it so far stands below."
        return Headline(f"{run.name} {ended}", "", "", known)
    val = run.val
    if val is None:
        images = "No image is left to validate it on."
        return Headline(f"{run.name} was trained on all images.", "", "", images)
    chosen = "the epoch" if run.epochs else "its networks"
    support = (
        f"The 95 % interval is {format_interval(val)}, from {format_count(val.n)} images, which "
        f"also chose {chosen}."
    )
    if means := describe_class_means(val.by_class, val.n):
        support += f" With every class counted alike: {means}."
    course = run.validated.course if run.validated else None
    if course is not None and run.epochs:
        lift = format_points(course.choice_lift, val.n, signed=False)
        support += f" By a simulation, that choice raised it by about {lift}."
    if run.seeds is not None:
        support += f" With its own seed and others: {describe_seeds(run.seeds)}."
    after = "of its validation images correctly."
    return Headline(f"{run.name} classifies", format_accuracy(val), after, support)


def describe_data(run: RunView, split: SplitRecord | None) -> Fact:
    """Say what the run was trained on."""
    name = run.status.data if run.status else "not recorded"
    if split is None:
        return Fact("Data", name)
    if run.finished is not None and run.val is None:
        images = f"{format_count(split.train_n + split.val_n)} images, all trained on"
    else:
        images = (
            f"{format_count(split.train_n)} images to train on, {format_count(split.val_n)} to "
            "validate on"
        )
    return Fact("Data", name, (images,))


def describe_test(test: TestRecord | None) -> Fact:
    """Say what the run's test result is, and how often the test set was opened."""
    if test is None:
        return Fact("Test set", "no result in this folder")
    details = (
        f"{format_interval(test)} from {format_count(test.n)} images.",
        f"Opened {format_times(test.openings)} for this run.",
        *tell_other_openings(test.openings, test.openings_on_machine),
    )
    return Fact("Test set", format_accuracy(test), details)


def describe_training(run: RunView) -> Fact:
    """Say how long training took, and how far it fitted the training images better."""
    seconds = run.finished.seconds if run.finished else None
    found = run.validated
    if found is None:
        return Fact("Training", format_duration(seconds))
    gap = format_points(found.gap, found.val.n, signed=False)
    bounds = found.gap_interval
    span = f" ({format_signed_span(bounds, found.val.n)})" if bounds else ""
    detail = f"{format_accuracy(found.train)} on training images: a gap of {gap}{span}"
    return Fact("Training", format_duration(seconds), (detail,))
