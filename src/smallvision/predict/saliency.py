"""Where in an image a network found its evidence for a class."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.augment import build_normalizer
from smallvision.predict.ensemble import list_members
from smallvision.predict.saved_model import SavedModel
from smallvision.shapes import Floats, Images, Labels

Method: TypeAlias = Literal["Grad-CAM", "input gradient"]

BATCH = 64  # images; activations are kept for the way back
COARSEST = 4  # pixels a side that a feature map needs to say where


def find_saliency(model: SavedModel, images: Images, classes: Labels) -> tuple[Floats, Method]:
    """Show where a model found its evidence for a class in each image.

    Grad-CAM on the last feature map of at least 4 pixels a side, or the last of more than one
    pixel if none is; for a network without feature maps, the magnitude of the gradient of the
    class's logit with respect to the input, the largest over channels. An ensemble's maps are the
    mean of its members' maps. Computed in fp32; the model is left as it was.

    Args:
        model: a saved model.
        images: uint8 `(N, C, H, W)`.
        classes: int64 `(N,)`, the class to explain in each image.

    Returns: float32 `(N, H, W)` in [0, 1], each map scaled to a maximum of 1 (or all 0 where
        nothing speaks for the class), and the name of the method.

    Raises:
        RecordError: the weights are such that a map would not be finite.

    Source: Selvaraju et al., arXiv 1610.02391 (Grad-CAM); Simonyan et al., arXiv 1312.6034 (input
    gradients).
    """
    device = model.machine.device
    normalize = build_normalizer(model.mean, model.std, device)
    maps, methods = [], []
    for network in list_members(model.network):
        with evaluating(network), torch.enable_grad():
            parts = [
                explain_batch(
                    network,
                    normalize(torch.from_numpy(np.array(images[i : i + BATCH])).to(device)),
                    torch.from_numpy(np.array(classes[i : i + BATCH])).to(device),
                )
                for i in range(0, len(images), BATCH)
            ]
        maps.append(torch.cat([heat for heat, _ in parts]))
        methods.append(parts[0][1])
    heat = scale_maps(torch.stack(maps).mean(dim=0))
    model.check_finite(heat)
    method: Method = "input gradient" if "input gradient" in methods else "Grad-CAM"
    return heat.cpu().numpy(), method


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode within, and for each module its own mode again afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def explain_batch(network: nn.Module, inputs: Tensor, classes: Tensor) -> tuple[Tensor, Method]:
    """Heat maps float32 `(N, H, W)` in [0, 1] of normalised images, and how they were made."""
    # The input asks for gradients, so that none of the weights has to.
    inputs = inputs.requires_grad_()
    logits, features = run_listening(network, inputs)
    score = logits.gather(1, classes[:, None]).sum()
    if features is None:
        (gradient,) = torch.autograd.grad(score, inputs)
        return scale_maps(gradient.abs().amax(dim=1)), "input gradient"
    (gradient,) = torch.autograd.grad(score, features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    coarse = F.relu((weights * features).sum(dim=1, keepdim=True)).detach()
    fine = F.interpolate(coarse, inputs.shape[2:], mode="bilinear", align_corners=False)
    return scale_maps(fine[:, 0]), "Grad-CAM"


def run_listening(network: nn.Module, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
    """Logits, and the last feature map that is fine enough to say where, or None."""
    heard: dict[str, Tensor] = {}

    def listen(_module: nn.Module, _inputs: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.ndim == 4:
            H, W = output.shape[2:]
            if min(H, W) >= COARSEST:
                heard["fine"] = output
            elif H * W > 1:
                heard["coarse"] = output

    hooks = [module.register_forward_hook(listen) for module in network.modules()]
    try:
        logits = network(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return logits, heard.get("fine", heard.get("coarse"))


def scale_maps(maps: Tensor) -> Tensor:
    """Scale each map `(N, H, W)` of numbers from 0 up to a maximum of 1; an empty one stays 0."""
    top = maps.amax(dim=(1, 2), keepdim=True)
    return maps / top.clamp_min(torch.finfo(maps.dtype).tiny)
