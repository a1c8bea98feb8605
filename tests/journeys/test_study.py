"""`smallvision study` over all rungs: what it leaves, its resumption, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from smallvision.recipes import Task, build_ladder
from smallvision.recipes.planning import assume_scale
from smallvision.records.ledger import read_openings
from tests.support.commands import BRIEF, FAST, Outcome, assert_refused
from tests.support.studies import MadeStudy, make_study

Call = Callable[..., Outcome]


@pytest.fixture(scope="module")
def finished(rows: Path, tmp_path_factory: pytest.TempPathFactory) -> MadeStudy:
    """A study of all rungs."""
    return make_study(rows, tmp_path_factory.mktemp("studies") / "study", *BRIEF)


@pytest.fixture
def study(finished: MadeStudy, tmp_path: Path) -> MadeStudy:
    """The same study, to be changed."""
    return finished.copy(tmp_path)


def test_every_rung_is_trained(finished: MadeStudy) -> None:
    task = Task((1, 8, 8), 1_000, mirror_safe=True)
    ladder = build_ladder(assume_scale(300.0, task), task)
    assert [rung.slot for rung in finished.summary.rungs] == [rung.slot for rung in ladder]
    assert {rung.status for rung in finished.summary.rungs} == {"done"}


def test_the_winner_is_tested_once(finished: MadeStudy) -> None:
    summary = finished.summary
    assert summary.best in {rung.name for rung in summary.rungs}
    assert summary.test is not None
    assert (summary.test.openings, summary.test.n) == (1, 30)
    assert [opening.model for opening in read_openings(finished.folder)] == [summary.best]


def test_it_ends_with_a_report(finished: MadeStudy) -> None:
    assert "<html" in Path(finished.summary.report).read_text()


def test_a_report_is_drawn_anew(smallvision: Call, study: MadeStudy) -> None:
    page = study.folder / "report.html"
    page.unlink()
    assert smallvision("report", study.folder).code == 0
    assert page.exists()


def test_a_finished_study_is_not_done_again(study: MadeStudy, rows: Path) -> None:
    models = list((study.folder / "runs").rglob("model.safetensors"))
    times = {path: path.stat().st_mtime_ns for path in models}
    again = make_study(rows, study.folder, "--resume", *BRIEF)
    assert again.summary.rungs == study.summary.rungs
    assert again.summary.test == study.summary.test
    assert len(read_openings(study.folder)) == 1
    assert times == {path: path.stat().st_mtime_ns for path in models}


def test_testing_another_rung_leaves_the_winners_result(
    smallvision: Call, study: MadeStudy, rows: Path
) -> None:
    folder, summary = study
    other = next(rung.name for rung in summary.rungs if rung.name != summary.best)
    result = (folder / "test.json").read_text()
    assert smallvision("evaluate", folder / "runs" / other, rows).code == 0
    assert (folder / "test.json").read_text() == result
    assert [opening.model for opening in read_openings(folder)] == [summary.best, other]


def test_a_study_is_resumed_only_on_request(
    smallvision: Call, finished: MadeStudy, rows: Path
) -> None:
    assert_refused(smallvision("study", rows, "--out", finished.folder, *BRIEF), "--resume")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (FAST, "another --set"),
        ([*BRIEF, "--seeds", "2"], "another --seeds"),
        ([*BRIEF, "--refit"], "another --refit"),
        ([*BRIEF, "--rungs", "mlp"], "other --rungs"),
        ([*BRIEF, "--max-gap", "0.5"], "limits"),
        ([*BRIEF, "--no-mirror"], "resume it with the same --no-mirror"),
    ],
)
def test_a_study_is_resumed_with_the_same_options_only(
    smallvision: Call, finished: MadeStudy, rows: Path, options: Sequence[str], said: str
) -> None:
    again = ("study", rows, "--out", finished.folder, "--folds", "1", "--resume")
    refused = smallvision(*again, *options)
    assert_refused(refused, said)
    assert "name another folder" in refused.err
