"""The scores of predictions, beside those of scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from smallvision.evaluation import score
from smallvision.records.schema import MacroAverages


def test_a_class_without_images_is_no_part_of_a_mean() -> None:
    card = score(np.eye(3)[[0, 1]], np.array([0, 1]), ("a", "b", "c"))
    assert card.macro == MacroAverages(precision=1.0, recall=1.0, f1=1.0)
    assert card.per_class[2].support == 0


def test_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    probabilities, labels = rng.dirichlet(np.ones(4), 90), rng.integers(0, 4, 90)
    card = score(probabilities, labels, ("a", "b", "c", "d"))
    predicted = probabilities.argmax(axis=1)
    expected = metrics.classification_report(
        labels, predicted, target_names=list("abcd"), output_dict=True
    )
    for line in card.per_class:
        for here, there in (("precision", "precision"), ("recall", "recall"), ("f1", "f1-score")):
            assert getattr(line, here) == pytest.approx(expected[line.name][there])
        assert line.support == expected[line.name]["support"]
    assert card.macro.f1 == pytest.approx(expected["macro avg"]["f1-score"])
    assert card.accuracy == pytest.approx(metrics.accuracy_score(labels, predicted))
    assert card.loss == pytest.approx(metrics.log_loss(labels, probabilities))
    assert card.confusion == tuple(map(tuple, metrics.confusion_matrix(labels, predicted).tolist()))
    assert list(card.topk) == ["2"], "five of four classes would always be right"
    assert card.topk["2"] == pytest.approx(metrics.top_k_accuracy_score(labels, probabilities, k=2))
