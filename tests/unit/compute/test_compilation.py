"""What `torch.compile` is asked to do."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor, nn

from tests.support.models import FP32


class Shallow(nn.Module):
    """A network of ours is a class; torch counts by its method."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.head = nn.Linear(4, width)

    def forward(self, x: Tensor) -> Tensor:
        """From `(N, 4)` to `(N, width)`."""
        out: Tensor = self.head(x)
        return out


def test_many_networks_in_one_process_are_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a search; torch would go on without compiling after eight, and not say so."""
    compiled = []

    def count(graph: torch.fx.GraphModule, _examples: object) -> torch.fx.GraphModule:
        compiled.append(graph)
        return graph

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=count))
    machine = FP32.change(compiled=True)
    for width in range(10):
        machine.compile_model(Shallow(width + 1))(torch.zeros(2, 4))
    assert len(compiled) == 10
