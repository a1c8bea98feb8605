"""The data sets that are known by name."""

from __future__ import annotations

import pytest

from smallvision.data.sources.named import NAMED_DATA_SETS
from smallvision.data.sources.source import Layout


@pytest.mark.parametrize("name", NAMED_DATA_SETS)
def test_every_named_data_set_has_distinct_classes(name):
    known = NAMED_DATA_SETS[name]
    assert known.name == name
    assert len(set(known.class_names)) == len(known.class_names) >= 10


def test_digits_are_what_the_table_says():
    known = NAMED_DATA_SETS["digits"]
    layout = known.content()
    assert isinstance(layout, Layout)
    images = layout.read("train").images
    assert (images.shape, images.class_names) == (known.shape, known.class_names)
