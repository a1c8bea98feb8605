"""The study in a few paragraphs, as a report of one's own may begin."""

from __future__ import annotations

from collections.abc import Iterator

from smallvision.about.facts import describe_compute
from smallvision.about.methods import name_design
from smallvision.format import (
    format_accuracy,
    format_count,
    format_duration,
    format_interval,
    format_latency,
    format_points,
    join_words,
)
from smallvision.reporting.sections.errors import describe_causes
from smallvision.reporting.sections.first_screen.facts import count_both, find_network
from smallvision.reporting.sections.phrases import describe_shape
from smallvision.reporting.view import RungView, StudyView


def write_prose(study: StudyView) -> tuple[str, ...]:
    """Question, method, result and errors, a paragraph each; nothing without a winner."""
    winner = study.winner
    if winner is None or winner.run.val is None:
        return ()
    paragraphs = (
        describe_task(study),
        describe_ladder(study),
        " ".join(describe_result(study, winner)),
        " ".join(describe_mistakes(study)),
    )
    return tuple(filter(None, paragraphs))


def describe_task(study: StudyView) -> str:
    """The data, and how they were divided."""
    data, split, folds = study.record.data, study.split, study.record.folds
    words = (
        f"The task is to sort images of {data.name} ({describe_shape(data.shape)}) into "
        f"{format_count(len(data.class_names))} classes."
    )
    if folds > 1:
        words += (
            f" Each model was judged by cross-validation in {folds} folds: every image was "
            "classified by a network that had not seen it in training."
        )
    elif split is not None:
        words += (
            f" {format_count(split.train_n)} images were used to train on, and "
            f"{format_count(split.val_n)} others to choose between models."
        )
    if study.opened == 1:
        words += (
            f" {format_count(data.test_n)} test images stayed sealed in this study until one "
            "model had been chosen."
        )
    return words


def describe_ladder(study: StudyView) -> str:
    """What was tried, and what helped."""
    done = [rung for rung in study.climbed if rung.run.val is not None]
    steps = [rung.step for rung in done if rung.step is not None and not rung.is_repeat]
    if len(done) < 2 or not steps:
        return ""
    first = done[0]
    words = (
        f"{len(done)} models were trained, each to answer a weakness of an earlier one, beginning "
        f"with {first.name} at {format_accuracy(first.run.val)} of the validation images."
    )
    better = sorted(
        (step for step in steps if step.verdict == "better"), key=lambda step: -step.difference
    )
    if better:
        gains = [
            f"{step.rung} ({format_points(step.difference, step.n)} against {step.against})"
            for step in better[:3]
        ]
        largest = "The largest gains" if len(better) > 1 else "The one gain beyond chance"
        words += (
            f" {largest} came with {join_words(gains)}, in paired tests on the same images, each "
            "at the 5 % level."
        )
    found_worse = [step for step in steps if step.verdict == "worse"]
    worse = [step.rung for step in found_worse]
    even = [step.rung for step in steps if step.verdict == "cannot tell apart"]
    if even:
        words += f" No gain beyond chance came with {join_words(even)}."
    if worse:
        alone = len(worse) == 1
        budget = " at this budget" if any(step.is_at_budget for step in found_worse) else ""
        words += (
            f" {join_words(worse)} {'was' if alone else 'were'} less accurate{budget} than the "
            f"{'rung' if alone else 'rungs'} built on."
        )
    return words


def describe_result(study: StudyView, winner: RungView) -> Iterator[str]:
    """What was chosen, how good it is, and what it costs."""
    record, test, found = study.record, study.test, winner.run.finished
    network = find_network(winner.run, winner.ensemble)
    named = f"{winner.name}, {name_design(network)}," if network else winner.name
    if winner.ensemble is not None and len(winner.ensemble.members) == 1:
        named += " the best of several snapshots, which stands alone,"
    yield f"Chosen was {named} for this reason: {record.best_reason}."
    if test is not None and test.model == winner.name:
        refit = "trained once more with the validation images, " if test.refit else ""
        yield (
            f"{'It, ' if refit else 'It '}{refit}classifies {format_accuracy(test)} of "
            f"{format_count(test.n)} test images correctly (95 % interval {format_interval(test)})."
        )
    else:
        yield (
            f"It classifies {format_accuracy(winner.run.val)} of the validation images correctly "
            f"(95 % interval {format_interval(winner.run.val)}); they also chose it."
        )
    if found is not None:
        yield (
            f"Its training took {format_duration(found.seconds)} "
            f"({describe_compute(found.compute)}); it has {format_count(found.parameters)} "
            f"parameters and takes {format_latency(found.latency_seconds)} for an image."
        )


def describe_mistakes(study: StudyView) -> Iterator[str]:
    """What it gets wrong, and what that goes with."""
    if study.errors is None:
        return
    record, names = study.errors.record, study.record.data.class_names
    if record.pairs:
        pairs = sorted(record.pairs, key=count_both, reverse=True)[:2]
        said = [
            f"{names[pair.true]} with {names[pair.predicted]} "
            f"({format_count(count_both(pair))} both ways)"
            for pair in pairs
        ]
        most = f"most often by confusing {join_words(said)}"
        yield (
            f"Of {format_count(record.n)} validation images it gets {format_count(record.errors)} "
            f"wrong, {most if record.errors > 1 else f'by confusing {said[0]}'}."
        )
        yield describe_causes(record)
