"""A dry run works on few images, none of which comes from the sealed test set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from smallvision.data.dry_run import IMAGES, make_dry_run
from smallvision.data.sealed_test import SealedTest, open_sealed_test
from tests.support.images import make_dataset, make_images
from tests.support.records import HASH


def refuse() -> None:
    raise AssertionError("the test set was opened")


@pytest.mark.parametrize("size", [120, 1200])
def test_all_images_are_training_images(size: int) -> None:
    locked = SealedTest(refuse, size=30, fingerprint=HASH)
    dataset = replace(make_dataset(size), test=locked, val=make_images(9, seed=5))
    small = make_dry_run(dataset, seed=0)
    test = open_sealed_test(small.test)
    assert len(small.train) + len(test) == pytest.approx(min(size, IMAGES), abs=3)
    assert small.val is None
    known = {image.tobytes() for image in dataset.train.images}
    assert {image.tobytes() for part in (small.train, test) for image in part.images} <= known
    assert "dry run" in small.notes[-1]
