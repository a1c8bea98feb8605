"""The facts of the first screen, one answer each."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.about.facts import describe_compute, tell_other_openings
from smallvision.about.methods import name_design, name_kind
from smallvision.format import (
    format_accuracy,
    format_count,
    format_duration,
    format_latency,
    format_moment,
    format_p,
    format_points,
    format_signed_span,
    format_size,
    format_times,
    join_words,
)
from smallvision.records.schema import ConfusedPair, EnsembleRecord, Verdict
from smallvision.records.schema.settings.networks import EnsembleSettings, NetworkSettings
from smallvision.reporting.sections.errors import sum_up_causes
from smallvision.reporting.sections.first_screen.headline import find_leader
from smallvision.reporting.sections.model import parse_if_known
from smallvision.reporting.sections.phrases import (
    describe_shape,
    describe_use,
    name_goal,
    tell_looks,
)
from smallvision.reporting.sections.protocol import list_limits
from smallvision.reporting.view import RungView, RunView, StudyView

RIVALS = {  # verdict of the runner-up against the winner -> value, tone
    "better": ("more accurate", "alert"),
    "worse": ("less accurate", "good"),
    "cannot tell apart": ("cannot be told apart", "plain"),
}


@dataclass(frozen=True)
class Fact:
    """One answer of the first screen; the tone is plain, good or alert."""

    label: str
    value: str
    details: tuple[str, ...] = ()
    tone: str = "plain"


def list_facts(study: StudyView) -> tuple[Fact, ...]:
    """All facts, in the order in which they are shown; what is not known yet is left out."""
    facts = (
        describe_winner(study),
        describe_choice(study),
        describe_rival(study),
        describe_errors(study),
        describe_data(study),
        describe_test_set(study),
        describe_goal(study),
        describe_time(study),
    )
    return tuple(fact for fact in facts if fact is not None)


def find_network(run: RunView, ensemble: EnsembleRecord | None) -> NetworkSettings | None:
    """The settings of the network of a run; None where no record tells them."""
    if run.model is not None:
        return run.model.model
    recipe = parse_if_known(run)
    if recipe is None or ensemble is None:
        return recipe.model if recipe else None
    return EnsembleSettings(members=(recipe.model,) * len(ensemble.members))


def describe_winner(study: StudyView) -> Fact | None:
    """Say what the winner is, how large it is and how long an image takes."""
    winner = study.winner
    return describe_network(winner.run, winner.ensemble) if winner else None


def describe_network(run: RunView, ensemble: EnsembleRecord | None) -> Fact | None:
    """Say what a model is, how large it is and how long an image takes; None if unfinished."""
    found = run.finished
    if found is None:
        return None
    network = find_network(run, ensemble)
    kind = name_kind(network) if network else run.name
    details = (
        f"{run.name}: {name_design(network)}." if network else "",
        f"{format_count(found.parameters)} parameters, {format_size(found.size_bytes)}.",
        f"{format_latency(found.latency_seconds)} for one image, on "
        f"{describe_compute(found.compute)}.",
    )
    return Fact("Model", f"{kind[:1].upper()}{kind[1:]}", tuple(filter(None, details)))


def describe_choice(study: StudyView) -> Fact | None:
    """Say by what the winner was chosen, and among how many."""
    record, winner = study.record, study.winner
    if winner is None or winner.run.val is None:
        return None
    done = sum(rung.run.val is not None for rung in study.climbed)
    images = "that folds left out" if record.folds > 1 else "validation images"
    among = f"Among {done} rungs, " if done > 1 else ""
    value = (
        "the cheapest of equals"
        if record.most_accurate
        else f"highest validation {name_goal(record.goal)}"
    )
    details = [f"{among}by {format_count(winner.run.val.n)} {images}, not by the test set."]
    if record.most_accurate:
        details.append(f"{record.best_reason or ''}."[:1].upper() + f"{record.best_reason}."[1:])
    return Fact("Chosen as", value, tuple(details))


def describe_errors(study: StudyView) -> Fact | None:
    """Say what the winner confuses most."""
    if study.errors is None:
        return None
    record, names = study.errors.record, study.record.data.class_names
    if not record.pairs:
        return Fact("Errors", "none", (f"On {format_count(record.n)} validation images.",))
    pair = max(record.pairs, key=count_both)
    true, other = names[pair.true], names[pair.predicted]
    most = (
        f"Confused most, both ways: {format_count(count_both(pair))} of "
        f"{format_count(record.errors)} errors ({true} taken for {other}: "
        f"{format_count(pair.count)}, the other way: {format_count(pair.reverse_count)})"
    )
    one = f"The one error, {true} taken for {other},"
    return Fact(
        "Errors",
        f"{true} and {other}",
        (
            f"{one if record.errors == 1 else most} on {format_count(record.n)} validation images.",
            *filter(None, [sum_up_causes(record)]),
        ),
    )


def count_both(pair: ConfusedPair) -> int:
    """The errors of a pair of classes, both ways round."""
    return pair.count + pair.reverse_count


def describe_time(study: StudyView) -> Fact | None:
    """Say how long the winner and the whole study took."""
    found = study.winner.run.finished if study.winner else None
    if found is None:
        return None
    search = found.search_seconds
    details = [f"After {format_duration(search)} of search."] if search else []
    if study.record.spent_seconds:
        details.append(f"The whole study took {format_duration(study.record.spent_seconds)}.")
    return Fact("Training time", format_duration(found.seconds), tuple(details))


def describe_data(study: StudyView) -> Fact:
    """Say what was classified."""
    data = study.record.data
    details = (
        f"{format_count(len(data.class_names))} classes, {describe_shape(data.shape)}",
        f"{format_count(data.train_n)} training and {format_count(data.test_n)} test images",
        describe_use(study),
    )
    return Fact("Data", data.name, tuple(filter(None, details)))


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
    value = "opened once by this study" if others else "opened once"
    return Fact("Test set", value, (f"After the choice{when}.", *others), tone)


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
    verdict = rung.against_best
    if verdict is None:
        standing = f"{rung.name}: {format_accuracy(rung.run.val)} on validation."
        return Fact("Runner-up", rung.name, (standing, "The two were not compared."))
    value, tone = RIVALS[verdict.verdict]
    if verdict.is_at_budget and verdict.verdict != "cannot tell apart":
        value = f"{value} at this budget"
    details = (describe_difference(verdict), name_equals(study, winner))
    return Fact("Runner-up", value, tuple(filter(None, details)), tone)


def describe_difference(verdict: Verdict) -> str:
    """A difference on the same images, with its interval and p-value."""
    n = verdict.n
    return (
        f"{verdict.rung}: {format_points(verdict.difference, n)} on the same {format_count(n)} "
        f"validation images (95 % interval {format_signed_span(verdict.interval, n)}, "
        f"{format_p(verdict.p)})."
    )


def name_equals(study: StudyView, winner: RungView) -> str:
    """Name the rungs that cannot be told apart from the winner, and which takes the least time."""
    equals = [
        rung
        for rung in study.climbed
        if rung.against_best is not None
        and rung.against_best.verdict == "cannot tell apart"
        and rung.run.finished is not None
        and not rung.is_adopted
    ]
    if not equals or winner.run.finished is None:
        return ""
    times = {
        rung.name: rung.run.finished.latency_seconds
        for rung in (winner, *equals)
        if rung.run.finished is not None
    }
    cheapest = min(times, key=lambda name: times[name])
    several = len(equals) > 1
    names = join_words([rung.name for rung in equals])
    words = f"{names} cannot be told apart from {winner.name}. " if several else ""
    saved = (
        f": {format_latency(times[cheapest])} against {format_latency(times[winner.name])}"
        if cheapest != winner.name
        else ""
    )
    return f"{words}{cheapest} takes {'the least' if several else 'less'} time for an image{saved}."


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
    details = (
        *(f"{row.name}: {row.value}, limit {row.limit}" for row in limits),
        *filter(None, [tell_looks(study.winner.run) if study.winner else ""]),
    )
    if not kept.within_limits:
        return Fact("Limits", "not satisfied", details, "alert")
    return Fact("Limits", "all satisfied" if len(limits) > 1 else "satisfied", details, "good")
