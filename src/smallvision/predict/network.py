"""Networks from settings: bounded before they are built, compared with their weights, and filled.

Settings and weights may come from a stranger. So a network is first sketched, as layers without
memory for their weights, and nothing is loaded that does not belong to the sketch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_parameter_registration_hook,
)
from torch.overrides import TorchFunctionMode

from smallvision.errors import SettingError
from smallvision.models import MODELS
from smallvision.predict.ensemble import Ensemble
from smallvision.predict.layers import describe_network
from smallvision.records.schema.settings.networks import EnsembleSettings, NetworkSettings
from smallvision.records.weights import TensorType
from smallvision.shapes import Shape

MOST_TENSORS = 2**13  # parameters and buffers: 98 networks of 16 layers, or one of 1,000
MOST_PARAMETERS = 2**29  # 2 GB in fp32: fourteen WRN-28-10


def build_network(settings: NetworkSettings, shape: Shape, num_classes: int) -> nn.Module:
    """Build a network of the catalogue, or an ensemble of them, with fresh weights.

    Raises:
        SettingError: it is too large.
    """
    sketch_network(settings, shape, num_classes)
    return assemble(settings, shape, num_classes)


def sketch_network(
    settings: NetworkSettings, shape: Shape, num_classes: int, *, tensors: int = MOST_TENSORS
) -> nn.Module:
    """Build a network without memory for its weights, to be asked about them or given them.

    Args:
        settings, shape, num_classes: as for `build_network`.
        tensors: the most parameters and buffers that it may have.

    Raises:
        SettingError: it is too large.
    """
    with torch.device("meta"), WithoutDraws(), bound_tensors(min(tensors, MOST_TENSORS)):
        network = assemble(settings, shape, num_classes)
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if parameters > MOST_PARAMETERS:
        raise SettingError(
            f"a {settings.name} of these settings has {parameters:,} parameters for images of "
            f"{'x'.join(map(str, shape))}; expected at most {MOST_PARAMETERS:,}"
        )
    return network


def count_operations(settings: NetworkSettings, shape: Shape, num_classes: int) -> int:
    """Multiplications that a network takes for one image, which depend on no machine.

    Args:
        settings, shape, num_classes: as for `build_network`.

    Raises:
        SettingError: it is too large.
    """
    network = sketch_network(settings, shape, num_classes).eval()
    return describe_network(network, shape).multiplications


def assemble(settings: NetworkSettings, shape: Shape, num_classes: int) -> nn.Module:
    """Build whatever the settings ask for."""
    if isinstance(settings, EnsembleSettings):
        return Ensemble(assemble(one, shape, num_classes) for one in settings.members)
    return MODELS[settings.name].build(shape, num_classes, **settings.arguments())


class WithoutDraws(TorchFunctionMode):
    """Weights without memory are not drawn: for that torch would import 800 modules in a second."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        """Every function is called but the one that draws from a normal distribution."""
        return args[0] if func is Tensor.normal_ else func(*args, **(kwargs or {}))


@contextmanager
def bound_tensors(most: int) -> Iterator[None]:
    """Stop building a network as soon as it has too many parameters and buffers.

    A network of 60,000 layers takes a gigabyte and minutes even without memory for its weights.

    Raises:
        SettingError: the network has more than `most`.
    """
    count = 0

    def count_tensor(*_: object) -> None:
        nonlocal count
        count += 1
        if count > most:
            raise SettingError(f"a network of these settings has more than {most:,} tensors")

    handles = [
        register(count_tensor)
        for register in (
            register_module_parameter_registration_hook,
            register_module_buffer_registration_hook,
        )
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def check_tensors(network: nn.Module, found: Mapping[str, TensorType]) -> None:
    """Compare the parameters and buffers of a network with what there is for them.

    Raises:
        SettingError: a tensor is missing, unknown, or of another shape or type.
    """
    wanted = {name: describe_tensor(tensor) for name, tensor in network.state_dict().items()}
    for name, type_ in wanted.items():
        if (given := found.get(name)) != type_:
            raise SettingError(f"{name} is {given or 'missing'}; expected {type_}")
    if unknown := found.keys() - wanted.keys():
        raise SettingError(f"{min(unknown)!r:.80} is no part of such a network")


def describe_tensor(tensor: Tensor) -> TensorType:
    """A tensor as the header of a file describes it."""
    return TensorType(str(tensor.dtype), tuple(tensor.shape))


def fill_network(network: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Give a sketched network its parameters and buffers.

    Raises:
        SettingError: one does not belong to it, or holds what is no weight.
    """
    check_tensors(network, {name: describe_tensor(one) for name, one in tensors.items()})
    for name, tensor in tensors.items():
        check_values(name, tensor)
    network.load_state_dict(tensors, assign=True)


def check_values(name: str, tensor: Tensor) -> None:
    """Refuse weights that are not finite, and variances below 0.

    Raises:
        SettingError: the tensor has one.
    """
    if not tensor.is_floating_point():
        return
    low, high = map(float, tensor.aminmax())  # without the memory of a second tensor
    if not (math.isfinite(low) and math.isfinite(high)):
        raise SettingError(f"{name} holds NaN or infinity")
    if name.endswith("running_var") and low < 0:
        raise SettingError(f"{name} holds {low:g}; a variance is at least 0")
