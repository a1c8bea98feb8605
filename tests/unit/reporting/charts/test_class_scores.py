from __future__ import annotations

from smallvision.reporting.charts.class_scores import plot_classes
from smallvision.reporting.view import StudyView


def test_classes_lie_in_the_order_of_their_scores(study: StudyView) -> None:
    assert study.test is not None
    plot = plot_classes(study.test)
    recalls = [row.recall for row in study.test.per_class]
    places = [recall for _, recall in plot.places]
    assert sorted(range(10), key=recalls.__getitem__) == sorted(range(10), key=places.__getitem__)
    assert all(0 <= place <= 100 for both in plot.places for place in both)
    assert plot.low.endswith(" %")
