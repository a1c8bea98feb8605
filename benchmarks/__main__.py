"""`python -m benchmarks`: how fast it all is, as records."""

from __future__ import annotations

import json as json_text
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smallvision.cli.options import Data, DataDir, Json, Preset, Settings, spell_command
from smallvision.errors import SettingError, UserError

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    help="Measure speed and write records; `report` draws them.",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)

Out = Annotated[
    Path, typer.Option(help="Folder of the records; each command writes its own file there.")
]
Rounds = Annotated[int, typer.Option(min=1, help="Turns of each; the median counts.")]
BENCHES = Path("bench")


@app.command()
def pipeline(
    data: Data = "cifar10",
    images: Annotated[int, typer.Option(min=1, help="How many to go through.")] = 2_000,
    rounds: Rounds = 5,
    data_dir: DataDir = None,
    out: Out = BENCHES,
    json: Json = False,
) -> None:
    """Images a second of each augmentation and of the input path, beside a plain DataLoader."""
    import numpy as np

    from benchmarks.tables import show_pipeline
    from benchmarks.throughput.pipeline import bench_pipeline
    from smallvision.compute.machine import choose_machine
    from smallvision.data.loading.load import as_dataset
    from smallvision.errors import DataError

    dataset = as_dataset(data, data_dir)
    if dataset.train.shape[0] != 3:
        raise DataError(f"'{dataset.name}' has no colours, which the DataLoader beside it expects")
    console = begin(out, json)
    taken = dataset.train.take(np.arange(min(images, len(dataset.train))))
    record = bench_pipeline(
        taken, choose_machine(), rounds=rounds, command=spell_command(), say=quiet(console)
    )
    show_pipeline(record, console)
    keep(record, out, json, console)


@app.command()
def step(
    recipe: Annotated[
        list[str] | None,
        typer.Argument(metavar="RECIPE", help="Rungs or TOML files.", show_default=False),
    ] = None,
    preset: Preset = "laptop",
    settings: Settings = None,
    compiled: Annotated[
        bool, typer.Option("--compiled", help="Time each compiled as well.")
    ] = False,
    plain: Annotated[
        bool, typer.Option("--plain", help="Time each in a plain loop over a DataLoader as well.")
    ] = False,
    rounds: Rounds = 5,
    out: Out = BENCHES,
    json: Json = False,
) -> None:
    """Training steps on 32x32 images: images a second and the share of the machine's peak."""
    from benchmarks.tables import show_steps
    from benchmarks.throughput.step import SHAPE, bench_step
    from smallvision.recipes import (
        build_ladder,
        cut_to_cifar10,
        find_preset,
        find_rung,
        override,
        read_recipe,
    )
    from smallvision.recipes.builders import build_machine, check_fit

    scale = find_preset(preset)
    ladder = build_ladder(scale, cut_to_cifar10(scale))
    names = recipe or ["vgg10-aug", "wrn-aug", "speednet"]
    wishes = [*(settings or ()), *(["compute.compile=on"] if compiled else ())]
    recipes = {
        Path(name).name.removesuffix(".toml"): override(
            read_recipe(Path(name)) if name.endswith(".toml") else find_rung(ladder, name).recipe,
            wishes,
        )
        for name in names
    }
    if len(recipes) < len(names):
        raise SettingError("two recipes have one name; the record goes by it, so rename a file")
    for one in recipes.values():
        check_fit(one, SHAPE)
    machine, *others = {build_machine(one) for one in recipes.values()}
    if others:
        raise SettingError("recipes that are timed side by side must agree on `compute`")
    console = begin(out, json)
    record = bench_step(
        recipes,
        machine,
        rounds=rounds,
        compiled=machine.compiled,
        plain=plain,
        command=spell_command(),
        say=quiet(console),
    )
    show_steps(record, console)
    keep(record, out, json, console)


@app.command()
def accuracy(
    data: Data = "cifar10",
    target: Annotated[float, typer.Option(help="Accuracy to reach.")] = 0.94,
    seeds: Annotated[int, typer.Option(min=1, help="Runs.")] = 5,
    on: Annotated[
        str,
        typer.Option(help="val, or test: train on all images, open the test set once a run."),
    ] = "val",
    settings: Settings = None,
    runs: Annotated[
        Path | None, typer.Option(help="Where the runs go; by default OUT/runs.")
    ] = None,
    data_dir: DataDir = None,
    out: Out = BENCHES,
    json: Json = False,
) -> None:
    """The time to a target accuracy, from the start of a process to its figure, over seeds."""
    from benchmarks.tables import show_targets
    from benchmarks.training.accuracy import bench_accuracy
    from smallvision.data.loading.load import as_dataset
    from smallvision.recipes import aim, override
    from smallvision.recipes.builders import check_fit

    if on not in ("val", "test"):
        raise SettingError(f"--on is '{on}'; expected val or test")
    # A setting that is misspelt or does not fit is found before hours of training.
    recipe = override(aim(target), settings or ())
    check_fit(recipe, as_dataset(data, data_dir).train.shape)
    console = begin(out, json)
    record = bench_accuracy(
        data,
        target,
        runs or out / "runs" / f"{on}-{target:g}",
        seeds=seeds,
        on_test=on == "test",
        settings=settings or (),
        data_dir=data_dir,
        command=spell_command(),
        say=quiet(console),
    )
    show_targets(record, console)
    keep(record, out, json, console, name=f"accuracy-{on}-{target:g}")


@app.command()
def predict(
    run: Annotated[list[Path], typer.Argument(metavar="RUN", help="Finished run folders.")],
    rounds: Rounds = 5,
    out: Out = BENCHES,
    json: Json = False,
) -> None:
    """Time to classify one image, and images a second."""
    from benchmarks.tables import show_predictions
    from benchmarks.throughput.predict import bench_predict
    from smallvision.compute.machine import choose_machine
    from smallvision.predict import load_model

    machine = choose_machine()
    models = {str(folder): load_model(folder, machine) for folder in run}
    console = begin(out, json)
    record = bench_predict(
        models, machine, rounds=rounds, command=spell_command(), say=quiet(console)
    )
    show_predictions(record, console)
    keep(record, out, json, console)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Of records.")] = BENCHES,
    out: Annotated[Path | None, typer.Option(help="By default FOLDER/report.html.")] = None,
) -> None:
    """Draw all records of a folder as one page."""
    from benchmarks.report import write_benches

    typer.echo(str(write_benches(folder, out)))


def begin(out: Path, json: bool) -> Console:
    """See that records can be written, before minutes of measuring.

    Returns: where people read: the terminal, or stderr where stdout is for programs.
    """
    from rich.console import Console

    from smallvision.records.files import make_folder

    make_folder(out)
    return Console(stderr=json, highlight=False)


def quiet(console: Console) -> Any:
    """Say a line of progress."""
    return lambda line: console.print(line, style="dim", markup=False)


def keep(
    record: dict[str, Any], out: Path, json: bool, console: Console, *, name: str | None = None
) -> None:
    """Write a record and say where."""
    from smallvision.records.files import make_folder, write_json

    path = make_folder(out) / f"{name or record['kind']}.json"
    write_json(path, record)
    console.print(f"Record: {path}", markup=False, soft_wrap=True)
    if json:
        typer.echo(json_text.dumps(record, ensure_ascii=False))


def main() -> None:
    """Run the command line."""
    try:
        app()
    except UserError as error:
        typer.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
