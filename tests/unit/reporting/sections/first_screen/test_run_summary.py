from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.records.schema import AllImagesRun, FinishedRun
from smallvision.reporting.sections.first_screen import run_summary
from smallvision.reporting.view import LoneRunView, RunView, StudyView
from tests.support.records import make_course
from tests.support.study_folder import SEEDS
from tests.support.views import change_status


@pytest.fixture
def run(study: StudyView) -> RunView:
    return study.rungs[3].run


@pytest.fixture
def all_images(run: RunView) -> RunView:
    """The same run trained on all images."""
    assert run.finished is not None
    fields = {name: getattr(run.finished, name) for name in FinishedRun.model_fields}
    return replace(run, status=AllImagesRun(**fields | {"kind": "all_images"}))


def test_headline_of_a_validated_run(run: RunView) -> None:
    line = run_summary.write_headline(run)
    assert (line.before, line.figure) == ("wrn-aug classifies", "91.1 %")
    assert "from 1,000 images, which also chose the epoch." in line.support
    seeded = run_summary.write_headline(replace(run, seeds=SEEDS))
    assert "91.8 ± 0.4 % over 3 seeds" in seeded.support
    ensemble = run_summary.write_headline(replace(run, epochs=()))
    assert "chose its networks" in ensemble.support


def test_headline_of_a_run_on_all_images(all_images: RunView) -> None:
    line = run_summary.write_headline(all_images)
    assert line.before == "wrn-aug was trained on all images."
    assert line.figure == ""


def test_headline_of_a_run_that_failed(study: StudyView) -> None:
    line = run_summary.write_headline(study.rungs[-1].run)
    assert line.before == "wrn-cutmix did not come to its end."
    assert "became NaN" in line.support


def test_images_are_counted(study: StudyView, run: RunView, all_images: RunView) -> None:
    assert run_summary.describe_data(run, study.split).details == (
        "4,000 images to train on, 1,000 to validate on",
    )
    assert run_summary.describe_data(all_images, study.split).details == (
        "5,000 images, all trained on",
    )
    assert run_summary.describe_data(run, None).details == ()


def test_openings_are_told_with_the_test_result(study: StudyView) -> None:
    assert study.test is not None
    seen = study.test.model_copy(update={"openings_on_machine": 3})
    details = run_summary.describe_test(seen).details
    assert "Opened once for this run." in details
    assert "on that machine had opened the same images twice" in details[-1]
    assert run_summary.describe_test(None).value == "no result in this folder"


def test_what_the_choice_of_the_epoch_did_stands_beside_the_accuracy(run: RunView) -> None:
    known = change_status(run, course=make_course(choice_lift=0.004))
    support = run_summary.write_headline(known).support
    assert "also chose the epoch. By a simulation, that choice raised it by about 0.4" in support
    unknown = run_summary.write_headline(change_status(run, course=None)).support
    assert "simulation" not in unknown


def test_facts_of_a_run(study: StudyView, run: RunView) -> None:
    noted = change_status(run, notes=("It went on elsewhere.",))
    summary = run_summary.gather(LoneRunView((noted,), study.split, study.test))
    assert summary.notes == ("It went on elsewhere.",)
    model, *_, training = summary.facts
    assert training.details == ("96.9 % on training images: a gap of 5.8 points (+4.0 to +7.7)",)
    assert model.value == "A Wide ResNet"
    assert model.details[1] == "1,077,850 parameters, 4.3 MB."
    assert summary.usage is None
    named = run_summary.gather(LoneRunView((noted,), folder="cifar10-wrn"))
    assert named.usage is not None
    assert "smallvision classify cifar10-wrn picture.png" in named.usage.shell
    unfinished = run_summary.gather(LoneRunView((study.rungs[-1].run,)))
    assert [fact.value for fact in unfinished.facts][::3] == ["not yet known", "–"]
    assert unfinished.usage is None
