"""The first screen in sentences: what won, how sure that is, and what to hold against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from smallvision.format import (
    format_accuracy,
    format_count,
    format_duration,
    format_interval,
    format_latency,
    format_moment,
    format_p,
    format_points,
    format_size,
    format_times,
    join_words,
)
from smallvision.reporting.scores import Score
from smallvision.reporting.view import (
    About,
    Limits,
    Outcome,
    Rung,
    Scorecard,
    Study,
    Twin,
)

BLIND = "Only the first opening was blind."
LONE = (
    "Rungs trained once were compared network by network; with other seeds it may come out "
    "otherwise."
)


@dataclass(frozen=True)
class Headline:
    """The claim, with its one number apart so that the page can set it large."""

    before: str
    figure: str
    after: str
    support: str


@dataclass(frozen=True)
class Fact:
    """One answer of the first screen: `tone` is plain, good or alert."""

    label: str
    value: str
    details: tuple[str, ...]
    tone: str = "plain"


@dataclass(frozen=True)
class Limit:
    """One limit of the goal, and what the winner needs of it."""

    name: str
    value: str
    limit: str


def write_headline(study: Study) -> Headline:
    """Say the best that is known, and no more."""
    card, winner = study.scorecard, study.winner
    if card is not None:
        found = card.lookalikes
        copies = found.sentence if found is not None and found.copies else ""
        use = "." if copies else " that were used neither to fit nor to choose."
        support = (
            f"The 95 % interval is {format_interval(card.score)}, from {format_count(card.n)} "
            f"test images{use}"
        )
        if card.refit:
            support += " It was trained once more for that, on training and validation together."
        if copies:
            support += f" {copies}"
        which = f"of {'the test' if copies else 'unseen'} images correctly."
        figure = format_accuracy(card.score)
        return Headline(f"{card.model} classifies", figure, which, support)
    if winner is not None and winner.outcome.val is not None:
        val = winner.outcome.val
        support = (
            f"The 95 % interval is {format_interval(val)}, from {format_count(val.n)} validation "
            "images. They also chose the model, so expect slightly less on new images."
        )
        return Headline(
            f"{winner.name} leads with", format_accuracy(val), "on validation.", support
        )
    return write_unfinished(study)


def write_unfinished(study: Study) -> Headline:
    """Say how far a study without a winner has come."""
    states = [rung.plan.status for rung in study.climbed]
    done, total = states.count("done"), len(states)
    support = "What is known so far stands below."
    leader = find_leader(study.rungs)
    if leader is not None:
        support = (
            f"So far {leader.name} leads with {format_accuracy(leader.outcome.val)} on validation."
        )
    if "failed" in states and done == 0 and "pending" not in states and "running" not in states:
        support = "No rung finished. The reasons stand below, one line each."
    return Headline("No winner yet:", f"{done} of {total}", "rungs are done.", support)


def describe_protocol(study: Study) -> str:
    """How the images were used, as far as the records bear it out."""
    start = "Every model was fitted on the training split and chosen on the validation split."
    if study.scorecard is not None and study.scorecard.refit:
        start += (
            " The chosen one was then trained once more, on both splits together, for the test."
        )
    if study.opened == 0:
        return f"{start} The test set is still sealed."
    if study.opened == 1:
        card = study.scorecard
        others = count_other_openings(1, card.openings_on_machine if card else None)
        if others:
            return (
                f"{start} This study opened the test set once, when that was done; the same images "
                f"had been opened {format_times(others)} before on that machine."
            )
        return f"{start} The test set stayed sealed until one model had been chosen."
    return f"{start} The test set, which should be opened once, was opened {study.opened} times."


def list_facts(study: Study) -> tuple[Fact, ...]:
    """List the four answers beside the claim."""
    return (describe_data(study), describe_seal(study), describe_rival(study), describe_goal(study))


def list_run_facts(run: Rung, about: About) -> tuple[Fact, ...]:
    """List what the page of a lone run tells beside its claim."""
    out, split, test = run.outcome, about.split, about.test
    images: tuple[str, ...] = ()
    if split is not None and out.val is None and run.plan.status == "done":
        images = (f"{format_count(split.train_n + split.val_n)} images, all trained on",)
    elif split is not None:
        train_n, val_n = format_count(split.train_n), format_count(split.val_n)
        images = (f"{train_n} images to train on, {val_n} to validate on",)
    sealed = Fact("Test set", "no result in this folder", ())
    if test is not None:
        score = Score(test.accuracy, test.interval, test.n)
        details = (
            f"{format_interval(score)} from {format_count(test.n)} images.",
            f"Opened {format_times(test.openings)} for this run.",
            *tell_other_openings(test.openings, test.openings_on_machine),
        )
        sealed = Fact("Test set", format_accuracy(score), details)
    gap: tuple[str, ...] = ()
    if out.gap is not None and out.val is not None:
        points = format_points(out.gap, out.val.n, signed=False)
        gap = (f"{format_accuracy(out.train)} on training images: a gap of {points}",)
    cost = (f"{format_latency(out.latency_seconds)} for an image", format_size(out.size_bytes))
    return (
        Fact("Data", about.data or "not recorded", images),
        sealed,
        Fact("Training", format_duration(out.seconds), gap),
        Fact("Parameters", format_count(out.parameters), cost),
    )


def describe_data(study: Study) -> Fact:
    """Say what was classified."""
    data = study.card.data
    details = (
        f"{format_count(len(data.class_names))} classes, {describe_shape(data.shape)}",
        f"{format_count(data.train_n)} training and {format_count(data.test_n)} test images",
    )
    return Fact("Data", data.name, details)


def describe_shape(shape: tuple[int, int, int]) -> str:
    """Say the size of one image in words."""
    channels, height, width = shape
    return f"{width} × {height} pixels, {'grey' if channels == 1 else 'colour'}"


def describe_seal(study: Study) -> Fact:
    """How often anybody looked at the test set."""
    opened = study.opened
    if opened == 0:
        details = ("No number in this report comes from the test set.",)
        return Fact("Test set", "still sealed", details)
    last = study.openings[-1].time if study.openings else None
    if opened == 1:
        when = f", on {format_moment(last)}" if last else ""
        everywhere = study.scorecard.openings_on_machine if study.scorecard else None
        others = tell_other_openings(opened, everywhere)
        tone = "plain" if others else "good"
        return Fact("Test set", "opened once", (f"After the choice{when}.", *others), tone)
    return Fact("Test set", f"opened {format_times(opened)}", (BLIND,), "alert")


def tell_other_openings(openings: int, on_machine: int | None) -> tuple[str, ...]:
    """Say it where the same test images were opened elsewhere as well, for whatever model."""
    others = count_other_openings(openings, on_machine)
    if not others:
        return ()
    return (f"Besides, the same images were opened {format_times(others)} on that machine.",)


def count_other_openings(openings: int, on_machine: int | None) -> int:
    """How often the same test images were opened by something else, as far as is known."""
    return max(0, (on_machine or 0) - openings)


def warn_openings(opened: int) -> str:
    """Say what more than one look at the test set means."""
    return (
        f"The test set was opened {format_times(opened)}. Every look after the first can "
        "flatter the result: read it as an upper guess, or confirm it on new images."
    )


def find_leader(rungs: Iterable[Rung]) -> Rung | None:
    """Find the rung with the highest validation accuracy, as a mean over seeds if it has several.

    Returns: the first of equals; None where nothing was validated.
    """
    scored = [
        (rung.seeds.mean if rung.seeds else rung.outcome.val.accuracy, rung)
        for rung in rungs
        if rung.outcome.val is not None
    ]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def describe_rival(study: Study) -> Fact:
    """Whether the winner can be told apart from the runner-up."""
    winner = study.winner
    if winner is None:
        return Fact("Runner-up", "not yet known", ("The study has not named a winner.",))
    others = (rung for rung in study.rungs if rung.name != winner.name and not rung.is_adopted)
    rung = find_leader(others)
    if rung is None:
        return Fact("Runner-up", "none", ("No other rung has a validation accuracy.",))
    verdict = rung.against_best
    standing = f"{rung.name}: {format_accuracy(rung.outcome.val)} on validation."
    if verdict is None:
        return Fact("Runner-up", rung.name, (standing, "The two were not compared."))
    if verdict.verdict == "cannot tell apart":
        return Fact("Runner-up", "cannot be told apart", (verdict.sentence,))
    if verdict.verdict == "better":
        return Fact("Runner-up", "more accurate", (verdict.sentence,), "alert")
    return Fact("Runner-up", "clearly behind", (verdict.sentence,), "good")


def list_limits(limits: Limits, outcome: Outcome | None) -> tuple[Limit, ...]:
    """Each limit that was set, beside what the winner shows."""
    seen = outcome or Outcome()
    rows = []
    if limits.gap is not None:
        n = seen.val.n if seen.val else 0
        gap = format_points(seen.gap, n, signed=False)
        most = format_points(limits.gap, signed=False)
        rows.append(Limit("gap between train and validation", gap, most))
    if limits.parameters is not None:
        parameters = format_count(seen.parameters)
        rows.append(Limit("parameters", parameters, format_count(limits.parameters)))
    if limits.latency_seconds is not None:
        latency = format_latency(seen.latency_seconds)
        rows.append(Limit("time per image", latency, format_latency(limits.latency_seconds)))
    return tuple(rows)


def describe_goal(study: Study) -> Fact:
    """Whether the winner keeps the limits; the verdict is the record's."""
    winner = study.winner
    limits = list_limits(study.card.goal.limits, winner.outcome if winner else None)
    if not limits:
        return Fact("Limits", "none set", ("The goal was validation accuracy alone.",))
    if winner is None or winner.outcome.within_limits is None:
        details = tuple(f"{limit.name} at most {limit.limit}" for limit in limits)
        return Fact("Limits", "not yet known", details)
    details = tuple(f"{row.name} {row.value}, limit {row.limit}" for row in limits)
    if winner.outcome.within_limits:
        return Fact("Limits", "all satisfied" if len(limits) > 1 else "satisfied", details, "good")
    return Fact("Limits", "not satisfied", details, "alert")


