"""How training went: learning curves, schedules, and a table of all runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from smallvision.about.choices import Choice, explain_training
from smallvision.about.methods import describe_looks
from smallvision.about.techniques import describe_schedule
from smallvision.format import NONE, format_accuracy, format_count, format_points
from smallvision.recipes.settings.recipe import Recipe
from smallvision.records.schema import UnfinishedRun
from smallvision.reporting.charts.curves import CurveChart, Panel, draw_curves, draw_panels
from smallvision.reporting.charts.scales import Scale
from smallvision.reporting.charts.schedules import SchedulePlot, draw_schedules
from smallvision.reporting.sections.model import parse_if_known
from smallvision.reporting.view import LoneRunView, RunView, StudyView

STATES = {"running": "not finished", "failed": "failed", "pruned": "given up by the search"}


@dataclass(frozen=True)
class TrainingRow:
    """A run in the table; what is unknown of a run is None."""

    run: RunView
    epochs: int
    planned: int | None
    kept: int | None
    end: str
    seconds: float | None
    images_per_second: float | None
    course: str = ""


@dataclass(frozen=True)
class TrainingSection:
    """What the section shows; `shown` is the number of the chart that is open at first."""

    panels: tuple[Panel, ...]
    scale: Scale
    charts: tuple[CurveChart, ...]
    finals: tuple[str, ...]
    shown: int
    schedules: tuple[SchedulePlot, ...]
    schedule_words: dict[str, str]
    choices: tuple[Choice, ...]
    rows: tuple[TrainingRow, ...]
    header: str

    @property
    def restarts(self) -> bool:
        """Whether any chart has a line where the learning rate restarts."""
        return any(chart.restarts for chart in self.charts)


def gather(study: StudyView) -> TrainingSection:
    """Collect what the section shows of a study: its winner's curves are open at first."""
    searched = next((i for i, rung in enumerate(study.rungs) if rung.tuning is not None), None)
    return gather_runs(
        [rung.run for rung in study.rungs],
        study.record.best,
        header="rung",
        unsearched=searched,
    )


def gather_lone_run(folder: LoneRunView) -> TrainingSection:
    """Collect what the section shows of a run and of those inside it."""
    return gather_runs(folder.runs, folder.run.name, header="run")


def gather_runs(
    runs: Sequence[RunView], first: str | None, *, header: str, unsearched: int | None = None
) -> TrainingSection:
    """Collect what the section shows.

    Args:
        runs: in the order in which they are shown.
        first: the run whose curves are open at first.
        header: what a row of the table is.
        unsearched: runs at the beginning whose settings come from no search; None for all.
    """
    recipes = {run.name: recipe for run in runs if (recipe := parse_if_known(run)) is not None}
    asked = {run.name: recipes[run.name] for run in runs[:unsearched] if run.name in recipes}
    panels, scale = draw_panels(runs)
    names = [panel.run.name for panel in panels]
    return TrainingSection(
        panels=panels,
        scale=scale,
        charts=tuple(draw_curves(panel.run) for panel in panels),
        finals=tuple(describe_final(panel.run, recipes.get(panel.run.name)) for panel in panels),
        shown=names.index(first) if first in names else len(names) - 1,
        schedules=draw_schedules(runs),
        schedule_words={name: describe_schedule(one.schedule) for name, one in recipes.items()},
        choices=explain_training(asked),
        rows=tuple(list_run(run) for run in runs if run.finished or run.epochs),
        header=header,
    )


def describe_final(run: RunView, recipe: Recipe | None) -> str:
    """What the finished model reaches, by which its gap is judged, and why the lines differ."""
    found = run.validated
    if found is None:
        return ""
    whose = (
        "The finished networks of all folds classify" if run.folds else "Finished, it classifies"
    )
    looks = describe_looks(recipe.tta) if recipe else ""
    lines = (
        f"{looks} The lines, and the figure of the epoch kept, look at each image once. "
        if looks
        else ""
    )
    drawn = run.epochs[-1].train_n if run.epochs else 0
    fewer = (
        f"The line of training images is measured on {format_count(drawn)} of them, and this "
        f"figure on {format_count(found.train.n)}."
        if drawn and drawn != found.train.n and not run.folds
        else ""
    )
    return (
        f"{whose} {format_accuracy(found.train)} of the training and {format_accuracy(found.val)} "
        "of the validation images correctly: a gap of "
        f"{format_points(found.gap, found.val.n, signed=False)}, which is the one that limits and "
        f"tables speak of. {lines}{fewer}"
    ).strip()


def list_run(run: RunView) -> TrainingRow:
    """A run in the table; one that is not finished is known by its epochs so far."""
    found = run.finished
    if found is not None:
        return TrainingRow(
            run=run,
            epochs=found.epochs_done,
            planned=found.epochs_planned,
            kept=found.best_epoch,
            end=found.stopped,
            seconds=found.seconds,
            images_per_second=found.images_per_second,
            course=run.validated.course.sentence if run.validated and run.validated.course else "",
        )
    last = run.epochs[-1]
    return TrainingRow(
        run=run,
        epochs=last.epoch,
        planned=run.schedule.epochs if run.schedule else None,
        kept=None,
        end=STATES[run.status.status] if isinstance(run.status, UnfinishedRun) else NONE,
        seconds=last.seconds,
        images_per_second=last.images_per_second,
    )
