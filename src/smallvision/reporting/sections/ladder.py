"""The ladder rung by rung: what each asked, what came of it, and what it cost."""

from __future__ import annotations

from dataclasses import dataclass

from smallvision.format import (
    format_count,
    format_duration,
    format_latency,
    format_points,
    format_ratio,
)
from smallvision.records.schema import PlannedRung, Rate, RungRecord, Verdict, WinnerChoice
from smallvision.reporting.charts.costs import CostChart, draw_costs
from smallvision.reporting.charts.intervals import IntervalRow, fit_intervals, place_row
from smallvision.reporting.charts.scales import ErrorScale, Mark
from smallvision.reporting.sections.phrases import tell_lift
from smallvision.reporting.view import RungView, StudyView

SYMBOLS = {"better": "▲", "worse": "▼", "cannot tell apart": "≈"}
TONES = {"better": "better", "worse": "worse", "cannot tell apart": "even"}
STATES = {"pending": "not run yet", "running": "not finished", "failed": "failed"}
REPEAT = "The search found nothing better than the recipe's own settings; this rung is {}."


@dataclass(frozen=True)
class Chip:
    """A verdict in a word or two; the tone picks the colour, the symbol does without it.

    Attributes:
        tone, symbol, text: of the chip.
        word: the text without the budget at which it holds, where it has one.
    """

    tone: str
    symbol: str
    text: str
    word: str = ""


@dataclass(frozen=True)
class LadderRow:
    """A rung on the plot and in the table."""

    rung: RungView
    place: IntervalRow
    chip: Chip
    step: str
    against_best: Chip
    sentence: str
    costs: tuple[str, ...]
    is_best: bool
    course: str
    choice: str


@dataclass(frozen=True)
class PlanRow:
    """A rung as it was planned, and the time that it took."""

    planned: PlannedRung
    taken: float | None


@dataclass(frozen=True)
class PlanPart:
    """How the time of the study was divided."""

    sentence: str
    rows: tuple[PlanRow, ...]


@dataclass(frozen=True)
class LadderSection:
    """All rungs, the axis of their plot, and the winner's test result on the same scale."""

    rows: tuple[LadderRow, ...]
    marks: tuple[Mark, ...]
    test: IntervalRow | None
    left_out: tuple[str, ...]
    cut: tuple[RungRecord, ...]
    plan: PlanPart | None
    costs: CostChart | None


def gather(study: StudyView) -> LadderSection:
    """Lay all rungs on one scale that holds every interval."""
    tested = study.test.rate if study.test and study.find_rung(study.test.model) else None
    rates = [*(rung.run.val for rung in study.climbed), tested]
    scale = fit_intervals(rates)
    return LadderSection(
        rows=tuple(list_rung(rung, study, scale) for rung in study.climbed),
        marks=scale.marks() if any(rates) else (),
        test=place_row(study.test.model, tested, scale, tone="test") if study.test else None,
        left_out=study.left_out,
        cut=study.cut,
        plan=gather_plan(study),
        costs=draw_costs(study.climbed, study.record.best),
    )


def gather_plan(study: StudyView) -> PlanPart | None:
    """Set the time that each rung took beside the time that was planned for it."""
    budget = study.record.budget
    if budget is None:
        return None
    slots = {rung.record.slot: rung for rung in study.rungs}
    rows = tuple(PlanRow(one, tell_time(slots.get(one.slot), study)) for one in budget.rungs)
    limit = "without a limit" if budget.seconds is None else format_duration(budget.seconds)
    spent = format_duration(study.record.spent_seconds)
    return PlanPart(f"The budget was {limit}; the study took {spent}.", rows)


def tell_time(rung: RungView | None, study: StudyView) -> float | None:
    """Seconds that a rung took with all its folds or seeds, and the search before it."""
    found = rung.run.finished if rung else None
    if rung is None or found is None:
        return None
    runs = len(rung.run.folds.folds) if rung.run.folds else study.record.seeds
    return runs * found.seconds + found.search_seconds


