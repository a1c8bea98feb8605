"""Maps of features: what is near stays near, and no set of images is too small or too odd."""

import numpy as np
import pytest

from smallvision.stats.images.feature_map import lay_out, pick_for_map


def make_clusters(count: int = 60, dimensions: int = 12) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 3
    return rng.normal(size=(count, dimensions)) + 20 * np.eye(3, dimensions)[labels], labels


def test_clusters_of_features_are_clusters_on_the_map() -> None:
    features, labels = make_clusters()
    found = lay_out(features, labels, seed=0)
    centres = np.stack([found.places[labels == k].mean(axis=0) for k in range(3)])
    distances = np.linalg.norm(found.places[:, None] - centres, axis=2)
    assert (distances.argmin(axis=1) == labels).all()
    assert found.same_class == 1
    assert found.trustworthiness is not None
    assert found.trustworthiness > 0.8


def test_a_map_fills_its_frame() -> None:
    places = lay_out(*make_clusters(), seed=0).places
    assert places.min(axis=0) == pytest.approx([0, 0])
    assert places.max(axis=0) == pytest.approx([1, 1])


def test_the_same_seed_gives_the_same_map() -> None:
    features, labels = make_clusters()
    assert (
        lay_out(features, labels, seed=1).places == lay_out(features, labels, seed=1).places
    ).all()


def test_labels_have_no_influence_on_the_places() -> None:
    features, labels = make_clusters()
    others = lay_out(features, np.arange(60) // 20, seed=0)
    assert (lay_out(features, labels, seed=0).places == others.places).all()
    assert others.same_class < 1


def test_mixed_classes_are_not_called_apart() -> None:
    features = np.random.default_rng(0).normal(size=(400, 8))
    found = lay_out(features, np.arange(400) % 4, seed=0)
    assert 0.15 < found.same_class < 0.35


@pytest.mark.parametrize("count", [1, 2, 3, 7, 8, 9, 21])
@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_few_images_and_few_features_have_a_map(count: int, dimensions: int) -> None:
    features, labels = make_clusters(count, max(3, dimensions))
    places = lay_out(features[:, :dimensions], labels, seed=0).places
    assert places.shape == (count, 2)
    assert np.isfinite(places).all()
    assert ((places >= 0) & (places <= 1)).all()


def test_equal_images_lie_in_the_middle() -> None:
    found = lay_out(np.ones((30, 4), dtype=np.float32), np.arange(30) % 2, seed=0)
    assert (found.places == 0.5).all()


def test_a_choice_for_a_map_keeps_the_classes_in_proportion() -> None:
    labels = np.repeat([0, 1, 2], [900, 95, 5])
    picked = pick_for_map(labels, seed=0, most=100)
    assert np.bincount(labels[picked]).tolist() == [90, 10, 1]
    assert (np.diff(picked) > 0).all()
    assert (pick_for_map(labels, seed=0, most=100) == picked).all()
    assert (pick_for_map(labels, seed=1, most=100) != picked).any()


def test_few_images_are_all_on_the_map() -> None:
    assert (pick_for_map(np.arange(7) % 2, seed=0) == np.arange(7)).all()
