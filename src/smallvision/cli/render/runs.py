"""All runs below a folder in the terminal, best first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table
from smallvision.format import format_duration, format_fraction, format_span
from smallvision.records.layout import FOLDS, MEMBERS, SEEDS, is_of_search, parent_run, tell_state
from smallvision.records.schema import FinishedRun, Rate, RunStatus, UnfinishedRun, ValidatedRun


def print_runs(
    root: Path, found: Sequence[tuple[Path, RunStatus | None]], console: PlainConsole
) -> None:
    """Print every run with its figures, best first, unfinished ones last.

    Repeats, folds, refits and members stand below their run, and the runs of a search are left out,
    so that neither a lucky seed nor the best of many trials leads the list.

    Args:
        root: where was looked.
        found: folders of runs with their status, None where it is damaged.
        console: where to print.
    """
    runs = {run: status for run, status in found if not is_of_search(run)}
    if not found:
        console.print(f"no runs below {root}; `smallvision train` makes one")
        return
    table = new_table("run", "status", "val %", "95 % interval", "train %", "epoch", "time")
    lines = {run: trace_line(run, runs) for run in runs}

    def rank(run: Path) -> tuple[float, str]:
        outermost = lines[run][0]
        val = own_validation(runs[outermost])
        return -(val.accuracy if val else -1.0), str(outermost)

    for run in sorted(runs, key=rank):
        depth = len(lines[run]) - 1
        place = f"{'  ' * depth}{name_part(run)}" if depth else str(run.relative_to(root))
        table.add_row(styled(place), *describe_status(run, runs[run]))
    if runs:
        console.print(table)
    if left_out := len(found) - len(runs):
        console.print(
            f"{left_out} {'run' if left_out == 1 else 'runs'} of searches left out: the best of "
            "many trials is flattered by luck; tune.json lists them.",
            style="dim",
        )


def describe_status(run: Path, status: RunStatus | None) -> list[str]:
    """The cells of a run after its name."""
    if isinstance(status, UnfinishedRun):
        state = tell_state(run, status)
        return ["ended early" if state == "pruned" else state]
    if not isinstance(status, FinishedRun):
        return ["damaged"]
    val, train = own_validation(status), status.train
    return [
        "done",
        format_fraction(val.accuracy, val.n) if val else "",
        format_span(val.interval, val.n) if val else "",
        format_fraction(train.accuracy, train.n),
        str(status.best_epoch),
        format_duration(status.seconds),
    ]


def own_validation(status: RunStatus | None) -> Rate | None:
    """The validation figures of a run; None of a refit, which has seen the validation images."""
    return status.val if isinstance(status, ValidatedRun) and status.kind != "refit" else None


def trace_line(run: Path, runs: Collection[Path]) -> tuple[Path, ...]:
    """A run and those it is a part of, the outermost first, as far as they are listed."""
    parent = parent_run(run)
    return (run,) if parent is None or parent not in runs else (*trace_line(parent, runs), run)


def name_part(run: Path) -> str:
    """What a part of a run is: `seed 3`, `fold 2`, `refit`, `member snapshots`."""
    kind = {SEEDS: "seed ", FOLDS: "fold ", MEMBERS: "member "}.get(run.parent.name, "")
    return f"{kind}{run.name}"
