import numpy as np
import pytest

from smallvision.stats.multiple import holm


def test_holm_known_answer() -> None:
    # 4 x 0.01; 3 x 0.02; 2 x 0.022 would fall below the one before; the last stands.
    assert holm([0.022, 0.01, 0.8, 0.02]) == pytest.approx([0.06, 0.04, 0.8, 0.06])


def test_holm_never_exceeds_one_and_bears_few() -> None:
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([0.03]).tolist() == [0.03]
    assert holm(np.array([])).tolist() == []
