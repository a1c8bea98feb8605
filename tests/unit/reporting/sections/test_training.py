from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import training
from smallvision.reporting.view import StudyView
from tests.support.views import change_record


def test_the_winner_is_open_at_first(study: StudyView) -> None:
    section = training.gather(study)
    assert section.charts[section.shown].name == "wrn-aug"
    assert [panel.run.name for panel in section.panels] == [chart.name for chart in section.charts]
    nobody = training.gather(change_record(study, best=None))
    assert nobody.charts[nobody.shown].name == "wrn-cutmix"


def test_finished_runs_are_listed_by_their_status(study: StudyView) -> None:
    row = training.gather(study).rows[0]
    assert (row.epochs, row.planned, row.kept) == (14, 14, 13)
    assert row.end == "reached the planned end"
    assert (row.seconds, row.images_per_second) == (61.2, 820)


def test_how_each_run_fits_is_said(study: StudyView) -> None:
    row = training.gather(study).rows[0]
    assert "It underfits: only 67.8 % of its training images" in row.course
    assert training.gather(study).rows[-1].course == "", "it has not ended"


def test_unfinished_runs_are_listed_by_their_epochs(study: StudyView) -> None:
    row = training.gather(study).rows[-1]
    assert (row.epochs, row.planned, row.kept) == (3, 14, None)
    assert row.end == "failed"
    assert row.seconds == 3 * 4.4


def test_an_ensemble_is_listed_without_epochs(whole: StudyView) -> None:
    section = training.gather(whole)
    assert section.rows[-1].run.name == "snapshot-ensemble"
    assert section.rows[-1].images_per_second is None
    assert "snapshot-ensemble" not in [panel.run.name for panel in section.panels]


def test_nothing_to_draw(study: StudyView) -> None:
    section = training.gather(replace(study, rungs=()))
    assert (section.panels, section.charts, section.rows) == ((), (), ())


def test_the_gap_that_limits_judge_stands_below_the_lines(study: StudyView) -> None:
    section = training.gather(study)
    final = section.finals[section.shown]
    assert "a gap of 5.8 points, which is the one that limits and tables speak of" in final
    assert section.finals[-1] == "", "it has not ended"
