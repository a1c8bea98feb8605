"""What this machine offers, in the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.table import Table

from smallvision.cli.render.console import PlainConsole
from smallvision.errors import DataError
from smallvision.format import format_size
from smallvision.records.schema import ComputeSettings, Environment

NOT_HERE = "not found; set SMALLVISION_DATA or --data-dir, or let the first use download it"


def print_machine(
    environment: Environment,
    compute: ComputeSettings,
    *,
    limited: str,
    compiler: bool,
    fast_bf16: bool,
    found: Mapping[str, Path | DataError | None],
    console: PlainConsole,
) -> None:
    """Print versions, processor, memory and data, one line each.

    Args:
        environment: versions and hardware.
        compute: what training would choose here.
        limited: why there are fewer threads than cores, or nothing.
        compiler: whether `compile = "on"` has what it needs.
        fast_bf16: whether the hardware computes bf16.
        found: where each named data set lies, or what is wrong with it.
        console: where to print.
    """
    processor = (environment.processor, environment.generation, environment.instructions)
    table = Table.grid(padding=(0, 2))
    for name, value in {
        "smallvision": environment.versions["smallvision"] or "not installed",
        "python": environment.python,
        "torch": environment.versions["torch"],
        "processor": ", ".join(filter(None, processor)),
        "threads": f"{compute.threads}{f' ({limited})' if limited else ''}",
        "memory": format_size(environment.memory_bytes) if environment.memory_bytes else "unknown",
        "gpu": environment.gpu or "none",
        "device": f"{compute.device} (chosen)",
        "precision": f"{compute.precision} (chosen; bf16 is "
        f"{'fast' if fast_bf16 else 'not fast'} here)",
        "compiler": "found" if compiler else "none: compile = 'on' needs one",
        **{f"data: {key}": place or NOT_HERE for key, place in found.items()},
    }.items():
        table.add_row(name, str(value))
    console.print(table)
