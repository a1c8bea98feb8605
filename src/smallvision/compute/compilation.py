"""`torch.compile`: whether it can be used here, and errors that say what to do."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import Tensor, nn

from smallvision.errors import FailedRunError


def compile_model(model: nn.Module) -> Callable[[Tensor], Tensor]:
    """A compiled model, which computes the logits of a training step."""
    from torch._dynamo import config

    # After eight networks or sizes of images a process would go on without, and not say so.
    config.recompile_limit = config.accumulated_recompile_limit = 2**16
    # The few image sizes of a run are compiled one by one: kernels for any size are slower.
    return torch.compile(model, dynamic=False)


@contextmanager
def explain_failures() -> Iterator[None]:
    """Where compiled steps are taken: each may compile, for a new size or its first gradient.

    Raises:
        FailedRunError: compilation fails; its tools are missing, or its cache holds a file
            that was cut short, which no later attempt would mend.
    """
    from torch._dynamo.exc import TorchDynamoException  # a second, for those who compile

    try:
        yield
    except TorchDynamoException as error:
        raise FailedRunError(explain_compilation(error)) from error


def explain_compilation(error: Exception) -> str:
    """Why a model could not be compiled, and what to do."""
    from torch._inductor.runtime.cache_dir_utils import cache_dir

    cause = getattr(error, "inner_exception", error)  # of the compiler's own, of many lines
    reason = next(iter(str(cause).splitlines()), repr(cause))
    return (
        f"the model could not be compiled ({reason}); remove {cache_dir()}, where a compilation "
        "that was cut short leaves broken files, or train with compile = 'off'"
    )


def has_compiler(device: str) -> bool:
    """Whether `torch.compile` has what it needs: a compiler, and on CUDA Triton and its chip."""
    found = any(shutil.which(name) for name in ("c++", "g++", "clang++"))
    if device == "cuda":
        recent = torch.cuda.get_device_capability() >= (7, 0)
        return found and recent and find_spec("triton") is not None
    return found
