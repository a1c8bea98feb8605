from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.reporting.sections import ladder
from smallvision.reporting.view import RungView, StudyView
from tests.support.records import make_course
from tests.support.views import (
    change_rung_record,
    change_rungs,
    change_status,
    change_step,
)


@pytest.fixture
def repeat(whole: StudyView) -> RungView:
    """A search that found nothing better than the recipe's own settings."""
    tuned = whole.find_rung("tuned")
    assert tuned is not None
    assert tuned.tuning is not None
    assert tuned.tuning.best is not None
    best = tuned.tuning.best.model_copy(update={"number": 0})
    return replace(tuned, tuning=tuned.tuning.model_copy(update={"best": best}))


def test_rows_lie_in_the_order_of_their_accuracy(study: StudyView) -> None:
    rows = ladder.gather(study).rows
    points = [row.place.point for row in rows if row.place.rate]
    assert points == sorted(points)
    assert rows[1].place.base == rows[0].place.point
    assert [row.is_best for row in rows] == [False, False, False, True, False]


def test_chips_say_what_happened(study: StudyView) -> None:
    chips = [row.chip for row in ladder.gather(study).rows]
    assert [chip.text for chip in chips] == [
        "starting point",
        "better",
        "better",
        "cannot tell apart",
        "failed",
    ]
    assert [chip.symbol for chip in chips] == ["", "▲", "▲", "≈", ""]


def test_a_verdict_that_more_epochs_might_change_holds_at_this_budget(study: StudyView) -> None:
    rising = change_rungs(study, lambda rung: change_step(rung, rising=(False, True)))
    assert [row.chip.text for row in ladder.gather(rising).rows][1:4] == [
        "better at this budget",
        "better at this budget",
        "cannot tell apart",
    ]


def test_what_stands_beside_an_accuracy(study: StudyView) -> None:
    """How training ended, and beside the winner's what choosing it added."""
    courses = {
        "mlp": make_course(rising=True, fit="too short to judge"),
        "vgg10": make_course(fit="too short to judge"),
    }

    def end(rung: RungView) -> RungView:
        if not rung.record.is_done:
            return rung
        return replace(rung, run=change_status(rung.run, course=courses.get(rung.name)))

    rows = ladder.gather(change_rungs(study, end)).rows
    marks = [row.course for row in rows]
    assert marks == ["still rising after 14 epochs", "only 14 epochs", "", "", ""]
    assert [row.choice for row in rows] == ["", "", "", "choosing added about 0.6 points", ""]


def test_a_rung_without_a_base_is_compared_with_the_one_before(study: StudyView) -> None:
    alone = change_rungs(study, lambda rung: change_rung_record(rung, builds_on=None))
    rows = ladder.gather(alone).rows
    assert [row.chip.text for row in rows][:2] == ["starting point", "better"]
    assert rows[1].step == "+31.3 points against mlp"
    assert rows[1].place.base == rows[0].place.point


def test_the_test_result_lies_on_the_same_scale(study: StudyView) -> None:
    section = ladder.gather(study)
    assert section.test is not None
    assert section.test.tone == "test"
    assert 0 < section.test.point < 100


def test_without_accuracies_there_is_no_axis(study: StudyView) -> None:
    bare = change_rungs(study, lambda rung: replace(rung, run=replace(rung.run, status=None)))
    section = ladder.gather(replace(bare, test=None))
    assert (section.marks, section.test) == ((), None)


def test_rungs_left_out_are_not_drawn(study: StudyView) -> None:
    shorter = change_rungs(
        study,
        lambda rung: change_rung_record(rung, status="skipped") if rung.name == "vgg10" else rung,
    )
    section = ladder.gather(shorter)
    assert section.left_out == ("vgg10",)
    assert len(section.rows) == 4


def test_costs_stand_beside_those_of_the_base(study: StudyView) -> None:
    rung = study.rungs[1]
    assert ladder.list_costs(rung) == (
        "2 min 2 s of training (1.7 ×)",
        "301,514 parameters (0.40 ×)",
        "2.2 ms an image (1.4 ×)",
    )
    assert not any("(" in cost for cost in ladder.list_costs(replace(rung, step=None)))
    assert ladder.list_costs(study.rungs[-1]) == ()
    searched = replace(rung, run=change_status(rung.run, search_seconds=30.0))
    assert ladder.list_costs(searched)[0].startswith("2 min 2 s of training, after 30 s of search")


def test_a_repeat_claims_no_gain(repeat: RungView) -> None:
    assert ladder.choose_chip(repeat).text == "same recipe, other seed"
    assert "a repeat of it with another seed" in ladder.describe_rung(repeat)


def test_an_adopted_run_is_not_compared_with_itself(repeat: RungView) -> None:
    adopted = replace(repeat, run=change_status(repeat.run, seconds=0.0))
    assert ladder.choose_chip(adopted).text == "same run"
    assert ladder.describe_step(adopted) == "as wrn-aug: no trial was better"
    assert ladder.describe_rung(adopted).endswith("this rung is the very run of wrn-aug.")
