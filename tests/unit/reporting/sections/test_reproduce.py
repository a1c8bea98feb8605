from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import reproduce
from smallvision.reporting.view import LoneRunView, StudyView
from tests.support.study_folder import COMMAND
from tests.support.views import change_record


def test_a_study_is_reproduced_by_its_command(study: StudyView) -> None:
    section = reproduce.gather(study)
    assert section.command == COMMAND
    assert dict(section.facts)["seed"] == "7"
    assert dict(section.facts)["torch"] == "2.12.0"
    assert section.run is not None
    assert section.run.name == "wrn-aug"


def test_a_budget_divided_by_speed_is_told(study: StudyView) -> None:
    budget = study.record.budget
    assert budget is not None
    assert reproduce.gather(study).is_timed
    free = change_record(study, budget=budget.change(seconds=None))
    assert not reproduce.gather(free).is_timed
    assert not reproduce.gather(change_record(study, budget=None)).is_timed


def test_what_is_missing_is_said(study: StudyView) -> None:
    begun = change_record(study, best=None, finished=None)
    section = reproduce.gather(replace(begun, environment=None))
    assert section.run is None
    assert "no winner yet" in section.missing
    assert dict(section.facts)["finished"] == "not finished"
    assert not section.knows_environment


def test_a_lone_run_shows_its_recipe(study: StudyView) -> None:
    section = reproduce.gather_lone_run(LoneRunView((study.rungs[0].run,)))
    assert (section.command, section.facts) == (None, ())
    assert section.run is study.rungs[0].run
