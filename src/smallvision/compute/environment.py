"""What a result was obtained with: versions, processor, memory, git commit."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from smallvision.compute.processor import has_amx
from smallvision.records.schema import Environment, GitState

PACKAGES = ("smallvision", "torch", "numpy", "scipy", "scikit-learn", "pillow", "safetensors")


def describe_environment() -> Environment:
    """The content of `environment.json`."""
    said = read_processor()
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        processor=name_processor(said),
        generation=name_generation(said),
        instructions=name_instructions(),
        memory_bytes=count_memory(),
        gpu=torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        versions={name: find_version(name) for name in PACKAGES},
        git=describe_git(),
    )


def find_version(package: str) -> str | None:
    """The installed version of a package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def name_processor(said: dict[str, str]) -> str:
    """The processor's name as the system gives it."""
    return said.get("model name") or platform.processor() or platform.machine()


def name_generation(said: dict[str, str]) -> str | None:
    """Which processor of that name, for cloud machines cut it short; None if nobody says."""
    family, model = said.get("cpu family"), said.get("model")
    return f"family {family}, model {model}" if family and model else None


def read_processor() -> dict[str, str]:
    """What Linux says of the first processor; elsewhere, nothing."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def name_instructions() -> str:
    """The widest instructions that torch finds here: cloud machines hide their processor's name."""
    amx = ", AMX" if has_amx() else ""
    return torch.backends.cpu.get_cpu_capability() + amx


def count_memory() -> int | None:
    """Physical memory in bytes, or None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def describe_git() -> GitState | None:
    """Commit of the source tree and whether it was changed since; None for an installed package."""
    here = Path(__file__).parent
    try:
        # Asking about this very file keeps a wheel, installed inside somebody's repository,
        # from recording that repository's commit.
        ask = ["git", "-C", str(here)]
        subprocess.run(
            [*ask, "ls-files", "--error-unmatch", __file__], capture_output=True, check=True
        )
        commit = subprocess.run(
            [*ask, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        status = subprocess.run(
            [*ask, "status", "--porcelain", "."], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return GitState(commit=commit.stdout.strip(), changed=bool(status.stdout.strip()))
