"""The claim of the first screen, and what a reader must know before believing it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_count,
    format_interval,
    format_times,
)
from smallvision.records.schema import GoalName, Rate, TestRecord
from smallvision.reporting.view import RungView, StudyView


@dataclass(frozen=True)
class Headline:
    """The claim, with its one number apart so that the page can set it large."""

    before: str
    figure: str
    after: str
    support: str


def write_headline(study: StudyView) -> Headline:
    """Say the best that is known, and no more."""
    if study.test is not None:
        return claim_test(study.test)
    winner = study.winner
    if winner is None or winner.run.val is None:
        return tell_progress(study)
    val = winner.run.val
    chosen = (
        study.choice.sentence
        if study.choice
        else "They also chose the model, so expect slightly less than this on new images."
    )
    support = (
        f"The 95 % interval is {format_interval(val)}, from {format_count(val.n)} validation "
        f"images. {tell_class_means(val)}{chosen}"
    )
    return Headline(f"{winner.name} leads with", format_accuracy(val), "on validation.", support)


def tell_class_means(rate: Rate) -> str:
    """A sentence of the figures in which every class counts alike; empty where classes are even."""
    means = describe_class_means(rate.by_class, rate.n)
    return f"With every class counted alike: {means}. " if means else ""


def claim_test(test: TestRecord) -> Headline:
    """The test result; test images that training had seen are not called unseen."""
    copies = test.near_duplicates.copies
    images = f"{format_count(test.n)} test images"
    use = "" if copies else " that were used neither to fit nor to choose"
    support = [f"The 95 % interval is {format_interval(test)}, from {images}{use}."]
    if means := describe_class_means(test.by_class, test.n):
        support.append(f"With every class counted alike: {means}.")
    if test.refit:
        support.append(
            "It was trained once more for that, on training and validation images together."
        )
    if copies:
        support.append(test.near_duplicates.sentence)
    return Headline(
        f"{test.model} classifies",
        format_accuracy(test),
        f"of {'the test' if copies else 'unseen'} images correctly.",
        " ".join(support),
    )


def tell_progress(study: StudyView) -> Headline:
    """Say how far a study without a winner has come."""
    states = [rung.record.status for rung in study.climbed]
    leader = find_leader(study.rungs, study.record.goal.maximise)
    support = "What is known so far stands below."
    if set(states) == {"failed"}:
        support = "No rung finished. The reasons stand below, one line each."
    elif leader is not None:
        support = (
            f"So far {leader.name} leads with {format_accuracy(leader.run.val)} on validation."
        )
    figure = f"{states.count('done')} of {len(states)}"
    return Headline("No winner yet:", figure, "rungs are done.", support)


def find_leader(rungs: Iterable[RungView], goal: GoalName = "val_accuracy") -> RungView | None:
    """Find the rung that is best by what a study maximises, as a mean over seeds if it has several.

    Returns: the first of equals; None where nothing was validated.
    """
    scored = [rung for rung in rungs if rung.run.judge(goal) is not None]
    return max(scored, key=lambda rung: rung.run.judge(goal) or 0.0, default=None)


def list_alerts(study: StudyView) -> tuple[str, ...]:
    """List what a reader must know before believing the headline."""
    alerts = []
    test, opened = study.test, len(study.openings)
    if study.opened > 1:
        alerts.append(
            f"The test set was opened {format_times(study.opened)}. Every look after the first can "
            "flatter the result: read it as an upper guess, or confirm it on new images."
        )
    if test is None:
        return tuple(alerts)
    if opened == 0:
        alerts.append("There is a test result, but its ledger is lost: ledger.jsonl is missing.")
    elif opened != test.openings:
        alerts.append(
            f"test.json counts {test.openings} opening(s) of the test set and ledger.jsonl "
            f"{opened}: one of the two records was changed."
        )
    if test.model != study.record.best:
        chosen = study.record.best or "nothing"
        alerts.append(f"The test result is that of {test.model}, but the study chose {chosen}.")
    if test.data_fingerprint != study.record.data.test_fingerprint:
        alerts.append("The test result comes from other images than the study's test set.")
    return tuple(alerts)
