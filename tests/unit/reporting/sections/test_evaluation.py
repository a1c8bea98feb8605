from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.reporting.sections import evaluation
from smallvision.reporting.view import StudyView
from tests.support.study_folder import CHOICE
from tests.support.study_records import make_binned_calibration
from tests.support.views import change_test


def compare(study: StudyView, **fields: object) -> str:
    changed = change_test(study, **fields)
    assert changed.test is not None
    return evaluation.compare_with_val(changed.test)


def test_test_beside_validation(study: StudyView) -> None:
    assert "which is within chance (p = 0.41)" in compare(study)
    assert "more than chance explains" in compare(study, differs_from_val=True)
    assert compare(study, val=None) == ""


def test_a_refit_is_compared_by_the_model_that_validation_chose(whole: StudyView) -> None:
    said = compare(whole)
    assert said.startswith("On validation that model reached 94.1 %")
    assert said.endswith("more than chance explains (p under 0.001).")
    section = evaluation.gather(whole)
    assert section.test is not None
    assert section.test.plot is not None
    labels = [(row.label, row.tone) for row in section.test.plot.rows]
    assert labels == [
        ("validation", "best"),
        ("test, before refit", ""),
        ("test, refitted", "test"),
    ]


def test_what_choosing_did_stands_beside_the_validation_accuracy(study: StudyView) -> None:
    section = evaluation.gather(study)
    assert section.test is not None
    assert section.test.choice == CHOICE.sentence


def test_without_validation_there_is_nothing_beside_the_test(study: StudyView) -> None:
    section = evaluation.gather(change_test(study, val=None))
    assert section.test is not None
    assert section.test.plot is None


@pytest.mark.parametrize(
    ("temperature", "after", "said"),
    [
        (1.34, 0.01, "lowers probabilities that were too high, which brought them closer"),
        (0.8, 0.01, "raises probabilities that were too low, which brought them closer"),
        (1.34, 0.09, "did not bring them closer"),
        (1.0, 0.0412, "No temperature can be told apart from 1"),
    ],
)
def test_the_temperature_in_words(temperature: float, after: float, said: str) -> None:
    found = make_binned_calibration(1_000)
    scaled = found.after.model_copy(update={"ece": after})
    changed = found.model_copy(update={"temperature": temperature, "after": scaled})
    assert said in evaluation.describe_temperature(changed)


def test_calibration_falls_back_to_validation(study: StudyView) -> None:
    def images(view: StudyView) -> str | None:
        part = evaluation.gather(view).calibration
        return part.images if part else None

    sealed = replace(study, test=None)
    assert [images(study), images(sealed), images(replace(sealed, rungs=()))] == [
        "test",
        "validation",
        None,
    ]


def test_sets_and_unlike_images_in_words(study: StudyView) -> None:
    doubt = evaluation.gather(study).doubt
    assert doubt is not None
    sets, unlike = doubt.sentences
    assert "Of 100 pictures at least 90 shall have a set with the right class" in sets
    assert "of the 1,250 test images 90.2 % have one, with 1.04 classes on average" in sets
    assert "95 % of the validation images keep" in unlike
    assert "4.9 % are beyond it (interval 3.8\N{EN DASH}6.2 %)" in unlike
    assert [row.error_rate for row in doubt.rows] == [0.1, 0.05, 0.01]
    assert all(row.val and row.test and row.val.n < row.test.n for row in doubt.rows)


def test_without_a_test_sets_are_those_of_validation(study: StudyView) -> None:
    doubt = evaluation.gather(replace(study, test=None)).doubt
    assert doubt is not None
    (sets,) = doubt.sentences
    assert "of the 1,000 validation images 90.2 % have one" in sets
    assert evaluation.gather(replace(study, test=None, rungs=())).doubt is None


def test_sets_that_miss_their_promise_are_told(study: StudyView) -> None:
    assert study.test is not None

    def tell(coverage: float, interval: tuple[float, float]) -> tuple[str, ...]:
        sets = tuple(
            one.change(coverage=coverage, interval=interval) if one.error_rate == 0.05 else one
            for one in study.test.sets
        )
        doubt = evaluation.gather(change_test(study, sets=sets)).doubt
        assert doubt is not None
        return doubt.sentences

    assert len(tell(0.94, (0.93, 0.951))) == 2
    _, chance, _ = tell(0.937, (0.922, 0.9495))
    assert "93.7 % instead of 95 %" in chance
    assert "may by chance miss by as much" in chance
    _, beyond, _ = tell(0.9, (0.88, 0.91))
    assert "nor does chance" in beyond
