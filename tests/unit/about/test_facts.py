from __future__ import annotations

import pytest

from smallvision.about.facts import (
    ModelFacts,
    count_other_openings,
    describe_compute,
    describe_split,
    tell_other_openings,
)
from smallvision.records.schema import FoldSummary, ModelRecord, SplitRecord, TtaRecord
from smallvision.records.schema.settings.networks import MlpSettings
from tests.support.records import make_calibration, make_rate, make_split_record, make_status
from tests.support.study_records import COMPUTE

MODEL = ModelRecord(
    model=MlpSettings(hidden=(4,)),
    class_names=("a", "b"),
    shape=(1, 8, 8),
    mean=(0.5,),
    std=(0.25,),
    temperature=1.0,
    tta=TtaRecord(),
    epoch=1,
)
FOLDS = FoldSummary(
    num_folds=3,
    folds=(1, 2, 3),
    accuracies=(0.8, 0.7, 0.9),
    counts=(50, 50, 50),
    failed=(),
    std=0.1,
    val=make_rate(0.8, n=150),
    calibration=make_calibration(),
    train=make_rate(0.9),
)


def test_compute_in_words() -> None:
    assert describe_compute(COMPUTE) == "cpu, bf16, 2 threads"
    one = COMPUTE.model_copy(update={"threads": 1, "compiled": True})
    assert describe_compute(one) == "cpu, bf16, 1 thread, compiled"
    assert describe_compute(None) == "–"


@pytest.mark.parametrize(
    ("split", "folds", "said"),
    [
        (make_split_record(seed=3), None, "drawn class by class with seed 3"),
        (make_split_record(declared_val=True), None, "came with the data set"),
        (make_split_record(), FOLDS, "one of 3 folds, drawn class by class with seed 0"),
    ],
)
def test_splits_in_words(split: SplitRecord, folds: FoldSummary | None, said: str) -> None:
    assert describe_split(split, folds) == said


def test_figures_of_all_folds_stand_for_those_of_one() -> None:
    status = make_status()
    assert ModelFacts(model=MODEL, status=status).val == status.val
    assert ModelFacts(model=MODEL, status=status, folds=FOLDS).val == FOLDS.val
    assert ModelFacts(model=MODEL).val is None


@pytest.mark.parametrize(("on_machine", "others"), [(None, 0), (1, 0), (10, 9)])
def test_other_openings_are_counted(on_machine: int | None, others: int) -> None:
    assert count_other_openings(1, on_machine) == others
    assert bool(tell_other_openings(1, on_machine)) == bool(others)
