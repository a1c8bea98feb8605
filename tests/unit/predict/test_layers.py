"""The layers of a network, against torch's own count and the network itself."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from smallvision.predict import SavedModel, build_network
from smallvision.predict.layers import describe_network
from smallvision.predict.network import count_operations
from smallvision.records.schema import LayerRecord, NetworkPart, NetworkRecord
from smallvision.records.schema.settings.networks import (
    EnsembleSettings,
    LinearClassifierSettings,
    MlpSettings,
    NetworkSettings,
    SpeedNetSettings,
    Vgg10Settings,
    WideResNetSettings,
)
from tests.support.models import make_model

TINY = WideResNetSettings(depth=10, width=1)
NETWORKS = (
    LinearClassifierSettings(),
    MlpSettings(hidden=(8, 4), dropout=0.5),
    Vgg10Settings(width=4, se_ratio=2),
    WideResNetSettings(depth=10, width=1, se_ratio=4),
    SpeedNetSettings(widths=(4, 8), extra_convs=1),
    SpeedNetSettings(widths=(4, 8), depth=3),
    EnsembleSettings(members=(TINY, MlpSettings(hidden=(4,)), TINY)),
)


def make_sized(settings: NetworkSettings, shape: tuple[int, int, int]) -> SavedModel:
    network = build_network(settings, shape, 3).eval()
    return replace(make_model(0, settings), network=network, shape=shape)


@pytest.mark.parametrize("settings", NETWORKS, ids=lambda one: one.name)
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 17, 17), (3, 64, 50)])
def test_layers_add_up_to_what_torch_counts(
    settings: NetworkSettings, shape: tuple[int, int, int]
) -> None:
    model = make_sized(settings, shape)
    found = describe_network(model.network, model.shape)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.network(torch.zeros(1, *shape))
    assert found.multiplications == counter.get_total_flops() // 2
    assert count_operations(settings, shape, 3) == found.multiplications
    assert found.parameters == model.count_parameters()
    names = {name.rpartition(".")[0] for name, _ in model.network.named_parameters()}
    if not isinstance(settings, EnsembleSettings):
        assert {layer.name for layer in found.parts[0].layers} == names


def test_layers_say_what_they_make_of_an_image() -> None:
    [part] = describe_network(make_sized(TINY, (3, 32, 32)).network, (3, 32, 32)).parts
    layers = {layer.name: (layer.kind, layer.output) for layer in part.layers}
    assert layers["stem"] == ("3x3 convolution", (16, 32, 32))
    assert layers["blocks.1.shortcut"] == ("1x1 convolution", (32, 16, 16))
    assert layers["norm"] == ("batch norm", (64, 8, 8))
    assert layers["head"] == ("linear", (3,))
    assert next(iter(layers)) == "stem"
    assert list(layers)[-1] == "head"


def test_members_that_are_alike_stand_once() -> None:
    model = make_sized(NETWORKS[-1], (1, 8, 8))
    found = describe_network(model.network, model.shape)
    assert [part.count for part in found.parts] == [2, 1]


def test_the_network_stays_as_it_was() -> None:
    model = make_model(0, TINY)
    before = {name: value.clone() for name, value in model.network.state_dict().items()}
    describe_network(model.network, model.shape)
    assert all(torch.equal(before[name], one) for name, one in model.network.state_dict().items())
    assert not any(module._forward_hooks for module in model.network.modules())


@pytest.mark.parametrize("wrong", [{"parameters": 7}, {"multiplications": 9}])
def test_layers_that_do_not_add_up_are_refused(wrong: dict[str, Any]) -> None:
    layer = LayerRecord(name="0", kind="linear", output=(2,), parameters=3, multiplications=4)
    part = NetworkPart(count=2, layers=(layer,))
    NetworkRecord(parts=(part,), parameters=6, multiplications=8)
    with pytest.raises(ValueError, match="add up"):
        NetworkRecord(parts=(part,), **{"parameters": 6, "multiplications": 8, **wrong})
