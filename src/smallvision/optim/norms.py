"""Batch-norm layers and their running statistics."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

BatchNorm = nn.BatchNorm1d | nn.BatchNorm2d


def find_norms(model: nn.Module) -> list[BatchNorm]:
    """The batch-norm layers of a model that keep running statistics."""
    return [
        module
        for module in model.modules()
        if isinstance(module, BatchNorm) and module.track_running_stats
    ]


@contextmanager
def freeze_statistics(model: nn.Module) -> Iterator[None]:
    """Let a model in training mode normalise by the batch without updating running statistics."""
    norms = find_norms(model)
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
