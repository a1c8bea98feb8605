"""What this machine's processor computes fast, as torch sees it."""

from __future__ import annotations

from functools import cache

import torch


@cache
def has_amx() -> bool:
    """Whether the processor multiplies matrices of bf16 in tiles."""
    return bool(torch.cpu._is_amx_tile_supported())


@cache
def has_avx512() -> bool:
    """Whether torch computes with vectors of 512 bits."""
    return str(torch.backends.cpu.get_cpu_capability()) == "AVX512"


@cache
def has_fast_bf16(device: str) -> bool:
    """Whether bf16 is computed by the hardware of a kind of device, not emulated."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device == "cpu":
        return has_amx() or bool(torch.cpu._is_avx512_bf16_supported())
    return False


@cache
def has_mkl() -> bool:
    """Whether torch multiplies batches of matrices by MKL."""
    return bool(torch.backends.mkl.is_available())  # type: ignore[no-untyped-call]
