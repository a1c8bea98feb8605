from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.view import RunView, StudyView
from tests.support.study_folder import SEEDS, make_opening
from tests.support.study_records import make_run_status
from tests.support.views import change_rung_record, change_rungs, change_status, change_test


def test_a_refit_has_no_validation_figures_of_its_own() -> None:
    run = RunView("refit", make_run_status("refit", 900, 3_900, kind="refit"))
    assert run.finished is not None
    assert (run.validated, run.val, run.mean_accuracy) == (None, None, None)


def test_several_seeds_count_by_their_mean(study: StudyView) -> None:
    run = study.rungs[0].run
    assert run.mean_accuracy == 0.548
    assert replace(run, seeds=SEEDS).mean_accuracy == SEEDS.mean


def test_rungs_left_out_are_not_climbed(study: StudyView) -> None:
    shorter = change_rungs(
        study,
        lambda rung: change_rung_record(rung, status="skipped") if rung.name == "vgg10" else rung,
    )
    assert shorter.left_out == ("vgg10",)
    assert len(shorter.climbed) == 4


def test_the_larger_count_of_openings_holds(study: StudyView) -> None:
    assert replace(study, openings=tuple(map(make_opening, (1, 2)))).opened == 2
    assert change_test(study, openings=3).opened == 3
    assert replace(study, openings=(), test=None).opened == 0


def test_a_search_that_found_nothing_is_a_repeat_or_the_same_run(whole: StudyView) -> None:
    tuned = whole.find_rung("tuned")
    assert tuned is not None
    assert tuned.tuning is not None
    assert tuned.tuning.best is not None
    assert not tuned.is_repeat
    best = tuned.tuning.best.model_copy(update={"number": 0})
    repeat = replace(tuned, tuning=tuned.tuning.model_copy(update={"best": best}))
    assert repeat.is_repeat
    assert not repeat.is_adopted
    assert replace(repeat, run=change_status(repeat.run, seconds=0.0)).is_adopted
