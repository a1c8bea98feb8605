"""A snapshot as a page, drawn with the report's charts, colours and safeguards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

from smallvision.format import format_duration, format_percent
from smallvision.records.schema import TrialRecord
from smallvision.reporting.charts.curves import CurveChart, Panel, draw_curves, draw_panels
from smallvision.reporting.charts.scales import Scale
from smallvision.reporting.charts.trials import describe_settings
from smallvision.reporting.page import fill_page, load_templates
from smallvision.reporting.view import RunView
from smallvision.watching.snapshot import Snapshot, Step, WorkState
from smallvision.watching.words import (
    find_current,
    format_rough,
    group_left_out,
    tell_left,
    tell_more,
    tell_progress,
    tell_result,
    tell_resumption,
    tell_state,
    tell_test,
)

KINDS = {
    "study": "study",
    "run": "run",
    "search": "search for settings",
    "ensemble": "ensemble",
    "work": "",
}
ENDS = {"complete": "ran to its end", "pruned": "ended early", "failed": "failed"}
MOST_TRIALS = 50  # in the table
TONES: dict[WorkState, str] = {"interrupted": "alert", "failed": "alert"}


@dataclass(frozen=True)
class WatchFact:
    """A figure at the top of the page."""

    label: str
    value: str
    detail: str = ""
    tone: str = ""


@dataclass(frozen=True)
class WatchRow:
    """A step in the table."""

    step: Step
    progress: str
    result: str
    took: str
    plan: str
    winner: bool


@dataclass(frozen=True)
class WatchPanel:
    """A learning curve to choose; `key` is what the address of the page names it by."""

    key: str
    panel: Panel
    state: str
    shown: bool


@dataclass(frozen=True)
class WatchTrial:
    """A finished trial of the search that is under way."""

    trial: TrialRecord
    ended: str
    settings: str
    best: bool


@dataclass(frozen=True)
class WatchPage:
    """What the template draws."""

    snapshot: Snapshot
    kind: str
    title: str
    state: str
    more: str
    again: str
    tone: str
    share: float | None
    facts: tuple[WatchFact, ...]
    rows: tuple[WatchRow, ...]
    left_out: tuple[tuple[str, list[str]], ...]
    trials: tuple[WatchTrial, ...]
    is_planned: bool
    panels: tuple[WatchPanel, ...]
    scale: Scale | None
    chart: CurveChart | None
    chart_says: str
    follows: bool
    test: str
    ago: str
    has_report: bool


def render_page(snapshot: Snapshot, chosen: str = "", *, is_served: bool = True) -> str:
    """Draw the whole page.

    Args:
        snapshot: what it shows.
        chosen: the learning curve that is shown large; by default that of the training under way.
        is_served: whether there is a server that the page can ask for what is new, and for more.
    """
    parts = {"this": gather(snapshot, chosen), "is_served": is_served}
    return fill_page("watch.html.j2", ("page.css", "watch.css"), "watch.js", parts, asks=True)


def render_main(snapshot: Snapshot, chosen: str = "") -> str:
    """Draw what changes of the page, which its script puts in place of what is there."""
    template = load_templates().get_template("watch_main.html.j2")
    return template.render(this=gather(snapshot, chosen), is_served=True)


def gather(snapshot: Snapshot, chosen: str) -> WatchPage:
    """Collect what the page shows."""
    runs = dict(list_curves(snapshot))
    key = chosen if chosen in runs else find_shown(snapshot, runs)
    panels, scale = draw_panels(runs.values())
    keys = dict(zip(runs, panels, strict=True))
    chart = draw_curves(runs[key]) if key is not None else None
    state = tell_state(snapshot)
    return WatchPage(
        snapshot=snapshot,
        kind=KINDS[snapshot.kind],
        title=f"{state} · {snapshot.name}",
        state=state,
        more=tell_more(snapshot),
        again=tell_resumption(snapshot),
        tone=TONES.get(snapshot.state, ""),
        share=tell_share(snapshot),
        facts=tuple(list_facts(snapshot)),
        rows=tuple(list_rows(snapshot)),
        left_out=tuple(group_left_out(snapshot)),
        trials=tuple(list_trials(snapshot))[:MOST_TRIALS],
        is_planned=any(step.planned_seconds is not None for step in snapshot.taken_on),
        panels=tuple(
            WatchPanel(name, panel, states[name], name == key)
            for states in [dict(list_states(snapshot))]
            for name, panel in keys.items()
        ),
        scale=scale if panels else None,
        chart=chart,
        chart_says=dict(list_states(snapshot)).get(key or "", ""),
        follows=key != chosen,
        test=tell_test(snapshot),
        ago=tell_ago(snapshot),
        has_report=snapshot.kind in ("study", "run", "ensemble")
        and (snapshot.is_over or any(step.state == "done" for step in snapshot.steps)),
    )


def list_curves(snapshot: Snapshot) -> Iterator[tuple[str, RunView]]:
    """The learning curves by name: of each step one, and those of all trainings under way."""
    for step in snapshot.steps:
        current = find_current(step)
        for one in step.trainings:
            is_shown = not one.label or one is current or one.is_active or len(snapshot.steps) == 1
            if one.run.epochs and is_shown:
                key = f"{step.name}, {one.label}" if one.label else step.name
                yield key, replace(one.run, name=key)


def list_states(snapshot: Snapshot) -> Iterator[tuple[str, str]]:
    """How far the training of each curve is."""
    for step in snapshot.steps:
        for one in step.trainings:
            key = f"{step.name}, {one.label}" if one.label else step.name
            planned = one.planned or one.epochs
            if one.run.val is not None:
                yield key, format_percent(one.run.val.accuracy, one.run.val.n)
            elif one.is_done:
                yield key, "done"
            else:
                best = "" if one.best is None else f", best {format_percent(one.best.judged)}"
                yield key, f"epoch {one.epochs}/{planned}{best}"


def find_shown(snapshot: Snapshot, runs: dict[str, RunView]) -> str | None:
    """The curve that is shown unless somebody chose one: of what is trained now, or the last."""
    for step in reversed(snapshot.now):
        one = find_current(step)
        key = f"{step.name}, {one.label}" if one and one.label else step.name
        if one is not None and key in runs:
            return key
    if snapshot.best in runs:
        return snapshot.best
    return next(reversed(runs), None)


def list_facts(snapshot: Snapshot) -> Iterator[WatchFact]:
    """The figures at the top."""
    if snapshot.state == "waiting":
        return
    if snapshot.kind == "study":
        for step in snapshot.now[:1]:
            more = len(snapshot.now) - 1
            detail = f"and {more} more at once" if more else ""
            yield WatchFact("Under way", f"{step.name}: {tell_progress(step)}", detail)
    elif snapshot.kind == "search" and snapshot.steps[0].search is not None:
        search = snapshot.steps[0].search
        value = f"{len(search.trials)} of {max(search.trials_asked, len(search.trials))}"
        given_up, failed = search.count("pruned"), search.count("failed")
        detail = f"{given_up} ended early" if given_up else ""
        yield WatchFact(
            "Trials done",
            value,
            ", ".join(filter(None, (detail, f"{failed} failed" if failed else ""))),
        )
    if snapshot.spent_seconds is not None:
        budget = snapshot.budget_seconds
        detail = "" if budget is None else f"budget {format_duration(budget)}"
        label = "Time in all" if snapshot.is_over else "Time so far"
        yield WatchFact(label, format_duration(snapshot.spent_seconds), detail)
    yield from list_rest(snapshot)
    yield from list_best(snapshot)


def list_rest(snapshot: Snapshot) -> Iterator[WatchFact]:
    """The time that is left, and when that will be."""
    if snapshot.state not in ("running", "interrupted"):
        return
    rest = snapshot.left_seconds
    if rest is None:
        yield WatchFact("Time left", tell_left(snapshot) or "not known yet")
        return
    value = f"about {format_rough(rest)}"
    if snapshot.state == "interrupted":
        yield WatchFact("Time left", value, "once it goes on", "alert")
        return
    end = time.strftime("%H:%M", time.localtime(snapshot.taken + rest))
    yield WatchFact("Time left", value, f"until about {end}")


def list_best(snapshot: Snapshot) -> Iterator[WatchFact]:
    """The best validation accuracy so far, and the rung that has it."""
    rated = [(step.val, step) for step in snapshot.steps if step.val is not None]
    if not rated:
        return
    val, step = max(rated, key=lambda pair: pair[0].accuracy)
    label = "Winner" if snapshot.best == step.name else "Highest so far"
    if snapshot.kind != "study":
        label = "Validation"
    elif snapshot.best not in (None, step.name):
        label = "Highest"
    detail = f"of {val.n:,} validation images"
    name = f"{step.name}: " if snapshot.kind == "study" else ""
    yield WatchFact(label, f"{name}{format_percent(val.accuracy, val.n)}", detail)


def list_rows(snapshot: Snapshot) -> Iterator[WatchRow]:
    """The steps of the table."""
    for step in snapshot.taken_on:
        yield WatchRow(
            step,
            progress=tell_progress(step),
            result=tell_result(step),
            took=format_duration(step.seconds) if step.seconds else "",
            plan="" if step.planned_seconds is None else format_duration(step.planned_seconds),
            winner=step.name == snapshot.best,
        )


def list_trials(snapshot: Snapshot) -> Iterator[WatchTrial]:
    """The finished trials of a search outside a study, or under way in one; the newest first."""
    steps = snapshot.steps if snapshot.kind == "search" else snapshot.now
    search = next((step.search for step in steps if step.search is not None), None)
    if search is None:
        return
    best = search.best.number if search.best else None
    for trial in reversed(search.trials):
        settings = describe_settings(trial.values)
        yield WatchTrial(trial, ENDS[trial.state], settings, best=trial.number == best)


def tell_share(snapshot: Snapshot) -> float | None:
    """The share of the work that is done, by time where that is known, else by steps."""
    if snapshot.state == "finished":
        return 1.0
    spent, left = snapshot.spent_seconds, snapshot.left_seconds
    if spent is not None and left is not None and spent + left > 0:
        return spent / (spent + left)
    return snapshot.done / len(snapshot.taken_on) if snapshot.taken_on else None


def tell_ago(snapshot: Snapshot) -> str:
    """How long ago the newest record was written."""
    if not snapshot.written:
        return ""
    return format_rough(snapshot.taken - snapshot.written)
