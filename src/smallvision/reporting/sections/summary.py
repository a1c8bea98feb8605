"""The first screen: what won, how sure that is, and what a reader must know before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_count,
    format_interval,
    format_moment,
    format_points,
    format_times,
    join_words,
)
from smallvision.records.schema import GoalName, Rate, TestRecord, Verdict
from smallvision.reporting.sections import ladder
from smallvision.reporting.sections.phrases import (
    describe_budget,
    describe_shape,
    name_goal,
    tell_other_openings,
)
from smallvision.reporting.sections.protocol import list_limits
from smallvision.reporting.view import Picture, RungView, StudyView

SHEET_ROWS = 6  # of the random images, beside the headline
SINGLE_RUNS = (
    "Rungs that were trained once are compared network by network; other seeds may give another "
    "answer."
)
BUDGET = (
    "“At this budget” means that the accuracy of one of the two was still rising, or its training "
    "too short to judge it: more epochs may give another answer."
)
RIVALS = {  # verdict of the runner-up against the winner -> value, tone
    "better": ("more accurate", "alert"),
    "worse": ("less accurate", "good"),
    "cannot tell apart": ("cannot be told apart", "plain"),
}


@dataclass(frozen=True)
class Headline:
    """The claim, with its one number apart so that the page can set it large."""

    before: str
    figure: str
    after: str
    support: str


@dataclass(frozen=True)
class Fact:
    """One answer of the first screen; the tone is plain, good or alert."""

    label: str
    value: str
    details: tuple[str, ...] = ()
    tone: str = "plain"


@dataclass(frozen=True)
class SummarySection:
    """What the first screen shows."""

    study: StudyView
    sheet: Picture | None
    sheet_height: int
    headline: Headline
    alerts: tuple[str, ...]
    facts: tuple[Fact, ...]
    gains: tuple[tuple[str, str], ...]
    ladder: ladder.LadderSection
    budget: str


def gather(study: StudyView) -> SummarySection:
    """Collect what the first screen shows."""
    found = study.exploration
    sheet = found.pictures[found.record.pictures.random] if found else None
    rows = SHEET_ROWS * (study.record.data.shape[1] + 1) - 1
    return SummarySection(
        study=study,
        sheet=sheet,
        sheet_height=min(sheet.height, rows) if sheet else 0,
        headline=write_headline(study),
        alerts=list_alerts(study),
        facts=(
            describe_data(study),
            describe_test_set(study),
            describe_rival(study),
            describe_goal(study),
        ),
        gains=sum_up_gains(study),
        ladder=ladder.gather(study),
        budget=describe_budget(study.record),
    )


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
        else "They also chose the model, so expect slightly less on new images."
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


def describe_data(study: StudyView) -> Fact:
    """Say what was classified."""
    data = study.record.data
    details = (
        f"{format_count(len(data.class_names))} classes, {describe_shape(data.shape)}",
        f"{format_count(data.train_n)} training and {format_count(data.test_n)} test images",
    )
    return Fact("Data", data.name, details)


def describe_test_set(study: StudyView) -> Fact:
    """Say how often the test set was opened."""
    if study.opened == 0:
        return Fact(
            "Test set", "still sealed", ("No number in this report comes from the test set.",)
        )
    if study.opened > 1:
        value = f"opened {format_times(study.opened)}"
        return Fact("Test set", value, ("Only the first opening was blind.",), "alert")
    when = f", on {format_moment(study.openings[-1].time)}" if study.openings else ""
    others = tell_other_openings(1, study.test.openings_on_machine if study.test else None)
    tone = "plain" if others else "good"
    return Fact("Test set", "opened once", (f"After the choice{when}.", *others), tone)


def describe_rival(study: StudyView) -> Fact:
    """Say whether the winner can be told apart from the runner-up."""
    winner = study.winner
    if winner is None:
        return Fact("Runner-up", "not yet known", ("The study has not named a winner.",))
    rung = find_leader(
        (rung for rung in study.rungs if rung.name != winner.name and not rung.is_adopted),
        study.record.goal.maximise,
    )
    if rung is None:
        return Fact("Runner-up", "none", ("No other rung has a validation accuracy.",))
    if rung.against_best is None:
        standing = f"{rung.name}: {format_accuracy(rung.run.val)} on validation."
        return Fact("Runner-up", rung.name, (standing, "The two were not compared."))
    value, tone = RIVALS[rung.against_best.verdict]
    if rung.against_best.is_at_budget and rung.against_best.verdict != "cannot tell apart":
        value = f"{value} at this budget"
    return Fact("Runner-up", value, (rung.against_best.sentence,), tone)


def describe_goal(study: StudyView) -> Fact:
    """Say whether the winner keeps the limits, as its record has it."""
    limits = list_limits(study)
    if not limits:
        return Fact(
            "Limits",
            "none set",
            (f"The goal was validation {name_goal(study.record.goal)} alone.",),
        )
    kept = study.winner.run.validated if study.winner else None
    if kept is None or kept.within_limits is None:
        details = tuple(f"{row.name} at most {row.limit}" for row in limits)
        return Fact("Limits", "not yet known", details)
    details = tuple(f"{row.name} {row.value}, limit {row.limit}" for row in limits)
    if not kept.within_limits:
        return Fact("Limits", "not satisfied", details, "alert")
    return Fact("Limits", "all satisfied" if len(limits) > 1 else "satisfied", details, "good")


def sum_up_gains(study: StudyView) -> tuple[tuple[str, str], ...]:
    """Sum up the verdicts of all rungs, each against the one it was compared with.

    A rung that only repeats a recipe with another seed changes nothing that could matter.

    Returns: a label and its text for each kind of verdict that there is.
    """
    steps = [rung.step for rung in study.climbed if rung.step is not None and not rung.is_repeat]
    told_apart = [step for step in steps if step.verdict != "cannot tell apart"]
    even: dict[str, list[str]] = {}
    for step in steps:
        if step.verdict == "cannot tell apart":
            even.setdefault(step.against, []).append(step.rung)
    failed = [rung.name for rung in study.climbed if rung.record.status == "failed"]
    sure = SINGLE_RUNS if any(step.is_of_single_runs for step in told_apart) else ""
    budget = BUDGET if any(step.is_at_budget for step in told_apart) else ""
    gains = {
        **list_told_apart(told_apart, "better", "More accurate"),
        **list_told_apart(told_apart, "worse", "Less accurate"),
        "Cannot be told apart": "; ".join(
            f"{join_words(names)} from {against}" for against, names in even.items()
        ),
        "Failed": join_words(failed),
        "How sure": " ".join(filter(None, [sure, budget])),
    }
    return tuple((label, text) for label, text in gains.items() if text)


def list_told_apart(steps: Iterable[Verdict], word: str, label: str) -> dict[str, str]:
    """The rungs of one verdict under their label, those apart that more epochs might change."""
    found = [step for step in steps if step.verdict == word]
    return {
        f"{label}{' at this budget' if at_budget else ''}": ", ".join(
            say_difference(step) for step in found if step.is_at_budget == at_budget
        )
        for at_budget in (False, True)
    }


def say_difference(step: Verdict) -> str:
    """A rung, and by how much it differs from the one it is compared with."""
    return f"{step.rung} ({format_points(step.difference, step.n)} against {step.against})"
