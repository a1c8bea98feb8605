"""What a notebook shows of runs, studies, models and results: sections of the report, in frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from smallvision.data.contact_sheet import Picture as Pixels
from smallvision.records.layout import ENSEMBLE
from smallvision.records.nofollow import exists
from smallvision.records.schema import (
    Comparison,
    ErrorAnalysisRecord,
    ExplorationRecord,
    ModelSheet,
    NetworkRecord,
    RunGroup,
    StudySummary,
    TestRecord,
    TuningRecord,
)
from smallvision.reporting import draw_exploration, draw_report
from smallvision.reporting.charts.intervals import IntervalPlot, draw_intervals
from smallvision.reporting.folder import Folder
from smallvision.reporting.frame import frame_page
from smallvision.reporting.page import PageSection, guard_drawing, render_part
from smallvision.reporting.pictures import embed
from smallvision.reporting.sections import errors, evaluation, model, tuning
from smallvision.reporting.view import Pictured, RunView

MOST_ANSWERS, RANKED = 20, 3  # pictures that are shown, and classes of each


class InFolder(Protocol):
    """What lies in a folder of records."""

    @property
    def folder(self) -> Path:
        """The folder."""


class OpenedTest(Protocol):
    """A result of the test set."""

    @property
    def record(self) -> TestRecord:
        """Its record."""


class FinishedSearch(InFolder, Protocol):
    """A search in its folder."""

    @property
    def record(self) -> TuningRecord:
        """Its record."""


class Explored(Protocol):
    """An exploration that looked closer."""

    @property
    def record(self) -> ExplorationRecord:
        """Its record."""

    @property
    def pictures(self) -> Mapping[str, Pixels]:
        """RGBA pictures by file name, previews of augmentations among them."""


class Errors(Protocol):
    """An error analysis with its pictures."""

    @property
    def record(self) -> ErrorAnalysisRecord:
        """Its record."""

    @property
    def pictures(self) -> Mapping[str, Pixels]:
        """RGBA pictures by file name."""


class PictureAnswers(Protocol):
    """What a model says of pictures."""

    @property
    def paths(self) -> Sequence[Path]:
        """Their files; of images in memory their numbers."""

    @property
    def unlike(self) -> Sequence[bool] | None:
        """Which are unlike all that the model was trained on, where it can tell."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed of them."""

    @property
    def errors(self) -> tuple[tuple[Path, str], ...]:
        """The files that could not be read, and why."""

    def rank(self, number: int, count: int) -> list[tuple[str, float]]:
        """The most probable classes of one."""


@dataclass(frozen=True)
class GroupRate:
    """The mean accuracy of a group of runs, its interval and the images behind it."""

    accuracy: float
    interval: tuple[float, float]
    n: int


@dataclass(frozen=True)
class ComparisonSection:
    """What a comparison shows."""

    lead: str
    plot: IntervalPlot
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class AnswerRow:
    """A picture with its most probable classes."""

    name: str
    ranked: Sequence[tuple[str, float]]
    is_unlike: bool


@dataclass(frozen=True)
class AnswersSection:
    """What a model says of pictures, as far as they are shown."""

    answers: tuple[AnswerRow, ...]
    more: int
    notes: tuple[str, ...]


def show_run(run: InFolder) -> str:
    """What a run reached, its learning curves and its schedule; of an ensemble, its members."""
    is_ensemble = exists(run.folder / ENSEMBLE)
    parts = ("summary", "ensemble" if is_ensemble else "training")
    return draw_report(run.folder, parts)._repr_html_()


def show_study(study: StudySummary) -> str:
    """The first screen of the report: what won, how sure that is, and all rungs on one scale."""
    return draw_report(study.study, ("summary",))._repr_html_()


def show_sheet(sheet: ModelSheet) -> str:
    """A model in words, with its sources and layers."""
    found = model.ModelSection(sheet.methods, sheet.sources, sheet.network)
    return frame_section(sheet.name, PageSection("model", sheet.name, found))


