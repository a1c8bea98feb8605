"""Whatever text records hold, no terminal and no browser obeys it, in any renderer."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smallvision.cli.render import study as study_module
from smallvision.cli.render.classification import AnswerPrinter
from smallvision.cli.render.comparison import print_comparison
from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.ensemble import print_ensemble
from smallvision.cli.render.errors import print_errors
from smallvision.cli.render.exploration import print_closer, print_exploration
from smallvision.cli.render.machine import print_machine
from smallvision.cli.render.progress import TerminalProgress
from smallvision.cli.render.recipes import show_ladder
from smallvision.cli.render.run import print_distillation, print_run, print_seeds
from smallvision.cli.render.runs import print_runs
from smallvision.cli.render.scores import print_test, print_validation
from smallvision.cli.render.study import print_rungs
from smallvision.cli.render.tables import print_verdict
from smallvision.cli.render.tuning import print_tuning
from smallvision.errors import DataError
from smallvision.evaluation.error_analysis import ErrorAnalysis
from smallvision.exploration.explore import Exploration, explore_dataset
from smallvision.optim import Schedule
from smallvision.recipes import build_cifar10_ladder
from smallvision.records import schema, store
from smallvision.records.files import make_folder
from smallvision.records.schema import (
    AllImagesRun,
    Comparison,
    ComputeSettings,
    Distillation,
    PairVerdict,
    RunGroup,
    SeedSummary,
    StudyRecord,
    Teacher,
    UnfinishedRun,
    ValidatedRun,
    ValidationScores,
)
from smallvision.records.schema.base import MAX_TEXT
from smallvision.reporting.charts.confusion_matrix import list_cells
from smallvision.reporting.page import embed_json, render_run, render_study
from smallvision.reporting.reader import read_run, read_study
from smallvision.reporting.view import LoneRunView, StudyView
from smallvision.runs.classify import Answer
from smallvision.runs.results import Run, TestResult
from smallvision.shapes import MAX_NAME
from smallvision.text import show_html, show_lines, show_name, show_text
from smallvision.training import TrainingPlan
from tests.support.hostile_text import (
    ACTING,
    CURSOR,
    NAMES,
    STYLE,
    find_acting,
    list_texts,
    print_to,
    taint,
)
from tests.support.images import make_dataset
from tests.support.page import Page
from tests.support.records import HASH, make_metrics, make_status
from tests.support.study_folder import build_whole_study
from tests.support.study_records import make_scores

Draw = Callable[[PlainConsole], object]
Change = Callable[[str], str]

CHARACTERS = st.one_of(
    st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn", "Co", "Mn"]),
    st.sampled_from(sorted(ACTING)),
    st.characters(),
)
TEXTS = st.one_of(st.sampled_from(NAMES), st.text(CHARACTERS, min_size=1, max_size=30))
LONG = MAX_TEXT - 1_000  # which leaves room for what a text said before
FIGURE = re.compile(r"\d+\.\d+")
slow = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@given(TEXTS)
def test_shown_text_acts_nowhere(text: str) -> None:
    for show in (show_text, show_name, show_lines, show_html):
        assert not find_acting(show(text).replace("\t", ""))
        show(text).encode()
    assert "\n" not in show_text(text)


@given(TEXTS)
def test_errors_act_nowhere(text: str) -> None:
    assert not find_acting(str(DataError(f"{text} is damaged")))


@given(st.text(CHARACTERS, min_size=1, max_size=30))
def test_letters_are_never_lost(text: str) -> None:
    """Each character stays, or its escape does: nothing is dropped without a trace."""
    shown = show_text(text)
    for character in text:
        assert character in shown or character.encode("unicode_escape").decode() in shown


def is_free(place: str) -> bool:
    """Whether a field of a record holds text of any kind, by the JSON schema of its class."""
    model, field = place.split(".")
    properties = getattr(schema, model).model_json_schema()["properties"]
    return any(
        one.get("type") == "string" and not {"pattern", "enum", "const"} & one.keys()
        for one in list_schemas(properties[field])
    )


def list_schemas(part: Any) -> Iterator[dict[str, Any]]:
    """A part of a JSON schema, and all that is in it."""
    if isinstance(part, dict):
        yield part
    for inner in (
        part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    ):
        yield from list_schemas(inner)


class Shown:
    """What is shown; no dataclass, which Hypothesis would print."""

    def __init__(self, study: StudyView, run: LoneRunView, exploration: Exploration) -> None:
        self.study, self.run, self.exploration = study, run, exploration


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = build_whole_study(tmp_path_factory.mktemp("shown") / "study")
    exploration = explore_dataset(make_dataset(), list_previews=tuple, seed=0)
    return Shown(read_study(folder), read_run(folder / "runs" / "tuned"), exploration)


@pytest.mark.parametrize("text", ["\x1b[2J", "[red]x[/red]", "<b>", "x" * LONG])
def test_every_text_that_the_schema_leaves_free_is_changed(shown: Shown, text: str) -> None:
    """A schema that grows strict, or a change that it refuses, makes no other test empty."""
    looked = (shown.exploration.figures, shown.exploration.closer)
    plain = (shown.study, shown.run, looked, make_comparison(), make_status())
    texts = list_texts(plain)
    changed = list_texts(taint(plain, lambda said: f"{said}{text}"))
    kept, new = set[str](), set[str]()
    for (place, before), (_, after) in zip(texts, changed, strict=True):
        (kept if before == after else new).add(place)
    assert not set(filter(is_free, kept))
    assert len(new) > 40, sorted(new)


def make_comparison() -> Comparison:
    groups = tuple(
        RunGroup(
            name=name,
            runs=(name,),
            seeds=(0,),
            failed=(2,),
            accuracies=(0.9,),
            mean=0.9,
            std=None,
            interval=(0.8, 0.95),
        )
        for name in ("a", "b")
    )
    pair = PairVerdict(
        a="a",
        b="b",
        difference=0.0,
        interval=(-0.1, 0.1),
        bootstrap=(-0.1, 0.1),
        p=1.0,
        p_holm=1.0,
        verdict="cannot tell apart",
        needed_n=None,
        sentence="a against b: cannot tell apart.",
    )
    return Comparison(n=400, groups=groups, pairs=(pair,))


def make_teacher(study: StudyView) -> Distillation:
    [against, *_] = (rung.step for rung in study.rungs if rung.step is not None)
    [ensemble] = (rung.ensemble for rung in study.rungs if rung.ensemble is not None)
    teacher = Teacher(
        name="teacher",
        model=HASH,
        accuracy=0.9,
        interval=(0.8, 0.95),
        n=400,
        parameters=10,
        size_bytes=40,
        latency_seconds=0.1,
    )
    return Distillation(teacher=teacher, against_teacher=against, cost=ensemble.cost)


def show_answer(answer: Answer, change: Change, console: PlainConsole) -> None:
    """A picture that was classified, one that could not be read, and a note."""
    printer = AnswerPrinter([*map(change, "ab")], console, top=2, least=0.0)
    printer.add(answer)
    printer.add(Answer(answer.path, error=change("why")))
    printer.finish([change("note")])


def show_progress(console: PlainConsole, change: Change) -> None:
    """Every kind of line of progress."""
    progress = TerminalProgress()
    progress.console = console
    schedule = Schedule(lambda _: 1.0, (3,))
    plan = TrainingPlan("a", 1, 4, 8, schedule, lr=0.1, first_epoch=1, notes=("a note",))
    progress.on_stage_start(change("wrn"), change("Does it help?"))
    progress.on_train_start(taint(plan, change))
    assert progress.lines is not None
    progress.lines.print_epoch(make_metrics())
    progress.on_stage_end(change("wrn"), taint(make_status(), change))
    progress.on_stage_failed(change("wrn"), change("the loss became NaN"))
    progress.on_message(change("going on"))


def rename_rungs(record: StudyRecord, change: Change) -> StudyRecord:
    """A study with names of rungs that the schema refuses: what prints them need not trust it."""
    rungs = [rung.model_copy(update={"name": change(rung.name)}) for rung in record.rungs]
    return record.model_copy(update={"rungs": tuple(rungs), "best": change(str(record.best))})


def show_rungs(record: StudyRecord, status: ValidatedRun, console: PlainConsole) -> None:
    """The table of a study whose runs all have this status."""
    with (
        patch.object(study_module, "read_status", return_value=status),
        patch.object(study_module.store, "read_if_there", return_value=None),
    ):
        print_rungs(Path(), record, console)


def spoil_exploration(exploration: Exploration, change: Change) -> Exploration:
    """The same exploration with other texts."""
    closer, pictures = exploration.closer, exploration.pictures
    return dataclasses.replace(
        exploration,
        figures=taint(exploration.figures, change),
        look=lambda: (taint(closer, change), pictures),
    )


def list_renderers(shown: Shown, change: Change) -> dict[str, Draw]:
    """Every renderer of the terminal, given records whose texts are changed."""
    study, exploration = shown.study, shown.exploration
    view = taint(study, change)
    [ensemble] = (rung for rung in view.rungs if rung.ensemble is not None)
    [tuned] = (rung for rung in view.rungs if rung.tuning is not None)
    test = view.test
    packages = ("smallvision", "torch")
    environment = taint(study.environment.change(versions=dict.fromkeys(packages, "1")), change)
    versions = dict(zip(packages, environment.versions.values(), strict=True))
    environment = environment.change(versions=versions)
    status = taint(make_status(notes=("a note",)), change)
    unfinished = taint(status.extend(UnfinishedRun, status="failed", error="why"), change)
    everything = status.extend(AllImagesRun, kind="all_images")
    seeds = SeedSummary(
        seeds=(0, 1), accuracies=(0.9, 0.9), failed=(2,), mean=0.9, std=0.1,
        interval=(0.8, 0.95), n=400,
    )  # fmt: skip
    place = Path("runs") / change("run").replace("\0", "")[:200]
    errors, tuning = view.errors.record, tuned.tuning
    validation = test.extend(ValidationScores)
    answer = Answer(place, np.array([0.9, 0.1], np.float32))
    dataset = taint(make_dataset(), lambda text: text)
    dataset = type(dataset)(
        change("rows"), change("tests"), dataset.train, dataset.test, notes=(change("note"),)
    )
    look = spoil_exploration(exploration, change)
    compute = ComputeSettings(device="cpu", precision="bf16", compiled=False, threads=2)
    return {
        "classification": lambda console: show_answer(answer, change, console),
        "comparison": lambda console: print_comparison(taint(make_comparison(), change), console),
        "ensemble": lambda console: print_ensemble(
            place,
            ensemble.run.validated,
            ensemble.ensemble,
            console,
        ),
        "errors": lambda console: print_errors(errors, place, console),
        "exploration": lambda console: (
            print_exploration(dataset, look, console),
            print_closer(look, console),
        ),
        "machine": lambda console: print_machine(
            environment,
            compute,
            limited=change("why"),
            compiler=True,
            fast_bf16=True,
            found={change("cifar10"): place, "digits": DataError(change("damaged"))},
            console=console,
        ),
        "recipes": lambda console: show_ladder(
            change("quick"),
            change("-"),
            build_cifar10_ladder(300.0)[:2],
            console,
        ),
        "run": lambda console: print_run(place, status, console),
        "unfinished run": lambda console: print_run(place, unfinished, console),
        "run on all images": lambda console: print_run(place, everything, console),
        "seeds": lambda console: print_seeds(change("wrn"), seeds, console),
        "student": lambda console: print_distillation(
            status, taint(make_teacher(study), change), console
        ),
        "runs": lambda console: print_runs(
            Path(), [(place, status), (place / "seeds" / "1", None)], console
        ),
        "no runs": lambda console: print_runs(place, [], console),
        "test": lambda console: print_test(test, console),
        "validation": lambda console: print_validation(validation, console),
        "rungs": lambda console: show_rungs(rename_rungs(study.record, change), status, console),
        "verdict": lambda console: print_verdict(console, change("so"), "better"),
        "tuning": lambda console: print_tuning(
            place,
            tuning,
            tuning.best.values,
            console,
        ),
        "progress": lambda console: show_progress(console, change),
    }


@slow
@given(TEXTS)
@pytest.mark.parametrize("terminal", [False, True], ids=["pipe", "terminal"])
def test_no_terminal_obeys_a_record(shown: Shown, terminal: bool, text: str) -> None:
    for name, draw in list_renderers(shown, lambda said: f"{said}{text}").items():
        printed = CURSOR.sub("", print_to(draw, terminal=terminal))
        assert not find_acting(printed), name


@pytest.mark.parametrize("text", ["[red]x[/red]", "[/]", ":smile:", "[link=http:x]y[/link]"])
def test_markup_stands_as_it_is(shown: Shown, text: str) -> None:
    """In a pipe all of it is shown, and in a terminal it changes no style."""
    plain = list_renderers(shown, lambda said: said)
    for name, draw in list_renderers(shown, lambda said: f"{said}{text}").items():
        printed = "".join(print_to(draw, terminal=False, width=2_000).split())
        assert text.replace(" ", "") in printed, name
        styles, usual = (
            set(STYLE.findall(print_to(one, terminal=True))) for one in (draw, plain[name])
        )
        assert styles == usual, name


@slow
@given(TEXTS)
def test_no_browser_obeys_a_record(shown: Shown, text: str) -> None:
    for html, usual in (
        (render_study(taint(shown.study, lambda said: f"{said}{text}")), render_study(shown.study)),
        (render_run(taint(shown.run, lambda said: f"{said}{text}")), render_run(shown.run)),
    ):
        assert not find_acting(html)
        html.encode()
        page, plain = Page(html), Page(usual)
        assert page.problems == []
        assert {one.tag for one in page.elements} == {one.tag for one in plain.elements}
        assert len(page.find("script")) == len(plain.find("script"))
        names = {name for one in plain.elements for name in one.attributes}
        assert {name for one in page.elements for name in one.attributes} <= names


@given(TEXTS)
@slow
def test_no_browser_obeys_a_recipe(shown: Shown, text: str) -> None:
    """Its lines and tabs stay, and nothing else that acts."""
    run = dataclasses.replace(shown.run.run, recipe=text, recipe_diff=f"[a]\n\t{text}")
    html = render_run(dataclasses.replace(shown.run, runs=(run, *shown.run.runs[1:])))
    assert not find_acting(html.replace("\t", ""))
    assert Page(html).problems == []


@pytest.mark.parametrize("text", [*NAMES, "x" * (MAX_NAME - 2)])
def test_the_script_shows_a_large_confusion_matrix_with_escapes(text: str) -> None:
    """The page's script writes these names, which no template does."""
    names = tuple(f"{text}{k}" for k in range(30))
    cells = list_cells(make_scores(names, np.random.default_rng(0), None))
    shown = json.loads(embed_json(cells))["names"]
    assert shown == list(map(show_name, names))
    assert not find_acting("".join(shown))
    assert "</" not in embed_json(cells)


