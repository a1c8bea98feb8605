"""Scores of unlike images against other formulas, and the area under the curve against peers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist, mahalanobis
from scipy.stats import entropy
from sklearn.metrics import roc_auc_score

from benchmarks.training.doubt_scores import (
    LOGIT_SCORES,
    NEIGHBOURS,
    fit_space,
    measure_area,
    normalize_rows,
    read_features,
)
from smallvision.predict import Ensemble
from smallvision.stats.probabilities.logits import pool_members, scale_logits
from tests.support.images import make_images
from tests.support.models import CONVOLUTIONAL, make_model, wrap_network


def draw_features(count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, count)
    return rng.standard_normal((count, 6)) + 4 * np.eye(6)[labels], labels


def test_the_area_is_scikit_learns() -> None:
    rng = np.random.default_rng(0)
    for shift in (-1.0, 0.0, 0.7, 3.0):
        like, unlike = rng.standard_normal(200), rng.standard_normal(90) + shift
        like, unlike = np.round(like, 1), np.round(unlike, 1)  # with ties
        truth = np.repeat([0, 1], [200, 90])
        area, (low, high) = measure_area(like, unlike)
        assert area == pytest.approx(roc_auc_score(truth, np.concatenate([like, unlike])))
        assert 0 < low < area < high < 1


def test_the_interval_holds_the_true_area_in_95_of_100_draws() -> None:
    rng = np.random.default_rng(1)
    true = 0.9213504  # of normal scores that are two deviations apart: that of 2 / sqrt(2)
    held = []
    for _ in range(1_000):
        _, (low, high) = measure_area(rng.standard_normal(80), rng.standard_normal(60) + 2)
        held.append(low <= true <= high)
    assert np.mean(held) == pytest.approx(0.95, abs=0.02)


def test_a_perfect_area_is_not_certain() -> None:
    area, (low, high) = measure_area(np.arange(50.0), np.arange(50.0) + 100)
    assert (area, high) == (1.0, 1.0)
    assert low == pytest.approx(0.025 ** (1 / 50))
    assert measure_area(np.arange(50.0) + 100, np.arange(50.0)) == (0.0, (0.0, 1 - low))


def test_scores_of_logits_by_other_formulas() -> None:
    members = np.random.default_rng(0).standard_normal((2, 40, 5)).astype(np.float32)
    probabilities = scale_logits(pool_members(members), 1.5)
    found = {name: rule(members, 1.5) for name, rule in LOGIT_SCORES.items()}
    assert np.allclose(found["entropy"], entropy(probabilities, axis=1), atol=1e-5)
    assert np.allclose(found["probability"], -probabilities.max(axis=1))
    assert np.allclose(found["logit"], -(members[0].max(1) + members[1].max(1)) / 2)
    sure, lost = np.array([9.0, 0, 0, 0]), np.array([1.0, 1, 1, 1.01])
    for rule in LOGIT_SCORES.values():
        one, other = rule(np.stack([sure, lost])[None], 1.0)
        assert other > one, "a score is high where no class is likely"


def test_neighbours_are_scipys() -> None:
    features, labels = draw_features()
    others = features[:7] + 0.5
    distances = np.sort(cdist(normalize_rows(others), normalize_rows(features)), axis=1)
    space = fit_space(features, labels)
    assert np.allclose(space.measure_neighbours(others), distances[:, NEIGHBOURS - 1])


def test_classes_are_as_far_as_scipy_says() -> None:
    features, labels = draw_features(5_000)
    space = fit_space(features, labels)
    away = features - np.stack([features[labels == k].mean(axis=0) for k in range(3)])[labels]
    inverse = np.linalg.inv(away.T @ away / len(away))
    means = [features[labels == k].mean(axis=0) for k in range(3)]
    for one in features[:5] + 2:
        nearest = min(mahalanobis(one, mean, inverse) for mean in means)
        (found,) = space.measure_classes(one[None])
        assert found == pytest.approx(nearest, rel=2e-3)


def test_features_are_what_the_last_layer_is_given() -> None:
    model, images = make_model(0, CONVOLUTIONAL), make_images(5).images
    features = read_features(model, images)
    *_, head = (one for one in model.network.modules() if type(one).__name__ == "Linear")
    logits = features @ head.weight.detach().numpy().T + head.bias.detach().numpy()
    assert np.allclose(logits, model.predict_logits(images), atol=1e-4)
    two = wrap_network(Ensemble([model.network, make_model(1, CONVOLUTIONAL).network]))
    assert read_features(two, images).shape == (5, 2 * features.shape[1])
    assert not head._forward_pre_hooks, "nothing is left in the network"