def list_alerts(study: Study) -> tuple[str, ...]:
    """List what a reader must know before believing the headline."""
    alerts = []
    card = study.scorecard
    if study.opened > 1:
        alerts.append(warn_openings(study.opened))
    if card is not None and study.openings and len(study.openings) != card.openings:
        alerts.append(
            f"The scorecard counts {card.openings} opening(s) of the seal, the ledger "
            f"{len(study.openings)}: one of the two records was changed."
        )
    if card is not None and not study.openings:
        alerts.append("There is a test result but no ledger of the seal: ledger.jsonl is missing.")
    if card is not None and card.model != study.card.best:
        chosen = study.card.best or "nothing"
        alerts.append(f"The test result is that of {card.model}, but the study chose {chosen}.")
    if card is not None and card.data_fingerprint != study.card.data.test_fingerprint:
        alerts.append("The test result comes from other images than the study's test set.")
    return tuple(alerts)


def compare_val(study: Study) -> str | None:
    """Test beside validation, in a sentence; of a refitted model that is its twin's business."""
    card = study.scorecard
    if card is None:
        return None
    seen: Scorecard | Twin = card.twin or card
    if seen.val is None:
        return None
    between = format_points(seen.accuracy - seen.val.accuracy, min(seen.n, seen.val.n))
    model = "the twin" if card.twin else "the same model"
    start = f"On validation {model} reached {format_accuracy(seen.val)}"
    evidence = "" if seen.p_vs_val is None else f" ({format_p(seen.p_vs_val)})"
    if seen.differs_from_val:
        return (
            f"{start}; its test result differs from that by {between}, more than chance "
            f"explains{evidence}."
        )
    return f"{start}; the difference of {between} on test is within chance{evidence}."


