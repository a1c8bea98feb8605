import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

from smallvision.stats.confident import find_label_issues


def test_by_hand() -> None:
    """Thresholds: (0.9 + 0.7 + 0.2) / 3 = 0.6 for class 0, (0.9 + 0.55 + 0.3) / 3 = 0.58 for 1."""
    probabilities = np.array(
        [
            [0.90, 0.10],
            [0.70, 0.30],
            [0.20, 0.80],  # labelled 0, looks like 1
            [0.10, 0.90],
            [0.45, 0.55],  # looks like neither
            [0.70, 0.30],  # labelled 1, looks like 0, by a smaller margin
        ]
    )
    issues = find_label_issues(probabilities, np.array([0, 0, 0, 1, 1, 1]))
    assert issues.positions.tolist() == [2, 5]
    assert issues.suggested.tolist() == [1, 0]
    assert issues.estimate == 2
    assert issues.joint.tolist() == [[2, 1], [1, 1]]


def test_a_class_without_an_image_is_never_suggested() -> None:
    probabilities = np.array([[0.1, 0.0, 0.9], [0.2, 0.1, 0.7], [0.2, 0.8, 0.0]])
    issues = find_label_issues(probabilities, np.array([0, 0, 1]))
    assert 2 not in issues.suggested
    assert issues.joint[:, 2].sum() == 0


def test_a_label_that_is_the_first_choice_stands() -> None:
    """Both classes reach their thresholds in the last row, and its label is not the likelier."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.9, 0.1], [0.55, 0.45]])
    labels = np.array([0, 0, 1, 0])
    issues = find_label_issues(probabilities, labels)
    # 0.55 is below the 0.75 of class 0 and 0.45 above the 0.1 of class 1: off the diagonal.
    assert issues.joint[0, 1] == 1
    assert 3 not in issues.positions


def test_finds_planted_errors() -> None:
    rng = np.random.default_rng(0)
    N, K = 2_000, 4
    true = rng.integers(0, K, N)
    points = np.eye(K)[true] * 3.5 + rng.normal(size=(N, K))
    labels = true.copy()
    flipped = rng.random(N) < 0.05
    labels[flipped] = (true[flipped] + rng.integers(1, K, flipped.sum())) % K
    probabilities = cross_val_predict(
        LogisticRegression(), points, labels, cv=3, method="predict_proba"
    )
    issues = find_label_issues(probabilities, labels)
    found = flipped[issues.positions]
    assert found.mean() > 0.7, "chance is 0.05"
    assert found.sum() / flipped.sum() > 0.7
    assert 0.7 < issues.estimate / flipped.sum() < 1.4
    assert found[:50].mean() > 0.95, "the most suspicious come first"
    assert (issues.suggested[found] == true[issues.positions][found]).mean() > 0.9
