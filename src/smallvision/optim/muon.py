"""Muon: SGD with momentum whose updates of convolution filters are orthogonalised."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from smallvision.compute.processor import has_fast_bf16

# Coefficients of the quintic polynomial that is iterated: steep at zero, so that small singular
# values grow fast.
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ITERATIONS = 3  # leaves singular values within about 0.5 to 1.5, which is as good as exactly 1


class Muon(torch.optim.SGD):
    """SGD whose updates of filters are orthogonalised; other parameters are updated by SGD.

    The first parameter group holds the filters. Before each update the filters of a layer are
    rescaled to a norm of the square root of their number, so the learning rate is an angle, and
    no weight decay is needed.
    """

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Update the weights.

        Args:
            closure: computes the loss and its gradient.

        Returns: the loss before the update.
        """
        with torch.enable_grad():
            loss = closure()
        group = self.param_groups[0]
        filters: list[Tensor] = [p for p in group["params"] if p.grad is not None]
        if filters:
            self.update_filters(filters, lr=group["lr"], momentum=group["momentum"])
        for p in filters:
            p.grad = None  # SGD skips parameters without a gradient
        super().step()
        return loss

    def update_filters(self, filters: list[Tensor], *, lr: float, momentum: float) -> None:
        """Update filters by their orthogonalised momentum."""
        gradients = [p.grad for p in filters if p.grad is not None]
        for p, gradient in zip(filters, gradients, strict=True):
            if "momentum_buffer" not in self.state[p]:
                self.state[p]["momentum_buffer"] = torch.zeros_like(gradient)
        buffers = [self.state[p]["momentum_buffer"] for p in filters]
        torch._foreach_mul_(buffers, momentum)
        torch._foreach_add_(buffers, gradients)
        torch._foreach_add_(gradients, buffers, alpha=momentum)  # Nesterov
        norms = torch._foreach_norm(filters)
        scales = [len(p) ** 0.5 / norm for p, norm in zip(filters, norms, strict=True)]
        torch._foreach_mul_(filters, scales)
        torch._foreach_add_(filters, orthogonalize(gradients), alpha=-lr)


def orthogonalize(filters: list[Tensor]) -> list[Tensor]:
    """Bring the singular values of each tensor of filters close to 1, by Newton-Schulz iteration.

    Tensors of one shape form one batch of matrices. They are computed in bf16 where it is fast:
    its three digits are enough, and emulated bf16 would take a fifth of a step of `speednet`.

    Args:
        filters: each `(out, in, height, width)`, on one device.

    Returns: as many tensors of the same shapes and types.
    """
    # In channels-last memory this is a view; the order of the columns does not matter.
    matrices = [f.permute(0, 2, 3, 1).reshape(len(f), -1) for f in filters]
    results: dict[int, Tensor] = {}
    dtype = torch.bfloat16 if has_fast_bf16(filters[0].device.type) else torch.float32
    for shape in dict.fromkeys(matrix.shape for matrix in matrices):
        members = [i for i, matrix in enumerate(matrices) if matrix.shape == shape]
        X = torch.stack([matrices[i] for i in members]).to(dtype)
        tall = shape[0] > shape[1]
        X = X.mT if tall else X
        X = X / (X.float().norm(dim=(1, 2), keepdim=True) + 1e-7).to(dtype)
        a, b, c = NEWTON_SCHULZ
        for _ in range(ITERATIONS):
            A = X @ X.mT
            X = torch.baddbmm(X, torch.baddbmm(A, A, A, beta=b, alpha=c), X, beta=a)
        results |= dict(zip(members, X.mT if tall else X, strict=True))
    return [
        results[i].view(len(f), *f.shape[2:], f.shape[1]).permute(0, 3, 1, 2).to(f.dtype)
        for i, f in enumerate(filters)
    ]


def muon(
    model: nn.Module,
    *,
    lr: float = 0.1,
    momentum: float = 0.6,
    matrix_lr: float = 0.02,
    vector_lr: float = 0.1,
    vector_momentum: float = 0.85,
    weight_decay: float = 0.004,
) -> torch.optim.Optimizer:
    """Build Muon for the filters of convolutions and SGD for all other parameters.

    Args:
        model: whose parameters are trained.
        lr: peak learning rate of filters, about the angle of an update in radians.
        momentum: of filters, in [0, 1).
        matrix_lr: peak learning rate of matrices, such as the head.
        vector_lr: peak learning rate of vectors, such as the shifts of norms.
        vector_momentum: of matrices and vectors, in [0, 1).
        weight_decay: share by which an update at the peak learning rate reduces matrices and
            vectors, whatever that rate is.

    Source: Jordan et al., https://kellerjordan.github.io/posts/muon (2024), as in airbench94_muon;
    the rescaling of filters is that of airbench94_muon too.
    """
    trained = [p for p in model.parameters() if p.requires_grad]
    others: list[dict[str, Any]] = [
        {
            "params": [p for p in trained if p.ndim in dimensions],
            "lr": rate,
            "weight_decay": weight_decay / rate,
        }
        for dimensions, rate in (((2, 3), matrix_lr), ((0, 1), vector_lr))
    ]
    filters = {"params": [p for p in trained if p.ndim == 4], "lr": lr, "momentum": momentum}
    return Muon([filters, *others], lr=lr, momentum=vector_momentum, nesterov=True)