def show_network(network: NetworkRecord) -> str:
    """The layers of a network."""
    return frame_section(
        "Network", PageSection("model", "Network", model.ModelSection((), (), network))
    )


def show_comparison(found: Comparison) -> str:
    """All groups on one scale, and the verdict on each pair."""
    rates = [
        (group.name, "best" if i == 0 else "", rate_group(group, found.n))
        for i, group in enumerate(found.groups)
    ]
    folds = f" in {found.folds} folds" if found.folds > 1 else ""
    apart = sum(pair.verdict != "cannot tell apart" for pair in found.pairs)
    pairs = "pair" if len(found.pairs) == 1 else "pairs"
    section = ComparisonSection(
        lead=f"{apart} of {len(found.pairs)} {pairs} can be told apart on {found.n:,} validation "
        f"images{folds}.",
        plot=draw_intervals(rates),
        sentences=tuple(pair.sentence for pair in found.pairs),
    )
    return frame_section("Comparison", PageSection("comparison", "Comparison", section))


def rate_group(group: RunGroup, n: int) -> GroupRate:
    """The accuracy of a group as a drawing takes it."""
    return GroupRate(group.mean, group.interval, n)


def show_test(result: OpenedTest) -> str:
    """The score, the confusion matrix, the classes and the calibration."""
    section = evaluation.gather_record(result.record)
    return frame_section(result.record.model, PageSection("evaluation", "Test", section))


def show_search(search: FinishedSearch) -> str:
    """The trials of a search and what the best one changed."""
    record = search.record
    result = record.rerun.sentence if record.rerun else ""
    section = tuning.gather_record(record, read_base(search.folder), result)
    return frame_section(search.record.recipe, PageSection("tuning", "Search", section))


def read_base(folder: Path) -> RunView:
    """The recipe that a search started from."""
    return RunView("recipe", recipe=Folder(folder).read_text("recipe.toml"))


def show_exploration(exploration: Explored) -> str:
    """The page of an exploration."""
    return frame_page(draw_exploration(exploration.record, exploration.pictures))


def show_errors(analysis: Errors) -> str:
    """Confused pairs, confident errors, doubtful labels, and which images are hard."""
    pictures = {name: embed(pixels) for name, pixels in analysis.pictures.items()}
    record = analysis.record
    section = errors.gather_record(Pictured(record, pictures))
    return frame_section(record.model, PageSection("errors", "Errors", section))


def show_answers(found: PictureAnswers) -> str:
    """The most probable classes of each picture."""
    shown = range(min(MOST_ANSWERS, len(found.paths)))
    section = AnswersSection(
        answers=tuple(
            AnswerRow(
                str(found.paths[i]),
                found.rank(i, RANKED),
                found.unlike is not None and bool(found.unlike[i]),
            )
            for i in shown
        ),
        more=len(found.paths) - len(shown),
        notes=(*found.notes, *(f"{path}: {reason}" for path, reason in found.errors)),
    )
    return frame_section("Answers", PageSection("answers", "Answers", section))


def frame_section(title: str, section: PageSection) -> str:
    """Draw one section in a frame."""
    with guard_drawing(title):
        return frame_page(render_part(title, (section,)))


Drawing: TypeAlias = Callable[..., str]
DRAWINGS: dict[str, Drawing] = {
    "Classification": show_answers,
    "Comparison": show_comparison,
    "ErrorAnalysis": show_errors,
    "Exploration": show_exploration,
    "ModelSheet": show_sheet,
    "NetworkRecord": show_network,
    "Run": show_run,
    "StudySummary": show_study,
    "TestResult": show_test,
    "Tuning": show_search,
}


def draw_object(thing: object) -> str:
    """The HTML that a notebook shows of an object, by the name of its class."""
    return DRAWINGS[type(thing).__name__](thing)
