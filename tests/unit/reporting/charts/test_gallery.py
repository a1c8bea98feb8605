from __future__ import annotations

import pytest

from smallvision.records.schema import ErrorAnalysisRecord
from smallvision.reporting.charts.gallery import draw_gallery, part_labels
from smallvision.reporting.view import Pictured, StudyView


@pytest.fixture
def errors(whole: StudyView) -> Pictured[ErrorAnalysisRecord]:
    assert whole.errors is not None
    return whole.errors


def test_every_mapped_image_is_a_dot_of_its_class(errors: Pictured[ErrorAnalysisRecord]) -> None:
    record = errors.record
    assert record.gallery is not None
    gallery = draw_gallery(record, record.gallery, errors.pictures[record.gallery.file])
    assert gallery.mapped == 120
    assert [one.right.count("M") for one in gallery.classes] == [10] * 10
    assert [one.wrong.count("M") for one in gallery.classes] == [2] * 10
    assert [one.css for one in gallery.classes] == [f"class-{k}" for k in range(10)]
    assert not gallery.complete
    images = gallery.data["images"]
    assert isinstance(images, list)
    assert [len(image) for image in images].count(6) == 120
    assert gallery.data["sheet"] == [12, 12, 12]


def test_places_are_percent_from_the_left_and_from_above(
    errors: Pictured[ErrorAnalysisRecord],
) -> None:
    record = errors.record
    assert record.gallery is not None
    corners = [(0.0, 0.0), (1.0, 1.0)]
    images = tuple(
        image.change(place=place)
        for image, place in zip(record.gallery.images, corners, strict=False)
    )
    gallery = draw_gallery(record, record.gallery.change(images=images), None)
    assert gallery.classes[0].right == "M3 97h0M97 3h0"
    assert gallery.data["sheet"] is None, "a lost sheet has no pictures to show"


def test_labels_do_not_lie_on_each_other() -> None:
    labels = part_labels({0: (50, 50), 1: (55, 51), 2: (90, 51), 3: (52, 52)})
    assert labels[0] == (50, 50)
    assert labels[1] == (55, 55)
    assert labels[2] == (90, 51)
    assert labels[3] == (52, 60)
