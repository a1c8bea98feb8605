import numpy as np
import pytest

from smallvision.stats.disagreement import probability_spread, vote_entropy

MEMBERS = np.array(
    [
        [[0.9, 0.1, 0.0], [0.6, 0.4, 0.0]],
        [[0.7, 0.3, 0.0], [0.2, 0.8, 0.0]],
        [[0.8, 0.2, 0.0], [0.1, 0.0, 0.9]],
    ]
)


def test_vote_entropy_by_hand() -> None:
    assert vote_entropy(MEMBERS) == pytest.approx([0.0, np.log(3)])
    two_to_one = vote_entropy(MEMBERS[:, [0]][[0, 1, 2]][..., [0, 1]])
    assert two_to_one == pytest.approx([0.0])
    votes = np.eye(2)[[[0], [0], [1]]]
    assert vote_entropy(votes) == pytest.approx([np.log(3) - 2 / 3 * np.log(2)])


def test_spread_by_hand() -> None:
    # First image: the mean is (0.8, 0.2), from which the members lie 0.1, 0.1 and 0 away.
    assert probability_spread(MEMBERS)[0] == pytest.approx(0.2 / 3)
    assert probability_spread(np.repeat(MEMBERS[:1], 4, axis=0)) == pytest.approx([0.0, 0.0])
