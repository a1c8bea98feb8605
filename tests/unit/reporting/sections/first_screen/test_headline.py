from __future__ import annotations

from dataclasses import replace

from smallvision.records.schema import ClassMeans, NearDuplicates
from smallvision.reporting.sections.first_screen import headline
from smallvision.reporting.view import RungView, RunView, StudyView
from tests.support.records import OTHER_HASH
from tests.support.study_folder import CHOICE
from tests.support.views import (
    change_record,
    change_rung_record,
    change_rungs,
    change_status,
    change_test,
)

UNEVEN = ClassMeans(balanced_accuracy=0.612, macro_f1=0.598, imbalance=9.0)


def with_states(study: StudyView, *states: str) -> StudyView:
    """The study without a winner, its rungs in other states."""
    rungs = tuple(
        change_rung_record(rung, status=state)
        for rung, state in zip(study.rungs, states, strict=True)
    )
    begun = change_record(study, best=None, best_reason=None)
    return replace(begun, rungs=rungs, test=None, openings=())


def test_headline_of_a_finished_study(study: StudyView) -> None:
    line = headline.write_headline(study)
    assert (line.before, line.after) == ("wrn-aug classifies", "of unseen images correctly.")
    assert "1,250 test images that were used neither to fit nor to choose." in line.support


def test_headline_before_the_test(study: StudyView) -> None:
    line = headline.write_headline(replace(study, test=None))
    assert (line.before, line.figure) == ("wrn-aug leads with", "91.1 %")
    assert line.support.endswith(CHOICE.sentence)
    unknown = headline.write_headline(replace(study, test=None, choice=None))
    assert "expect slightly less than this on new images" in unknown.support


def test_headline_without_a_winner(study: StudyView) -> None:
    running = with_states(study, "done", "done", "running", "pending", "pending")
    line = headline.write_headline(running)
    assert (line.before, line.figure) == ("No winner yet:", "2 of 5")
    assert "So far wrn-aug leads with 91.1 %" in line.support


def test_headline_when_all_failed(study: StudyView) -> None:
    failed = with_states(study, *["failed"] * 5)
    failed = change_rungs(failed, lambda rung: replace(rung, run=RunView(rung.name)))
    assert headline.write_headline(failed).support.startswith("No rung finished.")


def test_headline_of_a_refit_says_so(whole: StudyView) -> None:
    assert "trained once more for that" in headline.write_headline(whole).support
    once = headline.write_headline(change_test(whole, refit=False))
    assert "once more" not in once.support


def test_copies_of_training_images_are_told_up_front(study: StudyView) -> None:
    found = NearDuplicates(copies=2, alike=2, n=1_248, sentence="2 of 1,250 are copies.")
    line = headline.write_headline(change_test(study, near_duplicates=found))
    assert line.after == "of the test images correctly."
    assert "neither to fit nor to choose" not in line.support
    assert line.support.endswith("2 of 1,250 are copies.")


def test_alerts_name_contradictions(study: StudyView) -> None:
    assert headline.list_alerts(study) == ()
    other = change_test(study, model="mlp", data_fingerprint=OTHER_HASH)
    assert len(headline.list_alerts(other)) == 2
    assert "ledger.jsonl is missing" in headline.list_alerts(replace(study, openings=()))[0]
    more = headline.list_alerts(change_test(study, openings=2))
    assert "Every look after the first can flatter the result" in more[0]
    assert "one of the two records was changed" in more[1]


def test_figures_by_class_stand_beside_the_headline_where_classes_differ_in_size(
    study: StudyView,
) -> None:
    assert "every class" not in headline.write_headline(study).support
    assert study.test is not None
    rows = tuple(
        row.model_copy(update={"support": 9 if k == 0 else row.support})
        for k, row in enumerate(study.test.per_class)
    )
    tested = headline.write_headline(change_test(study, per_class=rows)).support
    means = study.test.macro
    assert f"balanced accuracy {100 * means.recall:.1f} %" in tested
    assert f"macro F1 {100 * means.f1:.1f} %" in tested

    def make_uneven(rung: RungView) -> RungView:
        val = rung.run.val
        return (
            rung
            if val is None
            else replace(rung, run=change_status(rung.run, val=val.change(by_class=UNEVEN)))
        )

    untested = replace(change_rungs(study, make_uneven), test=None)
    support = headline.write_headline(untested).support
    assert "With every class counted alike: balanced accuracy 61.2 %, macro F1 59.8 %." in support