def list_rung(rung: RungView, study: StudyView, scale: ErrorScale) -> LadderRow:
    """Collect what the page says of a rung."""
    is_best = rung.name == study.record.best
    tone = f"{rung.record.status}{' best' if is_best else ''}"
    base = find_base(rung, study)
    return LadderRow(
        rung=rung,
        place=place_row(rung.name, rung.run.val, scale, tone=tone, base=base),
        chip=choose_chip(rung),
        step=describe_step(rung),
        against_best=name_verdict(rung.against_best),
        sentence=describe_rung(rung),
        costs=list_costs(rung),
        is_best=is_best,
        course=mark_course(rung),
        choice=describe_choice(rung, study.choice) if is_best else "",
    )


def mark_course(rung: RungView) -> str:
    """Mark a rung that more epochs might change."""
    found = rung.run.validated
    if found is None or found.course is None:
        return ""
    epochs = "1 epoch" if found.epochs_done == 1 else f"{found.epochs_done} epochs"
    if found.course.rising:
        return f"still rising after {epochs}"
    return f"only {epochs}" if found.course.fit == "too short to judge" else ""


def describe_choice(rung: RungView, choice: WinnerChoice | None) -> str:
    """What choosing the winner added to its validation accuracy, where that was measured."""
    if choice is None or rung.run.val is None:
        return ""
    lift = tell_lift(choice, rung.run.val.n)
    return f"choosing added about {lift}" if lift else ""


def find_base(rung: RungView, study: StudyView) -> Rate | None:
    """The accuracy of the rung that a rung is compared with.

    Where `--rungs` left it none to build on, that is the rung before it.
    """
    base = study.find_rung(rung.step.against if rung.step else rung.record.builds_on)
    return base.run.val if base else None


def name_verdict(verdict: Verdict | None) -> Chip:
    """The chip of a comparison."""
    if verdict is None:
        return Chip("none", "", "not compared")
    told_apart = verdict.verdict != "cannot tell apart"
    word = verdict.verdict
    if told_apart and verdict.is_at_budget:
        return Chip(TONES[word], SYMBOLS[word], f"{word} at this budget", word)
    return Chip(TONES[word], SYMBOLS[word], word)


def choose_chip(rung: RungView) -> Chip:
    """The chip of a rung: its state, or how it compares with the rung it builds on."""
    state = rung.record.status
    if not rung.record.is_done:
        return Chip("failed" if state == "failed" else "none", "", STATES[state])
    if rung.is_repeat:
        return Chip("none", "", "same run" if rung.is_adopted else "same recipe, other seed")
    if rung.step is None and rung.record.builds_on is None:
        return Chip("none", "", "starting point")
    return name_verdict(rung.step)


def describe_step(rung: RungView) -> str:
    """The difference from the rung it is compared with, or why there is none."""
    if not rung.record.is_done or rung.step is None:
        return ""
    if rung.is_adopted:
        return f"as {rung.step.against}: no trial was better"
    return f"{format_points(rung.step.difference, rung.step.n)} against {rung.step.against}"


def describe_rung(rung: RungView) -> str:
    """What came of a rung, in words; empty where it was compared with none."""
    if rung.is_adopted:
        return REPEAT.format(f"the very run of {rung.record.builds_on}")
    sentence = rung.step.sentence if rung.step else ""
    if rung.is_repeat:
        return f"{REPEAT.format('a repeat of it with another seed')} {sentence}".strip()
    return sentence


def list_costs(rung: RungView) -> tuple[str, ...]:
    """What a rung costs, each beside the rung it is compared with."""
    found, step = rung.run.finished, rung.step
    if found is None:
        return ()
    search = found.search_seconds
    searched = f", after {format_duration(search)} of search" if search else ""
    costs = (
        f"{format_duration(found.seconds)} of training{searched}",
        f"{format_count(found.parameters)} parameters",
        f"{format_latency(found.latency_seconds)} an image",
    )
    if step is None:
        return costs
    ratios = (step.seconds_ratio, step.parameters_ratio, step.latency_ratio)
    return tuple(
        f"{cost} ({format_ratio(ratio)})" for cost, ratio in zip(costs, ratios, strict=True)
    )
