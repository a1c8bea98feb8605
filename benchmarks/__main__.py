"""The command line `python -m benchmarks`, from the root of the repository."""

from __future__ import annotations

import sys

import typer

from benchmarks.check import check
from benchmarks.gpu import race as gpu_race
from benchmarks.gpu import recipes as gpu_recipes
from benchmarks.gpu import speed as gpu_speed
from benchmarks.hits import verdicts
from benchmarks.keep import keep
from benchmarks.keep_pretrained import keep_pretrained
from benchmarks.pages import pages
from benchmarks.report import report
from benchmarks.throughput.convolutions import convolutions
from benchmarks.throughput.decoding import decoding
from benchmarks.throughput.forms import forms
from benchmarks.throughput.large import large
from benchmarks.throughput.pipeline import pipeline
from benchmarks.throughput.predict import predict
from benchmarks.throughput.processes import processes
from benchmarks.throughput.serving import serving
from benchmarks.throughput.step import step
from benchmarks.training.ablations import ablations
from benchmarks.training.accuracy import accuracy
from benchmarks.training.race import race
from benchmarks.training.subsets import subsets
from benchmarks.training.unlike import unlike
from smallvision.errors import UserError

app = typer.Typer(
    help="Measure speed, and keep the records under results/.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for command in (
    step,
    pipeline,
    decoding,
    predict,
    serving,
    forms,
    processes,
    large,
    accuracy,
    race,
    ablations,
    subsets,
    unlike,
    convolutions,
    check,
    report,
    keep,
    verdicts,
    keep_pretrained,
    pages,
):
    app.command()(command)
gpu = typer.Typer(
    help="Measure what benchmarks/gpu/QUEUE.md lists.", no_args_is_help=True, rich_markup_mode=None
)
for entry in (gpu_recipes.recipes, gpu_speed.speed, gpu_race.race):
    gpu.command()(entry)
app.add_typer(gpu, name="gpu")


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
