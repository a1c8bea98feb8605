"""Measurements of speed as tables in the terminal."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.markup import escape

from smallvision.cli.render.table import new_table
from smallvision.format import format_duration, format_short_count


def show_pipeline(record: dict[str, Any], console: Console) -> None:
    """Each augmentation, then the whole input path beside a DataLoader."""
    batch = record["batch_size"]
    table = new_table("augmentation", "images/s", f"ms a batch of {batch}")
    for name, rate in record["augmentations"].items():
        speed = rate["images_per_second"]
        table.add_row(name, f"{speed:,.0f}", f"{batch / speed * 1000:.1f}")
    console.print(table)
    table = new_table("gather, flip, crop, normalise", "images/s")
    for name, rate in record["paths"].items():
        table.add_row(name, f"{rate['images_per_second']:,.0f}")
    console.print(table)
    console.print(f"{record['ratio']:.1f} times the faster DataLoader.")


def show_steps(record: dict[str, Any], console: Console) -> None:
    """Training steps against the machine's peak."""
    peak = record["peak"]["flop_per_second"]
    table = new_table("step of", "batch", "img/s", "GFLOP/s", "of peak", "input")
    table.title = f"fastest convolution: {peak / 1e9:,.0f} GFLOP/s"
    for name, step in record["steps"].items():
        table.add_row(
            escape(name),
            f"{step['batch_size']:,}",
            f"{step['images_per_second']:,.0f}",
            f"{step['flop_per_second'] / 1e9:,.0f}",
            f"{step['peak_share']:.0%}",
            f"{step['input_share']:.1%}" if step["input_share"] is not None else "",
        )
    console.print(table)
    if any(step["peak_share"] > 1 for step in record["steps"].values()):
        console.print(
            "Operations are counted as those of plain convolutions; these were computed with fewer."
        )


def show_targets(record: dict[str, Any], console: Console) -> None:
    """Each run towards a target, and what they come to."""
    table = new_table("seed", f"{record['split']} %", "time", "of it training")
    for run in record["runs"]:
        table.add_row(
            str(run["seed"]),
            f"{run['accuracy'] * 100:.2f}",
            format_duration(run["seconds"]),
            format_duration(run["training_seconds"]),
        )
    console.print(table)
    accuracy, seconds, runs = record["accuracy"], record["seconds"], len(record["runs"])
    console.print(
        f"Mean of {runs} {'run' if runs == 1 else 'runs'}: {accuracy['mean']:.2%}"
        f"{spread(accuracy, 100, ' points')} on {record['n']:,} {record['split']} images, "
        f"{seconds['mean']:.1f} s{spread(seconds, 1, ' s')} from start to figure; "
        f"{record['reached']:.0%} reached {record['target'] * 100:.4g}%."
    )


def spread(summary: dict[str, Any], factor: float, unit: str) -> str:
    """The standard deviation of several values, or nothing for one."""
    return f" (deviation {summary['std'] * factor:.2f}{unit})" if summary["std"] is not None else ""


def show_predictions(record: dict[str, Any], console: Console) -> None:
    """Latency and throughput of each model."""
    table = new_table("model", "ms for one", "images/s", "params")
    for name, model in record["models"].items():
        table.add_row(
            escape(name),
            f"{model['latency_seconds'] * 1000:.1f}",
            f"{model['images_per_second']:,.0f}",
            format_short_count(model["parameters"]),
        )
    console.print(table)
