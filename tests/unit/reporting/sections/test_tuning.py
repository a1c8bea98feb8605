from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.errors import RecordError
from smallvision.records.schema import RerunRecord, TuningRecord
from smallvision.reporting.sections import tuning
from smallvision.reporting.view import RungView, StudyView
from tests.support.views import change_rungs


def with_tuning(study: StudyView, **fields: object) -> tuning.TuningSection:
    def change(rung: RungView) -> RungView:
        record = rung.tuning and rung.tuning.model_copy(update=fields)
        return replace(rung, tuning=record)

    section = tuning.gather(change_rungs(study, change))
    assert section is not None
    return section


@pytest.fixture
def record(whole: StudyView) -> TuningRecord:
    section = tuning.gather(whole)
    assert section is not None
    return section.record


def test_trials_are_counted(record: TuningRecord) -> None:
    said = tuning.count_trials(record)
    assert said.startswith("10 trials of the 12 asked for, each of up to 4 epochs")
    assert "drawn at random, after the first 5 trials by TPE." in said
    assert "6 ran to the end, 3 were stopped early by hyperband, as being among the worst" in said
    assert said.endswith("The search had 10 min.")


def test_few_trials_are_all_random(record: TuningRecord) -> None:
    few = record.model_copy(update={"trials": record.trials[:3], "trials_asked": 3})
    said = tuning.count_trials(few)
    assert "TPE" not in said
    assert said.startswith("3 trials, each")


def test_changes_stand_beside_the_recipe(whole: StudyView) -> None:
    section = tuning.gather(whole)
    assert section is not None
    changes = {change.key: (change.before, change.after) for change in section.changes}
    assert changes == {
        "optimizer.lr": ("0.1", "0.17"),
        "optimizer.weight_decay": ("0.0005", "0.00084"),
        "batch_size": ("64", "64"),
    }
    assert [key for key, _ in section.importance] == [
        "optimizer.lr",
        "batch_size",
        "optimizer.weight_decay",
    ]


def test_the_result_is_that_of_the_rerun_where_there_is_one(whole: StudyView) -> None:
    assert with_tuning(whole).result == "tuned against wrn-aug on 1000 images: cannot tell apart."
    rerun = RerunRecord(trial=3, sentence="The gain holds.")
    assert with_tuning(whole, rerun=rerun).result == "The gain holds."


def test_a_search_that_found_nothing_does_not_say_so_twice(
    whole: StudyView, record: TuningRecord
) -> None:
    assert record.best is not None
    best = record.best.model_copy(update={"number": 0})
    rerun = RerunRecord(trial=0, sentence="Tuning found nothing.")
    section = with_tuning(whole, best=best, rerun=rerun)
    assert section.result.startswith("The search found nothing better")
    assert "Tuning found nothing." not in section.result


def test_a_search_without_a_winner(whole: StudyView) -> None:
    section = with_tuning(whole, best=None, importance={})
    assert (section.changes, section.importance) == ((), ())


def test_settings_are_found_by_dotted_keys() -> None:
    recipe = {"optimizer": {"name": "sgd", "lr": 0.1}, "augment": [{"name": "crop", "padding": 4}]}
    found = [
        tuning.find_setting(recipe, key)
        for key in ("optimizer.lr", "augment.crop.padding", "augment.flip.p", "optimizer.lr.x")
    ]
    assert found == [0.1, 4, None, None]


def test_recipes_that_are_no_toml_are_one_line(whole: StudyView, record: TuningRecord) -> None:
    base = whole.find_rung("wrn-aug")
    assert base is not None
    with pytest.raises(RecordError, match=r"recipe.toml of wrn-aug is damaged"):
        tuning.list_changes(record, replace(base.run, recipe="[["))


def test_studies_without_a_search_have_no_section(study: StudyView) -> None:
    assert tuning.gather(study) is None
