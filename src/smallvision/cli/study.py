"""`smallvision study`: the whole job, from images to a report."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from smallvision.cli.loading import NOTHING_ASKED, Loading, reads_images
from smallvision.cli.options import (
    BudgetOption,
    CheckpointTo,
    DataOrBegun,
    Json,
    MetricOption,
    PresetOption,
    Resume,
    SettingsOption,
    StartOption,
    keep_copies,
    leave_if_busy,
    read_duration,
    spell_command,
)
from smallvision.cli.output import say_json
from smallvision.errors import RecordError

STUDIES = Path("studies")


@reads_images
def study(
    data: DataOrBegun = None,
    preset: PresetOption = "quick",
    budget: BudgetOption = None,
    loading: Loading = NOTHING_ASKED,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The folder of the study. Default: studies/DATA-BUDGET, such as "
            "studies/digits-quick, with a number where that exists."
        ),
    ] = None,
    settings: SettingsOption = None,
    metric: MetricOption = None,
    same_plan_as: Annotated[
        Path | None,
        typer.Option(
            "--plan",
            metavar="STUDY",
            help="Repeat the plan of this study: its networks, epochs and trials.",
            show_default=False,
        ),
    ] = None,
    max_gap: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            help="The largest gap between training and validation accuracy, a fraction.",
        ),
    ] = 0.10,
    max_parameters: Annotated[
        int | None, typer.Option(min=1, help="The largest parameter count.")
    ] = None,
    max_latency_ms: Annotated[
        float | None,
        typer.Option(min=0, help="The longest time to classify one image, in milliseconds."),
    ] = None,
    rungs: Annotated[
        str | None,
        typer.Option(help="The rungs to train, such as mlp,vgg10-aug,wrn-cutmix. Default: all."),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="The number of runs of each rung except the ensemble, with different seeds.",
        ),
    ] = 1,
    repeat: Annotated[
        str | None, typer.Option(help="The rungs that are repeated with --seeds. Default: all.")
    ] = None,
    folds: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            help="The number of folds in which each rung is cross-validated, or 1 for a single "
            "split. Default: 5 for fewer than 2,000 labelled images, else 1.",
            show_default=False,
        ),
    ] = None,
    refit: Annotated[
        bool | None,
        typer.Option(
            "--refit/--no-refit",
            help="Train the winner again on training and validation images before the test. "
            "Default: only with folds.",
            show_default=False,
        ),
    ] = None,
    prefer: Annotated[
        Literal["cheapest", "best"],
        typer.Option(
            help="The winner: the cheapest rung that cannot be told apart from the most accurate "
            "one, or the most accurate one."
        ),
    ] = "cheapest",
    workers: Annotated[
        str,
        typer.Option(
            metavar="N|slurm",
            help="Train what does not wait for other rungs at once: in N processes, or as jobs of "
            "SLURM.",
        ),
    ] = "1",
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="With --workers slurm, how jobs are submitted, such as slurm_partition=gpu.",
            show_default=False,
        ),
    ] = None,
    start: StartOption = None,
    resume: Resume = False,
    checkpoint_to: CheckpointTo = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Run every step of the study on few images and for two epochs, in a folder of its "
            "own: studies/DATA-BUDGET-dry.",
        ),
    ] = False,
    json: Json = False,
) -> None:
    """Run a study: explore, split, train the ladder of models, test once, write the report."""
    if out is None:
        out = choose_folder(loading.name(data), budget or preset, dry_run=dry_run, resume=resume)
    leave_if_busy(out)

    from smallvision.cli.render.progress import TerminalProgress
    from smallvision.cli.render.study import print_study
    from smallvision.compute.worker_pool import read_workers
    from smallvision.recipes import find_preset
    from smallvision.records.schema import Limits
    from smallvision.study.climb import run_study
    from smallvision.study.plan import StudyPlan

    find_preset(preset)
    plan = StudyPlan(
        preset=preset,
        budget_seconds=None if budget is None else read_duration(budget),
        same_plan_as=same_plan_as,
        settings=tuple(settings or ()),
        metric=metric,
        limits=Limits(
            gap=max_gap,
            parameters=max_parameters,
            latency_seconds=None if max_latency_ms is None else max_latency_ms / 1000,
        ),
        rungs=split_slots(rungs),
        seeds=seeds,
        repeat=split_slots(repeat),
        folds=folds,
        refit=refit,
        prefer=prefer,
        workers=read_workers(workers, slurm or ()),
        start=start,
        dry_run=dry_run,
        command=spell_command(),
    )
    with keep_copies(out, checkpoint_to, resume=resume):
        source = partial(loading.load, data, begun=out if resume else None)
        with TerminalProgress(to_stderr=json) as progress:
            progress.on_message(f"Follow it: smallvision watch {shlex.quote(str(out))}")
            summary = run_study(source, out, plan, resume=resume, callbacks=[progress])
        print_study(out, progress.console)
        if json:
            say_json(summary.model_dump(mode="json"))
        if summary.best is None:
            raise typer.Exit(1)


def split_slots(text: str | None) -> tuple[str, ...]:
    """The slots in `mlp,vgg10`."""
    return tuple(slot.strip() for slot in (text or "").split(",") if slot.strip())


def choose_folder(name: str, budget: str, *, dry_run: bool, resume: bool) -> Path:
    """`studies/DATA-BUDGET`: the newest one to resume, or the next free number.

    Raises:
        RecordError: there is nothing to resume.
    """
    from smallvision.records.layout import STUDY, newest_folder, number_folder

    stem = f"{name}-{budget}" + ("-dry" if dry_run else "")
    if not resume:
        return number_folder(STUDIES, stem)
    newest = newest_folder(STUDIES, stem, STUDY)
    if newest is None:
        raise RecordError(
            f"there is no {STUDIES / stem} to resume; leave out --resume, or name --preset or --out"
        )
    return newest
