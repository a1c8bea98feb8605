"""An ensemble in the terminal."""

from __future__ import annotations

from pathlib import Path

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.run import state_validation
from smallvision.cli.render.tables import new_table, print_plain, print_verdict
from smallvision.format import (
    format_accuracy,
    format_fraction,
    format_latency,
    format_signed,
    format_size,
    shorten_paths,
)
from smallvision.records.schema import EnsembleRecord, ValidatedRun


def print_ensemble(
    folder: Path, status: ValidatedRun, record: EnsembleRecord, console: PlainConsole
) -> None:
    """Print the candidates with what each member added, the gain, its cost, and the other way."""
    print_candidates(record, status.val.n, console)
    console.print(
        f"{state_validation(status)}, {format_accuracy(status.train)} on clean training images; "
        f"{status.stopped}."
    )
    print_verdict(console, record.against_single.sentence, record.against_single.verdict)
    console.print(
        f"One image takes {format_latency(status.latency_seconds)}, "
        f"{record.cost.latency_ratio:.1f} times as long as the single network "
        f"({format_latency(record.single.latency_seconds)}); the weights take "
        f"{format_size(status.size_bytes)}, {record.cost.size_ratio:.1f} times as much."
    )
    if record.averaged_weights is not None:
        console.print(record.averaged_weights.sentence)
    print_plain(console, f"Ensemble: {folder}")
    if len(record.members) > 1:
        print_plain(console, f"One network that learns from it: smallvision distill {folder}")


def print_candidates(record: EnsembleRecord, n: int, console: PlainConsole) -> None:
    """Print every candidate, and the ensemble's accuracy once a member is in it."""
    steps = {
        (member.run, member.epoch): step
        for member, step in zip(record.members, record.steps, strict=True)
    }
    table = new_table("candidate", "epoch", "val %", "loss", "chosen", "ensemble %", "gain")
    table.heading = f"{n:,} validation images; the gain of each member in points"
    names = shorten_paths({candidate.run for candidate in record.candidates})
    for candidate in record.candidates:
        row = [
            str(candidate.epoch),
            format_fraction(candidate.accuracy, n),
            f"{candidate.loss:.3f}",
        ]
        step = steps.get((candidate.run, candidate.epoch))
        if step is not None:
            row += [str(step.members), format_fraction(step.accuracy, n)]
            row += [format_signed(step.gain)] if step.members > 1 else []
        table.add_row(styled(names[candidate.run]), *row, style="bold" if step else "")
    console.print(table)
