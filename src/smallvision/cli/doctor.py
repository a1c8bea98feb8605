"""`smallvision doctor`: hardware, versions and data sets of this machine."""

from __future__ import annotations

from smallvision.cli.options import DataDir


def doctor(data_dir: DataDir = None) -> None:
    """Show device, threads, bf16, memory, compiler and data sets of this machine."""
    from smallvision.cli.render.console import open_console
    from smallvision.cli.render.machine import print_machine
    from smallvision.compute.compilation import has_compiler
    from smallvision.compute.environment import describe_environment
    from smallvision.compute.machine import choose_machine
    from smallvision.compute.processor import has_fast_bf16
    from smallvision.compute.threads import choose_threads
    from smallvision.data.loading.places import find_places

    machine = choose_machine()
    print_machine(
        describe_environment(),
        machine,
        limited=choose_threads().reason,
        compiler=has_compiler(machine.device),
        fast_bf16=has_fast_bf16(machine.device),
        found=find_places(data_dir),
        console=open_console(),
    )
