"""A snapshot as lines of text for a terminal, and what changed from one to the next."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from smallvision.format import format_clock, format_percent, join_words
from smallvision.text import shorten, show_text
from smallvision.watching.snapshot import Snapshot, Step, Training
from smallvision.watching.words import (
    find_current,
    format_rough,
    group_left_out,
    tell_more,
    tell_progress,
    tell_result,
    tell_resumption,
    tell_state,
    tell_test,
    tell_times,
)

Part: TypeAlias = tuple[str, str]  # text, and what it is: see `TONES`
Line: TypeAlias = tuple[Part, ...]
TONES = ("", "strong", "soft", "good", "bad", "now")
TONE_OF = {
    "planned": "soft",
    "running": "now",
    "interrupted": "bad",
    "trained": "",
    "done": "",
    "failed": "bad",
    "left out": "soft",
}
BLOCKS, ASCII_BLOCKS = "▁▂▃▄▅▆▇█", "_.,-~=+#"
NAME, RESULT, CLOCK = 19, 22, 7  # characters of a column
CURVE = 40  # at most, of a learning curve
LEAST_WIDTH = 40


def draw_lines(snapshot: Snapshot, width: int, blocks: str = BLOCKS) -> Iterator[Line]:
    """Draw a snapshot in lines of at most so many characters.

    Args:
        snapshot: of the work.
        width: of the terminal.
        blocks: characters for the curves, from low to high.
    """
    width = max(width, LEAST_WIDTH)
    tone = {"running": "now", "interrupted": "bad", "failed": "bad"}.get(snapshot.state, "good")
    yield ((shorten(show_text(snapshot.name), width), "strong"),)
    yield from wrap(tell_state(snapshot), width, tone)
    for text in list_texts(snapshot):
        yield from wrap(text, width, "soft")
    if snapshot.taken_on and snapshot.kind == "study":
        yield ()
        yield from draw_table(snapshot.taken_on, width)
    for step in snapshot.now:
        yield from draw_curve(step, width, blocks)
    if snapshot.left_out:
        yield ()
        for line in describe_left_out(snapshot):
            yield from wrap(line, width, "soft", "  ")
    for step in snapshot.steps:
        if step.state == "failed" and step.note:
            yield from wrap(f"{step.name} failed: {step.note}", width, "bad", "  ")
    if snapshot.faults:
        yield ()
        for fault in snapshot.faults:
            yield from wrap(f"{fault}; what it said before is shown.", width, "bad", "  ")
    if test := tell_test(snapshot):
        yield ()
        yield from wrap(test, width, "strong")


def list_texts(snapshot: Snapshot) -> Iterator[str]:
    """What is said of some work beside its state."""
    again = tell_resumption(snapshot)
    alone = snapshot.steps[0] if snapshot.kind != "study" and snapshot.steps else None
    result = tell_result(alone) if alone else ""
    texts = (
        tell_more(snapshot),
        again and f"Go on with: {again}",
        snapshot.data,
        result and f"Validation: {result}",
    )
    yield from (text for text in (*texts, tell_times(snapshot)) if text)


def describe_left_out(snapshot: Snapshot) -> Iterator[str]:
    """The rungs that are left out, a line for each reason."""
    for reason, names in group_left_out(snapshot):
        yield f"Left out: {join_words(names)} ({reason.removesuffix('.')})."


def draw_table(steps: Sequence[Step], width: int) -> Iterator[Line]:
    """A line for each rung: how far it is, its accuracy, the time it took and was planned for."""
    progress = max(len("state"), *(len(tell_progress(step)) for step in steps))
    progress = max(10, min(progress, width - NAME - RESULT - 2 * CLOCK - 2))
    is_planned = any(step.planned_seconds is not None for step in steps)
    yield lay_out(("rung", "state", "validation", "min:s", "plan" if is_planned else ""), progress)
    for step in steps:
        took = format_clock(step.seconds) if step.seconds else ""
        plan = "" if step.planned_seconds is None else format_clock(step.planned_seconds)
        texts = (step.name, tell_progress(step), tell_result(step), took, plan)
        yield lay_out(texts, progress, TONE_OF[step.state])


def lay_out(texts: Sequence[str], progress: int, tone: str = "soft") -> Line:
    """One line of the table."""
    name, state, result, took, plan = (show_text(text) for text in texts)
    return (
        (f"{shorten(name, NAME - 1):<{NAME}}", tone if tone == "soft" else ""),
        (f"{shorten(state, progress):<{progress}}  ", tone),
        (f"{result:<{RESULT}}{took:>{CLOCK}}{plan:>{CLOCK}}", "soft" if tone == "soft" else ""),
    )


def draw_curve(step: Step, width: int, blocks: str) -> Iterator[Line]:
    """The learning curve of the training that stands for a step, if it has any epochs."""
    one = find_current(step)
    if one is None or not one.run.epochs:
        return
    pairs: dict[str, list[float | None]] = {
        "validation": [epoch.val_accuracy for epoch in one.run.epochs],
        "training": [epoch.train_accuracy for epoch in one.run.epochs],
    }
    found = {name: [v for v in values if v is not None] for name, values in pairs.items()}
    both = [value for values in found.values() for value in values]
    low, high = min(both), max(both)
    yield ()
    title = step.name if not one.label else f"{step.name}, {one.label}"
    rest = step.left_seconds
    left = f", about {format_rough(rest)} left" if rest else ""
    yield from wrap(f"{title}: {tell_progress(step)}{left}", width, "now")
    for name, values in found.items():
        if values:
            curve = draw_blocks(values, low, high, blocks, min(CURVE, width - 24))
            yield (
                (f"  {name:<11}", "soft"),
                (curve, "now" if name == "validation" else "soft"),
                (
                    f"  {format_percent(values[-1])}",
                    "",
                ),
            )


def draw_blocks(values: Sequence[float], low: float, high: float, blocks: str, most: int) -> str:
    """A curve as one line of characters; of many values evenly spaced ones.

    >>> draw_blocks([0.0, 0.5, 1.0], 0.0, 1.0, "_-#", 10)
    '_-#'
    """
    count = min(most, len(values))
    last = len(values) - 1
    shown = [values[round(i * last / max(1, count - 1))] for i in range(count)]
    top = len(blocks) - 1
    span = (high - low) or 1.0
    return "".join(blocks[round(top * (value - low) / span)] for value in shown)


def wrap(text: str, width: int, tone: str, indent: str = "") -> Iterator[Line]:
    """Text in lines, with a hanging indent; none for no text."""
    lines = textwrap.wrap(show_text(text), width, subsequent_indent=indent)
    yield from (((line, tone),) for line in lines)


def list_changes(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """What is new since an earlier snapshot, a line each, for a pipe or a log."""
    if before is None:
        yield tell_state(now)
        yield from list_texts(now)
        yield from describe_left_out(now)
    elif tell_state(before) != tell_state(now) or before.phase != now.phase:
        yield ". ".join(text for text in (tell_state(now), tell_more(now)) if text)
        if again := tell_resumption(now):
            yield f"Go on with: {again}"
    old = {step.name: step for step in before.steps} if before else {}
    for step in now.steps:
        earlier = old.get(step.name)
        is_new = earlier is None or earlier.state != step.state
        if is_new and (before is not None or step.state not in ("planned", "left out")):
            yield describe_change(step)
        yield from list_epochs(earlier, step)
    for fault in now.faults:
        if before is None or fault not in before.faults:
            yield fault
    if (test := tell_test(now)) and (before is None or before.test is None):
        yield test


def describe_change(step: Step) -> str:
    """A step that has another state than before."""
    parts = [tell_progress(step)]
    if result := tell_result(step):
        parts.append(f"validation {result}")
    if step.note and step.state in ("failed", "left out"):
        parts.append(step.note)
    return f"{step.name}: {', '.join(parts)}"


def list_epochs(before: Step | None, step: Step) -> Iterator[str]:
    """The newest epoch of each training under way that has a new one."""
    known = {one.label: one.epochs for one in before.trainings} if before else {}
    for one in step.active:
        if one.epochs > known.get(one.label, 0):
            yield f"{step.name}: {describe_training(one)}"


def describe_training(training: Training) -> str:
    """The newest epoch of a training."""
    last = training.run.epochs[-1]
    label = f"{training.label}, " if training.label else ""
    val = f", validation {format_percent(last.val_accuracy)}" if last.val_n else ""
    return (
        f"{label}epoch {last.epoch} of {training.planned or last.epoch} done, "
        f"training {format_percent(last.train_accuracy)}{val}"
    )
