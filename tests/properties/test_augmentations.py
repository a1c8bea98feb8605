"""What holds of every augmentation, whatever the images."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Generator, Tensor

from smallvision.augment import AUGMENTATIONS, smooth_labels
from smallvision.augment.draws import draw_beta

K = 5
sizes = {"N": st.integers(1, 12), "H": st.integers(8, 20), "W": st.integers(8, 20)}
seeds = st.integers(0, 10_000)


def batch(N: int, C: int, H: int, W: int, seed: int) -> tuple[Tensor, Tensor]:
    generator = Generator().manual_seed(seed)
    images = torch.randint(256, (N, C, H, W), generator=generator, dtype=torch.uint8)
    return images, torch.rand(N, K, generator=generator).softmax(dim=1)


def numbered(N: int, H: int, W: int) -> tuple[Tensor, Tensor]:
    """Images of one value each, so that every pixel tells which image it came from."""
    images = torch.arange(N, dtype=torch.uint8).view(N, 1, 1, 1).expand(N, 1, H, W)
    return images.contiguous(), torch.eye(N)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(**sizes, C=st.sampled_from([1, 3]), seed=seeds)
def test_targets_stay_distributions(name: str, N: int, C: int, H: int, W: int, seed: int) -> None:
    images, targets = batch(N, C, H, W, seed)
    kept = images.clone(), targets.clone()
    apply = AUGMENTATIONS[name].apply
    out, out_targets = apply(images, targets, Generator().manual_seed(seed))
    again = apply(images, targets, Generator().manual_seed(seed))
    assert torch.equal(out, again[0])
    assert torch.equal(out_targets, again[1])
    assert torch.equal(images, kept[0])
    assert torch.equal(targets, kept[1])
    assert (out.shape, out.dtype) == (images.shape, images.dtype)
    assert (out_targets >= 0).all()
    assert torch.allclose(out_targets.sum(dim=1), torch.ones(N))
    if not AUGMENTATIONS[name].mixes:
        assert torch.equal(out_targets, targets)


@given(**sizes, seed=seeds, alpha=st.floats(0.1, 5), probability=st.floats(0, 1))
def test_cutmix_targets_are_the_shares_of_pixels(
    N: int, H: int, W: int, seed: int, alpha: float, probability: float
) -> None:
    out, targets = AUGMENTATIONS["cutmix"].apply(
        *numbered(N, H, W), Generator().manual_seed(seed), alpha=alpha, probability=probability
    )
    for pixels, target in zip(out, targets, strict=True):
        counts = torch.bincount(pixels.flatten().long(), minlength=N)
        assert torch.allclose(target, counts / (H * W), rtol=0, atol=1e-7)


@given(**sizes, seed=seeds)
def test_cutmix_pastes_one_box_of_one_other_image(N: int, H: int, W: int, seed: int) -> None:
    out, _ = AUGMENTATIONS["cutmix"].apply(
        *numbered(N, H, W), Generator().manual_seed(seed), probability=1.0
    )
    for i, pixels in enumerate(out[:, 0]):
        rows, columns = np.nonzero((pixels != i).numpy())
        if len(rows):
            box = pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            assert (box == box[0, 0]).all()
            assert box.numel() == len(rows)


@given(**sizes, seed=seeds, alpha=st.floats(0.1, 5))
def test_mixup_bytes_and_targets_agree(N: int, H: int, W: int, seed: int, alpha: float) -> None:
    """Where an image is worth its number, its blend is worth the mean number of its target."""
    images, targets = numbered(N, H, W)
    out, mixed = AUGMENTATIONS["mixup"].apply(
        images, targets, Generator().manual_seed(seed), alpha=alpha
    )
    worth = (mixed * torch.arange(N)).sum(dim=1)
    assert ((out[:, 0, 0, 0] - worth).abs() <= 0.5 + 1e-5).all()
    assert ((mixed > 0).sum(dim=1) <= 2).all()


@pytest.mark.parametrize("name", [name for name, entry in AUGMENTATIONS.items() if entry.mixes])
@given(**sizes, seed=seeds, amount=st.floats(0, 0.99))
def test_smoothing_and_mixing_commute(
    name: str, N: int, H: int, W: int, seed: int, amount: float
) -> None:
    images, targets = batch(N, 1, H, W, seed)
    apply = AUGMENTATIONS[name].apply
    _, mixed = apply(images, targets, Generator().manual_seed(seed))
    _, smoothed = apply(images, smooth_labels(targets, amount), Generator().manual_seed(seed))
    assert torch.allclose(smooth_labels(mixed, amount), smoothed, atol=1e-6)


def test_smoothing_by_hand() -> None:
    """Szegedy et al.: with K = 4 and 0.1, the true class keeps 0.925 and others get 0.025."""
    smoothed = smooth_labels(torch.eye(4)[:1], 0.1)
    assert smoothed[0].tolist() == pytest.approx([0.925, 0.025, 0.025, 0.025])


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.0, 2.0, 8.0])
def test_beta_draws_follow_the_beta_distribution(alpha: float) -> None:
    draws = draw_beta(alpha, 20_000, Generator().manual_seed(0))
    # Twenty bins of equal probability, since float32 cannot tell values apart close to 1.
    edges = stats.beta(alpha, alpha).ppf(np.linspace(0, 1, 21))
    counts, _ = np.histogram(draws.double().numpy(), edges)
    assert stats.chisquare(counts).pvalue > 0.01


@given(seed=seeds, count=st.integers(1, 50), alpha=st.floats(1e-3, 100))
def test_beta_draws_are_shares(seed: int, count: int, alpha: float) -> None:
    draws = draw_beta(alpha, count, Generator().manual_seed(seed))
    assert draws.shape == (count,)
    assert ((draws >= 0) & (draws <= 1)).all()


@given(**sizes, seed=seeds, low=st.floats(0, 1), high=st.floats(0, 1))
def test_random_erasing_hides_one_box_of_noise(
    N: int, H: int, W: int, seed: int, low: float, high: float
) -> None:
    # Pixels of no byte's value tell what was replaced.
    images = torch.full((N, 1, H, W), 2.0)
    settings: dict[str, Any] = {"area": (low, high), "probability": 1.0}
    out, _ = AUGMENTATIONS["random_erasing"].apply(
        images, torch.eye(N), Generator().manual_seed(seed), **settings
    )
    for pixels in out[:, 0]:
        rows, columns = np.nonzero((pixels != 2.0).numpy())
        if len(rows):
            assert len(rows) == len(set(rows)) * len(set(columns))
            assert len(set(rows)) == np.ptp(rows) + 1
            assert len(set(columns)) == np.ptp(columns) + 1
        # Each side is rounded to the pixel, and one longer than the image is cut.
        assert len(rows) <= max(low, high) * H * W + (H + W) / 2 + 1
