import numpy as np
import pytest

from benchmarks.throughput.pipeline import OURS, measure_pipeline
from smallvision.augment import AUGMENTATIONS
from smallvision.data.imageset import ImageSet
from tests.support.measurements import CPU


def test_pipeline() -> None:
    generator = np.random.default_rng(0)
    images = ImageSet(
        generator.integers(0, 256, (256, 3, 8, 8), dtype=np.uint8),
        generator.integers(0, 3, 256),
        ("a", "b", "c"),
    )
    record = measure_pipeline(images, CPU, rounds=1)
    speeds = {name: path.images_per_second for name, path in record.paths.items()}
    ours = speeds.pop(OURS)
    assert record.ratio == pytest.approx(ours / max(speeds.values()))
    assert len(speeds) == 2
    assert set(record.augmentations) == set(AUGMENTATIONS)
    assert record.model_dump()["ratio"] == record.ratio
