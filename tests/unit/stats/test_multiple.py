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


@pytest.mark.parametrize(
    ("p", "expected"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),  # 3 * 0.01; 2 * 0.03; 1 * 0.04 raised to 0.06
        ([0.02], [0.02]),
        ([0.5, 0.6, 0.7], [1.0, 1.0, 1.0]),
        ([0.04, 0.01, 0.01, 0.005], [0.04, 0.03, 0.03, 0.02]),
        ([], []),
    ],
)
def test_by_hand(p: list[float], expected: list[float]) -> None:
    assert holm(p).tolist() == pytest.approx(expected)


def test_keeps_the_chance_of_any_false_alarm() -> None:
    rng = np.random.default_rng(0)
    alarms = sum((holm(rng.random(5)) < 0.05).any() for _ in range(4_000))
    assert 0.035 < alarms / 4_000 < 0.06
