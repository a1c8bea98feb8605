import numpy as np
import pytest

from smallvision.stats.images import image_properties
from smallvision.stats.images.image_properties import measure_properties


def test_a_flat_image_has_brightness_and_nothing_else() -> None:
    found = measure_properties(np.full((1, 3, 8, 8), 51, dtype=np.uint8))
    assert found["brightness"] == pytest.approx([0.2])
    assert found["contrast"] == pytest.approx([0], abs=1e-6)
    assert found["sharpness"] == pytest.approx([0], abs=1e-6)


def test_half_black_half_white_by_hand() -> None:
    images = np.zeros((1, 1, 8, 8), dtype=np.uint8)
    images[..., 4:] = 255
    found = measure_properties(images)
    assert found["brightness"] == pytest.approx([0.5])
    assert found["contrast"] == pytest.approx([0.5])
    # The Laplacian is +1 left of the edge, -1 right of it and 0 elsewhere: 2 of 8 columns.
    assert found["sharpness"] == pytest.approx([0.25])


def test_green_is_brighter_than_blue() -> None:
    images = np.zeros((2, 3, 8, 8), dtype=np.uint8)
    images[0, 1] = images[1, 2] = 255
    assert measure_properties(images)["brightness"] == pytest.approx([0.587, 0.114])


def test_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 3, 8, 9)).astype(np.uint8)
    whole = measure_properties(images)
    monkeypatch.setattr(image_properties, "CHUNK", 3)
    for name, values in measure_properties(images).items():
        assert values == pytest.approx(whole[name])
        assert values.shape == (7,)
