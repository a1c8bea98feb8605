"""The parts of speednet that no other network has."""

import pytest
import torch
from torch.nn import functional as F

from smallvision.models import MODELS
from smallvision.models.speednet import DiracConv3x3, SpeedNet


def build(**settings: object) -> SpeedNet:
    torch.manual_seed(0)
    model = MODELS["speednet"].build((3, 32, 32), 10, **{"widths": (8, 16), **settings})
    assert isinstance(model, SpeedNet)
    return model


def test_whitened_patches_vary_independently_and_alike() -> None:
    torch.manual_seed(0)
    model = build()
    images = F.avg_pool2d(torch.randn(164, 3, 36, 36), 5, 1)  # blurred, so that pixels go together
    images /= images.std()
    prepare = MODELS["speednet"].prepare
    assert prepare is not None
    prepare(model, images)
    out = model.whitening(images)
    half = out.shape[1] // 2
    assert torch.allclose(out[:, :half], -out[:, half:]), "each direction with both signs"
    points = out[:, :half].permute(1, 0, 2, 3).flatten(1).double()
    covariance = points @ points.T / points.shape[1]
    variances = covariance.diag()
    assert ((variances > 0.3) & (variances < 1.001)).all()  # below 1 where noise is held down
    assert variances.max().item() == pytest.approx(1, abs=0.01)
    off = covariance - variances.diag()
    assert off.abs().max() < 1e-3


def test_whitening_is_not_trained() -> None:
    assert not build().whitening.weight.requires_grad


def test_a_filter_bank_begins_by_passing_its_input_on() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 4, 6, 6)
    assert torch.equal(DiracConv3x3(4, 9)(x)[:, :4], x)
    assert torch.equal(DiracConv3x3(4, 3)(x), x[:, :3])


@pytest.mark.parametrize("side", [12, 16, 20, 24, 28, 32])
def test_smaller_images_pass_through_the_same_network(side: int) -> None:
    model = MODELS["speednet"].build((3, 32, 32), 10, widths=(8, 8, 8))
    assert model(torch.randn(4, 3, side, side)).shape == (4, 10)


def test_three_convolutions_make_a_residual_branch() -> None:
    """With the last norm's scale at zero the branch is silent, and the group is its first part."""
    model = build(depth=3, activation="relu").eval()
    group = model.groups[0]
    x = torch.randn(2, 24, 31, 31)
    with torch.no_grad():
        group.norms[-1].weight.zero_()
    first = torch.relu(group.norms[0](group.convs[0](x)))
    assert torch.allclose(group(x), first)
