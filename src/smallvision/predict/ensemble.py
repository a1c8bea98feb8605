"""Several networks that answer as one."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """The mean of its members' probabilities, as a network: `(N, C, H, W) -> (N, K)`.

    What it returns are logarithms of probabilities, whose softmax is those probabilities, so all
    that takes logits takes an ensemble too. The logarithms are in float32 even where the members
    compute in bf16, which has three digits: too few for the probabilities near one.

    Args:
        members: networks of the same input and classes, at least one.

    Raises:
        ValueError: there is no member.

    Source: Lakshminarayanan et al., arXiv 1612.01474 (networks from several seeds), without their
        adversarial training; Huang et al., arXiv 1704.00109 (snapshots of one run).
    """

    def __init__(self, members: Iterable[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        if not self.members:
            raise ValueError("an ensemble has at least one member")

    def forward(self, x: Tensor) -> Tensor:
        """Logarithm of the mean over members of the softmax of their logits."""
        return pool_logits(torch.stack([member(x).float() for member in self.members]))


def pool_logits(logits: Tensor) -> Tensor:
    """Logarithm of the members' mean probability, from their logits `(M, N, K)` to `(N, K)`."""
    members = logits.log_softmax(dim=2)
    return members.logsumexp(dim=0) - math.log(len(members))


def list_members(network: nn.Module) -> list[nn.Module]:
    """The members of an ensemble's network, or a single network alone."""
    members = getattr(network, "members", None)
    return list(members) if isinstance(members, nn.ModuleList) else [network]
