"""Networks from settings: how large they may be, and which weights they take."""

from __future__ import annotations

import pytest
import torch

from smallvision.errors import SettingError
from smallvision.models import MODELS
from smallvision.predict import build_network, fill_network, network, sketch_network
from smallvision.records.schema.settings.networks import (
    EnsembleSettings,
    MlpSettings,
    list_networks,
)
from tests.support.models import CONVOLUTIONAL, NORMED

SHAPE = (1, 8, 8)
PAIR = EnsembleSettings(members=(CONVOLUTIONAL, NORMED))


@pytest.mark.parametrize("settings", [NORMED, CONVOLUTIONAL, PAIR])
def test_a_sketch_has_the_tensors_of_the_network_and_no_memory(settings: EnsembleSettings) -> None:
    sketch, built = sketch_network(settings, SHAPE, 3), build_network(settings, SHAPE, 3)
    found, wanted = sketch.state_dict(), built.state_dict()
    assert list(found) == list(wanted)
    for name, tensor in found.items():
        assert tensor.device.type == "meta"
        assert (tensor.shape, tensor.dtype) == (wanted[name].shape, wanted[name].dtype)


def test_a_sketch_that_is_filled_answers_as_the_network_does() -> None:
    built = build_network(PAIR, SHAPE, 3).eval()
    sketch = sketch_network(PAIR, SHAPE, 3).eval()
    fill_network(sketch, built.state_dict())
    images = torch.rand(5, *SHAPE)
    assert torch.equal(sketch(images), built(images))
    trained = [p.requires_grad for p in built.parameters()]
    assert [p.requires_grad for p in sketch.parameters()] == trained


@pytest.mark.parametrize("settings", [NORMED, CONVOLUTIONAL])
def test_a_sketch_draws_no_number(settings: MlpSettings) -> None:
    torch.manual_seed(0)
    known = MODELS[settings.name].build(SHAPE, 3, **settings.arguments()).state_dict()
    torch.manual_seed(0)
    built = build_network(settings, SHAPE, 3).state_dict()
    assert all(torch.equal(known[name], tensor) for name, tensor in built.items())


def test_weights_without_memory_are_not_drawn() -> None:
    with network.WithoutDraws():
        assert not torch.zeros(3).normal_().any()
        assert torch.zeros(3).add_(1).all()


def test_what_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    vast = MlpSettings(hidden=(65_536,) * 3)
    weights = 3072 * 65_536 + 2 * 65_536**2 + 65_536 * 10
    parameters = weights + 3 * 2 * 65_536 + 10
    with pytest.raises(SettingError, match=f"mlp of these settings has {parameters:,} parameters"):
        sketch_network(vast, (3, 32, 32), 10)
    with pytest.raises(SettingError, match="more than 7 tensors"):
        sketch_network(NORMED, SHAPE, 3, tensors=7)
    assert sketch_network(NORMED, SHAPE, 3, tensors=8)
    monkeypatch.setattr(network, "MOST_TENSORS", 7)
    with pytest.raises(SettingError, match="more than 7 tensors"):
        build_network(NORMED, SHAPE, 3)


def test_the_largest_settings_are_refused_early() -> None:
    """However many members there are, no more layers are made than a network may have."""
    deep = CONVOLUTIONAL.model_copy(update={"depth": 202})
    with pytest.raises(SettingError, match="tensors"):
        sketch_network(EnsembleSettings(members=(deep,) * 256), SHAPE, 3)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("1.weight", float("nan"), "1.weight holds NaN"),
        ("2.running_mean", float("-inf"), "2.running_mean holds NaN or infinity"),
        ("2.running_var", -0.5, "2.running_var holds -0.5"),
    ],
)
def test_weights_that_are_none_are_refused(name: str, value: float, said: str) -> None:
    tensors = build_network(NORMED, SHAPE, 3).state_dict()
    tensors[name].view(-1)[-1] = value
    with pytest.raises(SettingError, match=said):
        fill_network(sketch_network(NORMED, SHAPE, 3), tensors)


def test_weights_of_another_type_are_refused() -> None:
    tensors = build_network(NORMED, SHAPE, 3).state_dict()
    with pytest.raises(SettingError, match="is torch"):
        fill_network(sketch_network(NORMED, SHAPE, 3), {n: t.half() for n, t in tensors.items()})
    with pytest.raises(SettingError, match="is no part of such"):
        fill_network(sketch_network(NORMED, SHAPE, 3), {**tensors, "9.bias": torch.zeros(1)})


def test_members_are_told_one_by_one() -> None:
    assert list_networks(PAIR) == (CONVOLUTIONAL, NORMED)
    assert list_networks(NORMED) == (NORMED,)
