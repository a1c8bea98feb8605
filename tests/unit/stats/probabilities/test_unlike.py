"""The energy by hand and by SciPy, and a limit that keeps 95 of 100 images like those it is of."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from smallvision.stats.probabilities.unlike import find_unlike, fit_limit, measure_energy


def test_the_energy_by_hand() -> None:
    """Of two members whose exponentials add up to 4 and to 16: minus the mean logarithm."""
    members = np.log(np.array([[[1.0, 3.0]], [[8.0, 8.0]]]))
    assert measure_energy(members).tolist() == pytest.approx([-(np.log(4) + np.log(16)) / 2])


def test_the_energy_is_scipys() -> None:
    members = np.random.default_rng(0).standard_normal((3, 50, 10)).astype(np.float32)
    wanted = -logsumexp(members.astype(np.float64), axis=2).mean(axis=0)
    assert np.allclose(measure_energy(members), wanted, atol=1e-5)


def test_an_image_without_a_high_logit_has_a_higher_energy() -> None:
    members = np.array([[[9.0, 0.0, 0.0], [1.0, 0.9, 1.1]]])
    sure, lost = measure_energy(members)
    assert lost > sure


def test_an_image_is_judged_by_itself() -> None:
    members = np.random.default_rng(0).standard_normal((2, 60, 10)).astype(np.float32)
    energies, order = measure_energy(members), np.random.default_rng(1).permutation(60)
    assert np.array_equal(measure_energy(members[:, order]), energies[order])
    assert measure_energy(members[:, 7:8])[0] == energies[7]
    limit = fit_limit(energies)
    assert fit_limit(energies[order]) == limit
    found = find_unlike(energies, limit)
    assert found is not None
    assert np.array_equal(find_unlike(energies[order], limit), found[order])


@pytest.mark.parametrize("n", [1, 19, 20, 100, 1_234])
def test_at_most_5_of_100_validation_images_are_beyond_the_limit(n: int) -> None:
    energies = np.random.default_rng(n).standard_normal(n).astype(np.float32)
    found = find_unlike(energies, fit_limit(energies))
    assert found is not None
    assert 0.05 - 1.05 / n <= found.mean() <= 0.05


def test_equal_energies_are_all_kept() -> None:
    energies = np.array([-3.0] * 90 + [-1.0] * 10, np.float32)
    found = find_unlike(energies, fit_limit(energies))
    assert found is not None
    assert not found.any()


def test_a_limit_survives_json_to_the_bit() -> None:
    """The image that it was fitted to is not beyond it, although one is float32 and one a float."""
    energies = np.random.default_rng(3).standard_normal(1_000).astype(np.float32)
    limit = float(repr(fit_limit(energies)))
    at_limit = energies[np.abs(energies - limit).argmin()]
    found = find_unlike(np.array([at_limit, np.nextafter(at_limit, np.float32(9))]), limit)
    assert found is not None
    assert found.tolist() == [False, True]


def test_5_of_100_new_images_like_those_are_called_unlike() -> None:
    rng = np.random.default_rng(4)
    shares = []
    for _ in range(400):
        limit = fit_limit(rng.standard_normal(1_000))
        shares.append(find_unlike(rng.standard_normal(1_000), limit).mean())
    assert np.mean(shares) == pytest.approx(0.05, abs=0.0025)


def test_without_a_limit_nobody_can_tell() -> None:
    assert find_unlike(np.zeros(3, np.float32), None) is None
