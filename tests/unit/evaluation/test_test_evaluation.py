"""The test evaluation, in which a refit and its validation model share one opening."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from smallvision.data.dataset import DataSet
from smallvision.data.imageset import ImageSet
from smallvision.data.sealed_test import open_sealed_test, seal_test
from smallvision.errors import DataError, RecordError
from smallvision.evaluation import FinalModel, evaluate_on_test
from smallvision.predict import SavedModel
from smallvision.records import store
from smallvision.records.layout import TEST
from smallvision.records.ledger import LEDGER, read_openings
from smallvision.records.schema import (
    ModelScores,
    PredictionSetsRecord,
    Rate,
    TestRecord,
    UnlikeRecord,
    UnlikeShare,
)
from smallvision.stats.intervals import wilson_interval
from smallvision.stats.probabilities.coverage import measure_coverage
from tests.support.images import make_dataset
from tests.support.models import NORMED, make_model
from tests.support.records import HASH

VAL = Rate(accuracy=0.5, interval=(0.3, 0.7), n=24, loss=1.0)


@pytest.fixture
def model(dataset: DataSet) -> SavedModel:
    names = dataset.train.class_names
    return replace(make_model(0, NORMED), class_names=names, temperature=2.0, fingerprint=HASH)


def judge(
    model: SavedModel, dataset: DataSet, folder: Path, validation_model: SavedModel | None = None
) -> TestRecord:
    """The test result of a model whose validation figures are `VAL`."""
    folder.mkdir(exist_ok=True)
    final = FinalModel("m", model, VAL, validation_model)
    return evaluate_on_test(final, dataset, folder, command="c")


def test_calibration_on_test_uses_the_models_own_temperature(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    record = judge(model, dataset, tmp_path)
    test = open_sealed_test(dataset.test)
    assert record.calibration.temperature == 2.0
    assert record.calibration.after.nll == record.loss
    for part, temperature in ((record.calibration.before, 1.0), (record.calibration.after, 2.0)):
        probabilities = replace(model, temperature=temperature).predict(test.images)
        expected = metrics.log_loss(test.labels, probabilities)
        assert part.nll == pytest.approx(expected, rel=1e-4)


def test_the_result_is_compared_with_validation(model: SavedModel, tmp_path: Path) -> None:
    record = judge(model, make_dataset(test_size=90), tmp_path)
    assert record.val == VAL
    assert record.p_vs_val is not None
    assert record.differs_from_val is (record.p_vs_val < 0.05)


def test_a_refit_and_its_validation_model_share_one_opening(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    alone = judge(model, dataset, tmp_path / "alone")
    flipped = replace(model, mean=tuple(-m for m in model.mean))
    record = judge(flipped, dataset, tmp_path / "study", validation_model=model)
    assert len(read_openings(tmp_path / "study")) == 1
    assert (record.refit, record.openings) == (True, 1)
    assert (alone.refit, alone.validation_model) == (False, None)
    assert record.validation_model == alone.extend(ModelScores)
    # The refit saw the validation images, so only its validation model is compared with validation.
    assert record.val is record.p_vs_val is record.differs_from_val is None
    assert alone.p_vs_val is not None
    assert 0 < alone.p_vs_val <= 1


def test_a_validation_model_of_other_classes_leaves_the_seal_closed(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    other = replace(model, class_names=("x", "y", "z"))
    with pytest.raises(DataError, match="classes"):
        judge(model, dataset, tmp_path, validation_model=other)
    assert not read_openings(tmp_path)


def test_a_ledger_that_lost_an_opening_is_not_added_to(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    judge(model, dataset, tmp_path)
    store.write(tmp_path / TEST, judge(model, dataset, tmp_path))
    lines = (tmp_path / LEDGER).read_text().splitlines(keepends=True)
    (tmp_path / LEDGER).write_text(lines[0])
    with pytest.raises(RecordError, match=r"lists 1 openings .* speaks of 2"):
        judge(model, dataset, tmp_path)
    assert len(read_openings(tmp_path)) == 1
    (tmp_path / LEDGER).write_text("".join(lines))
    assert judge(model, dataset, tmp_path).openings == 3


def test_images_that_training_had_are_told_apart(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    none = judge(model, dataset, tmp_path / "none").near_duplicates
    assert none.sentence == "No test image is a copy of a training image."
    test = open_sealed_test(dataset.test)
    images = np.concatenate([test.images[:20], dataset.train.images[:10]])
    labels = np.concatenate([test.labels[:20], dataset.train.labels[:10]])
    leaked = replace(dataset, test=seal_test(ImageSet(images, labels, test.class_names)))
    found = judge(model, leaked, tmp_path / "leaked").near_duplicates
    right = (model.predict(test.images[:20]).argmax(axis=1) == test.labels[:20]).sum()
    assert (found.copies, found.alike, found.n) == (10, None, 20)
    assert found.accuracy == right / 20
    assert found.sentence.startswith("10 of 30 test images are copies of training images;")

    nothing_else = dataset.train.take(np.arange(30))
    all_leaked = replace(dataset, test=seal_test(nothing_else))
    found = judge(model, all_leaked, tmp_path / "all").near_duplicates
    assert found.sentence == "30 of 30 test images are copies of training images."
    assert (found.n, found.accuracy, found.interval) == (0, None, None)


def test_sets_and_unlike_images_are_counted_as_validation_fitted_them(
    model: SavedModel, dataset: DataSet, tmp_path: Path
) -> None:
    none = judge(model, dataset, tmp_path / "none")
    assert (none.sets, none.unlike) == ((), None)
    test = open_sealed_test(dataset.test)
    found = model.answer(test.images)
    limit = float(np.sort(found.energies)[-4])
    sets = PredictionSetsRecord(error_rates=(0.1, 0.2), least_probabilities=(0.0, 0.3), n=9)
    doubtful = replace(model, unlike=UnlikeRecord(limit=limit, n=9), sets=sets)
    record = judge(doubtful, dataset, tmp_path / "some")
    assert record.unlike == UnlikeShare(share=3 / 30, interval=wilson_interval(3, 30), n=30)
    assert record.sets == measure_coverage(found.probabilities, test.labels, sets)
    assert [(one.error_rate, one.n) for one in record.sets] == [(0.1, 30), (0.2, 30)]
    assert (record.sets[0].coverage, record.sets[0].mean_size) == (1.0, 3.0)
