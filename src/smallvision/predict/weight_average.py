"""Several networks made into one by averaging their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from smallvision.augment import build_normalizer
from smallvision.predict.network import build_network
from smallvision.predict.recalibrate_batchnorm import refresh_norms
from smallvision.predict.saved_model import SavedModel
from smallvision.shapes import Images


def average_models(models: Sequence[SavedModel], images: Images) -> SavedModel:
    """One model with the mean of several models' weights; it costs as much as a single one.

    The mean is worth something only where the networks lie in one basin of the loss, as along the
    tail of one run; the mean of networks from other restarts or seeds may know nothing.

    Args:
        models: of one architecture; all but the weights is taken from the first.
        images: uint8 `(N, C, H, W)` training images, at least two. Batch-norm statistics cannot be
            averaged, for they belong to activations that no member has, so these images, as they
            are, give new ones.

    Raises:
        ValueError: the architectures differ.

    Source: Izmailov et al., arXiv 1803.05407, who average along one run at a high learning rate;
        here any networks may be averaged.
    """
    first = models[0]
    if any(model.settings != first.settings for model in models):
        raise ValueError("weights can be averaged only between networks of one architecture")
    machine = first.machine
    network = build_network(first.settings, first.shape, len(first.class_names))
    states = [model.network.state_dict() for model in models]
    network.load_state_dict({name: mean_tensor([s[name] for s in states]) for name in states[0]})
    network = machine.place(network)
    normalize = build_normalizer(first.mean, first.std, machine.device)
    pixels = torch.from_numpy(np.array(images)).to(machine.device)
    refresh_norms(network, pixels, normalize, machine)
    return replace(
        first,
        network=network.eval(),
        temperature=1.0,
        unlike=None,
        sets=None,
        fingerprint="",
        folder=None,
    )


def mean_tensor(tensors: list[Tensor]) -> Tensor:
    """The mean of tensors; counters, which are whole numbers, are those of the first."""
    return torch.stack(tensors).mean(dim=0) if tensors[0].is_floating_point() else tensors[0]