@dataclass(frozen=True)
class Gains:
    """What helped and what did not, in a sentence each; empty where there is nothing to say."""

    helped: str
    idle: str
    caveat: str = ""


def sum_up_gains(study: Study) -> Gains:
    """Sum up the verdicts of all rungs, each against the one it was compared with.

    A rung that only repeats a recipe with another seed has nothing that could have helped.
    """
    steps = [rung.step for rung in study.climbed if rung.step is not None and not rung.is_repeat]
    better, worse = (
        [
            f"{step.rung} ({format_points(step.difference, step.n)} on {step.against})"
            for step in steps
            if step.verdict == kind
        ]
        for kind in ("better", "worse")
    )
    even: dict[str, list[str]] = {}
    for step in steps:
        if step.verdict == "cannot tell apart":
            even.setdefault(step.against, []).append(step.rung)
    failed = [rung.name for rung in study.climbed if rung.plan.status == "failed"]
    idle = []
    if worse:
        idle.append(f"{join_words(worse)} did harm")
    for against, names in even.items():
        idle.append(f"{join_words(names)} cannot be told apart from {against}")
    if failed:
        idle.append(f"{join_words(failed)} failed")
    lone = [step for step in steps if step.verdict != "cannot tell apart" and step.is_of_lone_runs]
    return Gains(
        f"{join_words(better)}." if better else "",
        f"{'; '.join(idle)}." if idle else "",
        LONE if lone else "",
    )
