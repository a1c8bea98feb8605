"""The sizes that a plan chooses from."""

from __future__ import annotations

import pytest

from smallvision.predict.network import count_operations
from smallvision.recipes.scale import FAMILIES, SIZES, Family


@pytest.mark.parametrize("family", FAMILIES)
def test_the_number_of_operations_is_true(family: Family) -> None:
    for size in SIZES[family].values():
        counted = count_operations(size.model, (3, 32, 32), 10) / 1e6
        assert size.operations == pytest.approx(counted, rel=0.03)


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_go_from_small_to_large(family: Family) -> None:
    operations = [size.operations for size in SIZES[family].values()]
    assert operations == sorted(operations)
