"""Sharpness-aware minimisation: SGD with the gradient at perturbed weights of higher loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from smallvision.optim.groups import group_parameters
from smallvision.optim.norms import freeze_statistics

ETA = 0.01  # added to the size of a weight, so that ASAM perturbs weights of zero too


class Sam(torch.optim.SGD):
    """SGD whose step evaluates the loss twice: at the weights, and at perturbed weights.

    The only state is the momentum of SGD, so a checkpoint of that is complete. The running
    statistics of batch norm are updated in the first evaluation alone, because perturbed weights
    are never used for predictions.

    Args:
        model: whose running statistics are frozen in the second evaluation, and whose biases
            ASAM does not scale.
        groups: of the model's parameters, as `torch.optim.SGD` takes them.
        rho: length of the perturbation, above 0.
        adaptive: scale the perturbation by the size of each weight (ASAM).
        settings: of SGD.
    """

    def __init__(
        self,
        model: nn.Module,
        groups: list[dict[str, Any]],
        *,
        rho: float,
        adaptive: bool,
        **settings: Any,
    ) -> None:
        super().__init__(groups, **settings)
        self.model, self.rho, self.adaptive = model, rho, adaptive
        self.biases = {p for name, p in model.named_parameters() if name.endswith("bias")}

    @torch.no_grad()
    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Update the weights.

        Args:
            closure: computes the loss and its gradient, the same function at every call.

        Returns: the loss before the update, at the weights as they were.
        """
        with torch.enable_grad():
            loss = closure()
        parameters = [p for group in self.param_groups for p in group["params"]]
        parameters = [p for p in parameters if p.grad is not None]
        # Subtracting the perturbation again would not restore the same bits.
        kept = [p.clone() for p in parameters]
        torch._foreach_add_(parameters, self.perturb(parameters))
        try:
            with torch.enable_grad(), freeze_statistics(self.model):
                closure()
        finally:  # the weights are restored too if the closure raises to skip the step
            torch._foreach_copy_(parameters, kept)
        super().step()
        return loss

    def perturb(self, parameters: list[nn.Parameter]) -> list[Tensor]:
        """The change of the weights, of length rho, that raises the loss most.

        With T = 1, or for ASAM T = |w| + 0.01, it is rho T² g / ‖T g‖; a bias has T = 1.
        """
        slopes = [p.grad for p in parameters if p.grad is not None]
        scales = [
            p.abs() + ETA if self.adaptive and p not in self.biases else torch.ones_like(p)
            for p in parameters
        ]
        slopes = list(torch._foreach_mul(slopes, scales))
        length = self.rho / (get_total_norm(slopes) + 1e-12)
        return list(torch._foreach_mul(torch._foreach_mul(slopes, scales), length))


def sam(
    model: nn.Module,
    *,
    lr: float = 0.1,
    momentum: float = 0.9,
    nesterov: bool = True,
    weight_decay: float = 5e-4,
    rho: float = 0.05,
    adaptive: bool = False,
) -> torch.optim.Optimizer:
    """Build SAM, or ASAM, around SGD over a model's parameters.

    Args:
        model: whose parameters are trained.
        lr, momentum, nesterov: as for `sgd`.
        weight_decay: of matrices and filters; norms and biases are not decayed.
        rho: length of the perturbation; ASAM needs about ten times that of SAM.
        adaptive: ASAM instead of SAM.

    Source: Foret et al., arXiv 2010.01412, and Kwon et al., arXiv 2102.11600, with its 0.01
    added to the size of a weight and its biases left unscaled. The weight decay is not part of
    the perturbation. Dropout has the same mask in both evaluations.
    """
    groups = group_parameters(model, weight_decay=weight_decay, decay_norms_and_biases=False)
    return Sam(
        model,
        groups,
        rho=rho,
        adaptive=adaptive,
        lr=lr,
        momentum=momentum,
        nesterov=nesterov and momentum > 0,
    )
