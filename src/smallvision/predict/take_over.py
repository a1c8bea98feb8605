"""The weights of one network as the beginning of another."""

from __future__ import annotations

from torch import nn

from smallvision.errors import SettingError
from smallvision.predict.network import describe_tensor, sketch_network
from smallvision.predict.saved_model import SavedModel
from smallvision.records.schema.settings.networks import NetworkSettings
from smallvision.shapes import MIN_CLASSES, Shape


def find_head(settings: NetworkSettings, shape: Shape) -> frozenset[str]:
    """The names of the tensors whose shape depends on the number of classes."""
    fewer, more = (
        {name: one.shape for name, one in sketch_network(settings, shape, K).state_dict().items()}
        for K in (MIN_CLASSES, MIN_CLASSES + 1)
    )
    return frozenset(name for name in fewer if fewer[name] != more[name])


def check_start(start: SavedModel, settings: NetworkSettings, shape: Shape) -> None:
    """Refuse a network and images that the weights of another network do not fit.

    Args:
        start: whose weights are to be taken over.
        settings: of the network that is to have them.
        shape: `(C, H, W)` of its images.

    Raises:
        SettingError: a tensor besides the head's has another shape, or there is none.
    """
    own, given = (
        sketch_network(settings, shape, MIN_CLASSES).state_dict(),
        start.network.state_dict(),
    )
    body = own.keys() - find_head(settings, shape)
    if not body:
        raise SettingError(f"a {settings.name} has no layer besides its head to be taken over")
    for name in [name for name in own if name in body]:  # the first layer first
        found = describe_tensor(given[name]) if name in given else "missing"
        if found != (expected := describe_tensor(own[name])):
            theirs, ours = ("x".join(map(str, one)) for one in (start.shape, shape))
            raise SettingError(
                f"the weights of a {start.settings.name} for images of {theirs} do not fit this "
                f"{settings.name} for images of {ours}: {name} is {found}; expected {expected}"
            )


def take_over(
    model: nn.Module, start: SavedModel, settings: NetworkSettings, shape: Shape
) -> list[nn.Parameter]:
    """Give a fresh network all weights and statistics of another one but those of its head.

    What was measured on the images of the start, such as the whitening of a speednet, is taken over
    too: the filters after it were trained on its outputs, which have another order and other signs
    where they are measured anew.

    Args:
        model: just built; its head stays as it is.
        start: with the weights.
        settings, shape: of the fresh network.

    Returns: the parameters that were taken over.

    Raises:
        SettingError: as for `check_start`.

    Source: Yosinski et al., arXiv 1411.1792.
    """
    check_start(start, settings, shape)
    own, given = model.state_dict(), start.network.state_dict()
    head = find_head(settings, shape)
    model.load_state_dict({name: own[name] if name in head else given[name] for name in own})
    return [parameter for name, parameter in model.named_parameters() if name not in head]
