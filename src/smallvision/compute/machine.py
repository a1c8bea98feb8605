"""Device, precision, compilation and threads: what is wished for, and what a run makes of it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from torch import Tensor, nn

from smallvision.compute.compilation import compile_model, explain_failures, has_compiler
from smallvision.compute.memory import keep_freed_memory
from smallvision.compute.processor import has_fast_bf16
from smallvision.compute.threads import count_threads
from smallvision.errors import SettingError
from smallvision.records.schema import ComputeSettings, Device

Precision = Literal["bf16", "fp32"]
Forward = Callable[[Tensor], Tensor]


class Machine(ComputeSettings):
    """Where and how a run computes."""

    @property
    def settings(self) -> ComputeSettings:
        """The same as its record."""
        return self.extend(ComputeSettings)

    def set_up(self) -> None:
        """Tell the libraries how training computes here, for the rest of the process."""
        torch.set_num_threads(self.threads)
        # Sizes repeat, so a search for the fastest kernels pays; it may find others next time.
        torch.backends.cudnn.benchmark = self.device == "cuda"
        keep_freed_memory()

    def autocast(self) -> AbstractContextManager[None]:
        """The context in which forward passes run."""
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=self.precision == "bf16")

    def place(self, model: nn.Module) -> nn.Module:
        """Move a model here, its filters in channels-last memory, which convolutions want."""
        model.to(self.device)
        for parameter in model.parameters():
            if parameter.ndim == 4:
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return model

    def compile_model(self, model: nn.Module) -> Forward:
        """What computes a training step's logits: the model itself, or compiled if asked for."""
        return compile_model(model) if self.compiled else model

    def compiling(self) -> AbstractContextManager[None]:
        """The context in which training steps are taken.

        Raises:
            FailedRunError: compilation fails.
        """
        return explain_failures() if self.compiled else nullcontext()


def find_device(wish: str = "auto") -> Device:
    """The device to compute on.

    Raises:
        SettingError: the device asked for is not here.
    """
    present: dict[Device, bool] = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        return "cuda" if present["cuda"] else "cpu"
    here = [name for name, found in present.items() if found]
    for name in here:
        if name == wish:
            return name
    raise SettingError(f"device '{wish}' is not available; this machine has: {', '.join(here)}")


def choose_machine(
    *,
    device: str = "auto",
    precision: str = "auto",
    compile: str = "auto",  # noqa: A002 - torch's own word
    threads: int | None = None,
) -> Machine:
    """Turn wishes into a decision.

    Args:
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto`, `bf16` or `fp32`.
        compile: `auto`, `on` or `off`; `auto` does not compile. On 2 CPU cores, in batches of 128,
            compiled steps ran at 0.92 to 1.08 of eager speed (VGG10, WRN-10-2, WRN-16-2), which
            does not repay 15 to 25 seconds of compilation; on CUDA it has not been measured yet.
        threads: CPU threads, or None for as many as pay here (`compute.threads`).

    Raises:
        SettingError: the machine lacks what was asked for.
    """
    place = find_device(device)
    chosen: Precision = "fp32"
    if precision == "bf16" or (precision == "auto" and has_fast_bf16(place)):
        chosen = "bf16"
    if compile == "on" and not has_compiler(place):
        raise SettingError(
            "compile is 'on' but no C++ compiler was found, or on CUDA no Triton or too old a "
            "chip; use 'off'"
        )
    return Machine(
        device=place,
        precision=chosen,
        compiled=compile == "on",
        threads=threads or count_threads(),
    )
