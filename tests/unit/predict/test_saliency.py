"""Heat maps with known answers, and a model that is left as it was."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from smallvision.errors import RecordError
from smallvision.models import MODELS
from smallvision.predict import Ensemble, find_saliency
from smallvision.predict.saliency import run_listening
from tests.support.models import brightness_network, wrap_network


def two_spots() -> np.ndarray:
    images = np.zeros((1, 1, 8, 8), dtype=np.uint8)
    images[0, 0, 1, 2], images[0, 0, 6, 5] = 200, 100
    return images


def test_grad_cam_by_hand() -> None:
    """With one feature the map is that feature, for the class it speaks for, and else nothing."""
    images = np.repeat(two_spots(), 2, axis=0)
    heat, method = find_saliency(
        wrap_network(brightness_network(2.0, -1.0)), images, np.array([0, 1])
    )
    assert method == "Grad-CAM"
    assert heat.shape == (2, 8, 8)
    assert heat[0] == pytest.approx(two_spots()[0, 0] / 200)
    assert heat[1] == pytest.approx(np.zeros((8, 8)))


def test_input_gradient_by_hand() -> None:
    """The gradient of a linear network is its weights."""
    linear = nn.Linear(64, 2)
    heat, method = find_saliency(
        wrap_network(nn.Sequential(nn.Flatten(), linear)), two_spots(), np.array([1])
    )
    expected = linear.weight[1].detach().abs().reshape(8, 8)
    assert method == "input gradient"
    assert heat[0] == pytest.approx((expected / expected.max()).numpy())


def test_an_ensemble_is_the_mean_of_its_members() -> None:
    model = wrap_network(Ensemble([brightness_network(2.0, -1.0), brightness_network(-1.0, 3.0)]))
    heat, _ = find_saliency(model, two_spots(), np.array([1]))
    assert heat[0] == pytest.approx(two_spots()[0, 0] / 200), "only one member has any evidence"
    votes = model.predict_member_logits(two_spots()).argmax(axis=2)
    assert votes.tolist() == [[0], [1]]


@pytest.mark.parametrize(
    ("name", "shape", "side"),
    [
        ("wide_resnet", (3, 32, 32), 8),
        ("wide_resnet", (1, 8, 8), 4),  # the last map is 2x2, too coarse to say where
        ("vgg10", (3, 32, 32), 4),
        ("vgg10", (1, 8, 8), 4),
    ],
)
def test_the_map_is_the_last_that_says_where(
    name: str, shape: tuple[int, int, int], side: int
) -> None:
    settings: dict[str, Any] = {"depth": 10} if name == "wide_resnet" else {"width": 4}
    network = MODELS[name].build(shape, 4, **{"width": 1, **settings}).eval()
    _, features = run_listening(network, torch.zeros(1, *shape))
    assert features is not None
    assert features.shape[2:] == (side, side)
    images = np.random.default_rng(0).integers(0, 256, (3, *shape)).astype(np.uint8)
    heat, method = find_saliency(wrap_network(network, shape, 4), images, np.array([0, 1, 2]))
    assert (heat.shape, heat.dtype, method) == ((3, *shape[1:]), np.float32, "Grad-CAM")
    assert heat.min() >= 0
    assert heat.max() <= 1
    assert set(np.round(heat.max(axis=(1, 2)), 5)) <= {0.0, 1.0}


def test_a_coarse_map_is_better_than_none() -> None:
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3, stride=4, padding=1), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    _, features = run_listening(network, torch.zeros(1, 1, 8, 8))
    assert features is not None
    assert features.shape[2:] == (2, 2)


def test_the_model_is_left_as_it_was() -> None:
    network = MODELS["wide_resnet"].build((1, 8, 8), 3, depth=10, width=1)
    model = wrap_network(network, num_classes=3)
    network.train()
    network.norm.eval()
    network.stem.weight.requires_grad_(False)
    before = copy.deepcopy(network.state_dict())

    def state() -> list[Any]:
        modes = [module.training for module in network.modules()]
        asks = [(p.requires_grad, p.grad) for p in network.parameters()]
        return [modes, asks, [len(module._forward_hooks) for module in network.modules()]]

    modes = state()
    with torch.no_grad():
        find_saliency(model, two_spots(), np.array([1]))
    assert state() == modes
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])


def test_hooks_go_when_the_model_fails() -> None:
    network = nn.Sequential(nn.Conv2d(3, 1, 1))
    with pytest.raises(RuntimeError):
        run_listening(network, torch.zeros(1, 1, 8, 8))
    assert not network[0]._forward_hooks


def test_a_map_that_is_not_finite_is_refused() -> None:
    model = wrap_network(brightness_network(3e38, -3e38))
    with pytest.raises(RecordError, match="not finite"):
        find_saliency(replace(model, std=(1e-3,)), two_spots(), np.array([0]))
