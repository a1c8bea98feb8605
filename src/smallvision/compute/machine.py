"""What this machine offers, and what a run makes of it."""

from __future__ import annotations

import ctypes
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from smallvision.compute.processor import has_fast_bf16
from smallvision.errors import FailedRunError, SettingError

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_MMAP_MAX = -1, -3, -4  # of glibc's malloc.h

Precision = Literal["bf16", "fp32"]
Forward = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Machine:
    """Where and how a run computes; recorded, because the bits of a result depend on it.

    Attributes:
        device: `cpu`, `cuda` or `mps`.
        precision: `bf16` for matrix products and convolutions with fp32 weights, or `fp32`.
        compiled: whether training steps run through `torch.compile`.
        threads: CPU threads.
    """

    device: str
    precision: Precision
    compiled: bool
    threads: int

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
        if not self.compiled:
            return model
        from torch._dynamo import config

        # After eight networks or sizes of images a process would go on without, and not say so.
        config.recompile_limit = config.accumulated_recompile_limit = 2**16
        # The few image sizes of a run are compiled one by one: kernels for any size are slower.
        return torch.compile(model, dynamic=False)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Where steps are taken: each may compile, for a new size of images or its first gradient.

        Raises:
            FailedRunError: compilation fails; its tools are missing, or its cache holds a file
                that was cut short, which no later attempt would mend.
        """
        if not self.compiled:
            yield
            return
        from torch._dynamo.exc import TorchDynamoException  # a second, for those who compile

        try:
            yield
        except TorchDynamoException as error:
            raise FailedRunError(explain_compilation(error)) from error

    def record(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


def explain_compilation(error: Exception) -> str:
    """Why a model could not be compiled, and what to do."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    cause = getattr(error, "inner_exception", error)  # of the compiler's own, of many lines
    reason = next(iter(str(cause).splitlines()), repr(cause))
    return (
        f"the model could not be compiled ({reason}); remove {cache_dir()}, where a compilation "
        "that was cut short leaves broken files, or train with compile = 'off'"
    )


def find_device(wish: str = "auto") -> str:
    """The device to compute on.

    Raises:
        SettingError: the device asked for is not here.
    """
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if wish == "auto":
        return "cuda" if present["cuda"] else "cpu"
    if not present.get(wish, False):
        here = ", ".join(name for name, found in present.items() if found)
        raise SettingError(f"device '{wish}' is not available; this machine has: {here}")
    return wish


def count_threads() -> int:
    """CPU threads this process may use: its affinity, and its container's quota if there is one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(cores or 1, read_quota()))


def read_quota() -> int:
    """Whole cores that the container grants, or a very large number without a container."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return round(int(quota) / int(period))
    except (OSError, ValueError):  # no such file, or no limit ("max")
        return 2**20


def measure_memory(device: str) -> int:
    """Bytes of memory: of this machine or what its container grants, or what a GPU has left."""
    if device == "cuda":
        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # by torch, to reuse
        return int(torch.cuda.mem_get_info()[0]) + kept
    here = 2**63
    with suppress(AttributeError, ValueError):  # Windows does not tell
        here = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with suppress(OSError, ValueError):  # no such file, or no limit ("max")
        here = min(here, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return here


def keep_freed_memory() -> None:
    """Keep the memory that tensors give back, instead of asking the system for it at every step.

    glibc hands large blocks back at once, and the system clears each page of them anew: a sixth
    of the time of a step in batches of 250, and more in larger ones. Elsewhere this does nothing.
    """
    with suppress(OSError, AttributeError, TypeError):  # Windows wants a library's name
        mallopt = ctypes.CDLL(None).mallopt
        if not mallopt(M_MMAP_THRESHOLD, 2**30):  # before 2.35 glibc took no more than 32 MB
            mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def has_compiler(device: str) -> bool:
    """Whether `torch.compile` has what it needs: a compiler, and on CUDA Triton and its chip."""
    found = any(shutil.which(name) for name in ("c++", "g++", "clang++"))
    if device == "cuda":
        recent = torch.cuda.get_device_capability() >= (7, 0)
        return found and recent and find_spec("triton") is not None
    return found


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
        threads: CPU threads, or None for all that this process may use.

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