@pytest.mark.parametrize("text", NAMES)
def test_what_a_notebook_shows_acts_nowhere(shown: Shown, tmp_path: Path, text: str) -> None:
    def change(said: str) -> str:
        return f"{said}{text}"

    study = taint(shown.study, change)
    look = spoil_exploration(shown.exploration, change)
    pictures = dict.fromkeys(study.errors.pictures, np.zeros((1, 1, 4), np.uint8))
    errors = ErrorAnalysis(study.errors.record, pictures)
    for one in (look, TestResult(study.test), errors, *save_runs(tmp_path, change)):
        assert not find_acting(repr(one))
        page = one._repr_html_()
        page = unescape(page) if page.startswith("<iframe") else page
        assert not find_acting(page.replace("\t", ""))
        assert len(re.findall(r"<script(?! type=.application/json)", page)) <= 1  # the report's
        assert "<img src=x" not in page


def save_runs(place: Path, change: Change) -> Iterator[Run]:
    """A finished run, and one on all images, whose names are changed."""
    status = taint(make_status(), change)
    for number, one in enumerate((status, status.extend(AllImagesRun, kind="all_images"))):
        store.write(make_folder(place / str(number)) / "status.json", one)
        store.write_lines(place / str(number) / "metrics.jsonl", map(make_metrics, range(1, 5)))
        yield Run(place / str(number))


@pytest.mark.parametrize("name", ["x" * LONG, "no end " * (LONG // 7)])
def test_a_long_name_floods_nothing_and_leaves_the_figures(shown: Shown, name: str) -> None:
    plain = list_renderers(shown, lambda said: said)
    for kind, draw in list_renderers(shown, lambda said: f"{said} {name}").items():
        printed, usual = (print_to(one, terminal=False, width=200) for one in (draw, plain[kind]))
        assert len(printed) < 40_000, kind
        assert not set(FIGURE.findall(usual)) - set(FIGURE.findall(printed)), kind
    longer = taint(shown.study, lambda said: f"{said} {name}")
    html, usual = (render_study(one) for one in (longer, shown.study))
    assert len(html) < 3 * len(usual)
