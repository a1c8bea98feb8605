from __future__ import annotations

import pytest

from smallvision.reporting.charts.class_scores import plot_classes
from smallvision.reporting.view import StudyView
from tests.support.views import change_test


def test_classes_lie_in_the_order_of_their_scores(study: StudyView) -> None:
    assert study.test is not None
    plot = plot_classes(study.test)
    recalls = [row.recall for row in study.test.per_class]
    places = [row.recall_place for row in plot.rows]
    assert sorted(range(10), key=recalls.__getitem__) == sorted(range(10), key=places.__getitem__)
    assert plot.low.endswith(" %")


def test_every_score_lies_in_its_interval_and_on_the_scale(study: StudyView) -> None:
    assert study.test is not None
    for row in plot_classes(study.test).rows:
        assert row.recall is not None
        assert row.f1 is not None
        assert row.whisker is not None
        assert row.recall[0] < row.scores.recall < row.recall[1]
        assert row.f1[0] < row.scores.f1 < row.f1[1]
        assert 0 <= row.whisker[0] < row.recall_place < row.whisker[1] <= 100
        assert 0 <= row.precision_place <= 100


def test_a_class_without_images_has_no_interval(study: StudyView) -> None:
    assert study.test is not None
    confusion = ((0,) * 10, *study.test.confusion[1:])
    changed = change_test(study, confusion=confusion)
    assert changed.test is not None
    row, other, *_ = plot_classes(changed.test).rows
    assert (row.recall, row.f1, row.whisker) == (None, None, None)
    assert other.recall is not None


def test_intervals_come_from_rows_and_columns_of_the_confusions(study: StudyView) -> None:
    # 100 of class 0, 90 of them found; 110 are predicted as it.
    rows = [[0] * 10 for _ in range(10)]
    rows[0][0], rows[0][1], rows[1][0] = 90, 10, 20
    changed = change_test(study, confusion=tuple(map(tuple, rows)))
    assert changed.test is not None
    row = plot_classes(changed.test).rows[0]
    assert row.recall == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert row.f1 == pytest.approx((0.7992, 0.9004), abs=1e-4)
