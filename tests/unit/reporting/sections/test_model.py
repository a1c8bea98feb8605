from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import model
from smallvision.reporting.view import LoneRunView, RunView, StudyView
from tests.support.views import change_record, change_rungs, change_test


def test_the_winner_is_told_in_words(whole: StudyView) -> None:
    section = model.gather(whole)
    assert section is not None
    assert whole.winner is not None
    assert section.network == whole.winner.run.network
    said = " ".join(section.sentences)
    assert "an ensemble of 3 networks" in said
    assert "weights of one run after epochs 13, 14 and 6, chosen one by one among 4" in said
    assert "chosen among 9 rungs" in said
    assert "once more" in said, "the test is of a refit"
    assert "opened once" in said


def test_openings_and_another_model_s_test_are_told_as_they_are(study: StudyView) -> None:
    twice = model.gather(change_test(study, openings=2))
    assert twice is not None
    assert any("opened twice" in sentence for sentence in twice.sentences)
    other = model.gather(change_test(study, model="mlp"))
    assert other is not None
    assert not any("test images" in sentence for sentence in other.sentences)


def test_an_earlier_version_left_no_layers(study: StudyView) -> None:
    old = change_rungs(study, lambda rung: replace(rung, run=replace(rung.run, network=None)))
    section = model.gather(old)
    assert section is not None
    assert section.network is None
    assert section.sentences


def test_a_recipe_of_another_version_is_passed_over(whole: StudyView) -> None:
    def spoil(run: RunView) -> RunView:
        return replace(run, recipe="lasers = 3")

    spoilt = change_rungs(whole, lambda rung: replace(rung, run=spoil(rung.run)))
    section = model.gather(spoilt)
    assert section is not None
    assert not any("epochs in batches" in sentence for sentence in section.sentences)


def test_without_a_model_there_is_nothing_to_tell(study: StudyView) -> None:
    assert model.gather(change_record(study, best=None)) is None
    assert model.gather_lone_run(LoneRunView((RunView("begun"),))) is None


def test_a_lone_run_is_told_with_its_refit(study: StudyView) -> None:
    assert study.winner is not None
    run = study.winner.run
    alone = model.gather_lone_run(LoneRunView((run,), study.split))
    refitted = model.gather_lone_run(LoneRunView((run, replace(run, name="refit")), study.split))
    assert alone is not None
    assert refitted is not None
    assert set(refitted.sentences) > set(alone.sentences) - {alone.sentences[-1]}
    assert "once more" not in " ".join(alone.sentences)
    assert "without the validation images" in refitted.sentences[-1]
