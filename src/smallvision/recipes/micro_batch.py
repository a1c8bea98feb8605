"""How many images of a batch are computed at a time, so that they fit into the cache or memory."""

from __future__ import annotations

from torch import nn

from smallvision.compute.machine import Machine
from smallvision.data.batches import count_parts
from smallvision.optim import find_norms
from smallvision.recipes.settings.recipe import Recipe

MIN_MICRO_BATCH = 8  # images; the statistics of batch norm are too noisy with fewer


def choose_micro_batch(recipe: Recipe, machine: Machine) -> int:
    """The micro-batch: on a CPU the recipe's; on a GPU 0, the whole batch, which is faster."""
    return recipe.micro_batch if machine.device == "cpu" else 0


def scale_norm_momentum(model: nn.Module, batch_size: int, micro_batch: int) -> None:
    """Let the micro-batches of a batch change running statistics as much as the batch would."""
    parts = count_parts(batch_size, micro_batch)
    for norm in find_norms(model):
        if parts > 1 and norm.momentum is not None:
            norm.momentum = 1 - (1 - norm.momentum) ** (1 / parts)
