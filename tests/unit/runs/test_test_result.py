"""What runs, searches and test results say of themselves."""

from __future__ import annotations

import html
from typing import Any

import numpy as np
import pytest

from smallvision.evaluation import score
from smallvision.records.schema import ModelScores, NearDuplicates, TestRecord, ValidationScores
from smallvision.runs.results import TestResult, list_figures
from tests.support.records import HASH, OTHER_HASH, make_calibration, make_rate
from tests.support.study_records import make_sets, make_unlike

NONE_ALIKE = NearDuplicates(copies=0, alike=None, n=90, sentence="No test image is a copy.")


def make_test_record(**changes: Any) -> TestRecord:
    """The test result of a validated model that is right on two thirds of 90 images."""
    probabilities = np.random.default_rng(0).dirichlet(np.ones(3), 90)
    labels = (probabilities.argmax(axis=1) + (np.arange(90) % 3 == 0)) % 3
    fields: dict[str, Any] = {
        "weights": HASH,
        "calibration": make_calibration(2.0),
        "val": make_rate(0.7, n=90),
        "p_vs_val": 0.75,
        "differs_from_val": False,
        "near_duplicates": NONE_ALIKE,
        "model": "<tiny>",
        "time": "2026-11-22T14:40:00+00:00",
        "openings": 2,
        "openings_on_machine": 3,
        "data_fingerprint": OTHER_HASH,
    }
    return score(probabilities, labels, ("a", "b", "c")).extend(TestRecord, **(fields | changes))


def test_the_figures_of_a_test_are_told() -> None:
    record = make_test_record()
    told = dict(list_figures(record))
    assert told["top-2"] == f"{record.topk['2'] * 100:.1f} %"
    assert told["macro F1"] == f"{record.macro.f1:.3f}"
    before, after = record.calibration.before.ece, record.calibration.after.ece
    assert told["calibration error (ECE)"] == f"{before:.3f} -> {after:.3f} with temperature"
    assert told["temperature, from validation"] == "2.00"
    assert told["against training"] == NONE_ALIKE.sentence


@pytest.mark.parametrize(
    ("differs", "said"), [(True, "more than chance"), (False, "within chance")]
)
def test_a_difference_from_validation_is_judged(differs: bool, said: str) -> None:
    told = dict(list_figures(make_test_record(differs_from_val=differs)))
    assert said in told["against validation"]
    assert told["against validation"].startswith("\N{MINUS SIGN}3.3 points")


def test_a_refit_is_told_beside_its_validation_model() -> None:
    other = make_test_record().extend(ModelScores)
    unknown = dict.fromkeys(("val", "p_vs_val", "differs_from_val"))
    record = make_test_record(refit=True, validation_model=other, **unknown)
    told = dict(list_figures(record))
    assert told["trained without validation images"].startswith("66.7 %")
    assert "within chance" in told["against validation"]
    assert told["temperature, from validation"] == "2.00"


def test_a_model_that_was_never_validated_is_not_calibrated() -> None:
    unknown = dict.fromkeys(("val", "p_vs_val", "differs_from_val"))
    told = dict(list_figures(make_test_record(**unknown)))
    assert "against validation" not in told
    assert "temperature, from validation" not in told
    assert told["log loss"].endswith("not calibrated")


def test_validation_scores_are_told_without_a_test() -> None:
    scores = make_test_record().extend(ValidationScores)
    told = dict(list_figures(scores))
    assert "macro F1" in told
    assert "temperature, from validation" in told
    assert not {"against validation", "against training"} & set(told)


def test_a_test_result_shows_itself() -> None:
    result = TestResult(make_test_record())
    assert result.accuracy == pytest.approx(2 / 3)
    assert "opening 2" in repr(result)
    page = html.unescape(result._repr_html_())
    assert "&lt;tiny&gt;" in page
    assert "Confusion matrix of the test set" in page
    assert NONE_ALIKE.sentence in page


def test_sets_and_unlike_images_are_told_where_a_model_has_them() -> None:
    assert not [
        name
        for name in dict(list_figures(make_test_record()))
        if "sets" in name or "unlike" in name
    ]
    record = make_test_record(sets=make_sets(1_000), unlike=make_unlike(48, 1_000))
    told = dict(list_figures(record))
    said = "90.2 % (88.2\N{EN DASH}91.9 %), 1.04 classes each"
    assert told["coverage of sets, error 10 %"] == said
    assert told["called unlike"] == "4.8 % (3.6\N{EN DASH}6.3 %), about 5 % by design"
    scores = record.extend(ValidationScores)
    assert dict(list_figures(scores))["coverage of sets, error 10 %"] == said
