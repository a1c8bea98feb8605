"""An ensemble: networks of finished runs, chosen on validation, as a run folder of its own."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from smallvision.comparison.verdicts import (
    ComparedModel,
    describe_comparison,
    describe_run,
    judge_pair,
    read_correct,
)
from smallvision.compute.environment import describe_environment
from smallvision.data.loading.origin import describe_origin
from smallvision.data.split import describe_split
from smallvision.ensembles.candidates import collect_notes, list_candidates, sum_training
from smallvision.ensembles.member_selection import (
    MemberSelection,
    describe_candidates,
    describe_member,
    join_members,
    list_caveats,
    select_members,
)
from smallvision.errors import RecordError, SettingError, nearest
from smallvision.predict import SavedModel, average_models
from smallvision.recipes import read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records import store
from smallvision.records.files import hash_file, read_text, write_text
from smallvision.records.layout import (
    ENSEMBLE,
    ENVIRONMENT,
    FOLDS,
    RECIPE,
    RECIPE_DIFF,
    STATUS,
    read_status,
)
from smallvision.records.locks import is_passing, lock_folder
from smallvision.records.nofollow import exists, list_folder, remove_folder
from smallvision.records.schema import (
    AveragedWeights,
    BestMember,
    CostRatio,
    EnsembleRecord,
    SelectionName,
    UnfinishedRun,
    ValidatedRun,
)
from smallvision.records.schema.settings.networks import MAX_MEMBERS
from smallvision.runs.job import Job
from smallvision.runs.measure import measure_cost, rate_training, save_calibrated
from smallvision.runs.run_data import RunData, check_split, load_run_data
from smallvision.shapes import Images
from smallvision.stats.greedy_selection import SELECTIONS, measure_disagreement, trace_gains
from smallvision.stats.intervals import estimate_gap
from smallvision.stats.paired import compare_paired
from smallvision.stats.rates import find_correct, rate_accuracy

CLEAN_FOR_NORMS = 4_000  # training images that recalibrate batch norm of averaged weights


@dataclass(frozen=True)
class EnsembleOptions:
    """How the members of an ensemble are chosen.

    Attributes:
        members: the most networks to average, from 2 to 256; `all` takes all.
        select: `greedy` adds the network that helps most on validation, while one helps; `last`
            takes the last ones, `all` takes all.
        name: of the ensemble in tables and sentences.
    """

    members: int = 3
    select: SelectionName = "greedy"
    name: str = "ensemble"

    def __post_init__(self) -> None:
        if self.select not in SELECTIONS:
            raise SettingError(
                f"unknown selection '{self.select}'{nearest(self.select, SELECTIONS)}"
            )
        if not 2 <= self.members <= MAX_MEMBERS:
            raise SettingError(
                f"members is {self.members}; an ensemble has at least 2 and at most {MAX_MEMBERS}"
            )


def build_ensemble(
    runs: Sequence[Path], job: Job, options: EnsembleOptions = EnsembleOptions()
) -> ValidatedRun:
    """Average the networks of finished runs, and compare them with the best single one.

    The folder is that of a run: whatever reads a run reads an ensemble. One that a kill left
    unfinished is built anew.

    Args:
        runs: folders of finished runs on this split: one trained in several cycles, each of which
            ends in a snapshot, or several.
        job: on the runs' own data and split; its folder is new or empty, but for the runs, which
            may lie inside.
        options: how the members are chosen.

    Raises:
        RecordError: a run is unfinished, damaged or unlike the others, or the folder is in use;
            nothing has then been written.
        SettingError: the networks are too many, or together too large.
    """
    folder = job.folder
    runs = list({run.resolve(): run for run in runs}.values())
    check_place(folder, runs)  # before the lock, which makes the folder
    recipe = read_run_recipe(runs[0])
    machine = build_machine(recipe)
    torch.set_num_threads(machine.threads)
    candidates = list_candidates(runs, describe_split(job.dataset, job.split), machine)
    if options.select == "all" and len(candidates) > MAX_MEMBERS:
        raise SettingError(
            f"{len(candidates)} networks are too many for an ensemble of all; it has at most "
            f"{MAX_MEMBERS}"
        )
    with lock_folder(folder):
        check_place(folder, runs)  # and after it: now nobody else can write
        begun = open_ensemble(job, runs[0], options.name)
        data = load_run_data(job.dataset, job.split, machine)
        selection = select_members(candidates, data, options.select, options.members)
        saved = save_calibrated(
            join_members(selection.members, selection.single),
            data,
            job.split,
            folder,
            logits=selection.member_logits,
        )
        model, val = saved.model, saved.val
        single = measure_single(selection, data, recipe.seed)
        latency, single_latency = measure_latencies(
            (model, selection.single.model), data.show_val()
        )
        cost, trained = measure_cost(model, data, folder), sum_training(runs)
        caveats = list_caveats(options.select, len(selection.order))
        train = rate_training(model, data, recipe.seed)
        gap, bounds = estimate_gap(train, val)
        status = begun.extend(
            ValidatedRun,
            status="done",
            compute=machine.settings,
            notes=(*caveats, *collect_notes(runs)),
            epochs_planned=trained.epochs_planned,
            epochs_done=trained.epochs_done,
            best_epoch=model.epoch,
            stopped=f"averaged {len(selection.order)} of {len(candidates)} networks",
            seconds=trained.seconds,
            search_seconds=trained.search_seconds,
            parameters=cost.parameters,
            size_bytes=cost.size_bytes,
            latency_seconds=latency,
            train=train,
            val=val,
            calibration=saved.calibration,
            sets=saved.sets,
            gap=gap,
            gap_interval=bounds,
            caveats=caveats,
        )
        single = replace(single, latency_seconds=single_latency)
        store.write(
            folder / ENSEMBLE,
            describe_ensemble(selection, data, job, options.select, status, single),
        )
        store.write(folder / STATUS, status)
    return status


def describe_ensemble(
    selection: MemberSelection,
    data: RunData,
    job: Job,
    select: SelectionName,
    status: ValidatedRun,
    single: ComparedModel,
) -> EnsembleRecord:
    """Compare an ensemble with its best member, and tell how it came about.

    Args:
        selection: its members.
        data, job: of the ensemble.
        select: how the members were chosen.
        status: of the ensemble.
        single: what is known of the best member.
    """
    chosen = selection.probabilities[selection.order]
    size, rate = selection.single.size_bytes, selection.rates[selection.best]
    right = read_correct(job.folder)[1]
    return EnsembleRecord(
        select=select,
        candidates=describe_candidates(selection, job.folder),
        members=tuple(describe_member(selection, m, job.folder) for m in selection.order),
        steps=tuple(trace_gains(chosen, selection.labels)),
        disagreement=tuple(map(tuple, measure_disagreement(chosen).tolist())),
        single=describe_member(selection, selection.best, job.folder).extend(
            BestMember,
            interval=rate.interval,
            n=rate.n,
            latency_seconds=single.latency_seconds,
            size_bytes=size,
            parameters=single.parameters,
        ),
        averaged_weights=try_weight_average(selection, data, job.folder),
        against_single=judge_pair(right, selection.right, describe_run(status), single),
        cost=CostRatio(
            latency_ratio=status.latency_seconds / single.latency_seconds,
            size_ratio=status.size_bytes / size,
        ),
    )


def check_place(folder: Path, runs: Sequence[Path]) -> None:
    """Check that an ensemble may be built in a folder.

    Raises:
        RecordError: it holds anything but an unfinished ensemble and the runs themselves.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the results")
    if exists(folder / STATUS):
        status = read_status(folder)
        if status.kind == "ensemble" and status.status == "running":
            return
        raise RecordError(f"{folder} already holds results; name another folder with --out")
    for name in list_folder(folder):
        path = (folder / name).resolve()
        # The other folds of a study's ensemble may have been trained before, by its workers.
        is_known = is_passing(name) or name == FOLDS
        if not (is_known or any(run.resolve().is_relative_to(path) for run in runs)):
            raise RecordError(f"{folder} is not empty; name another folder with --out")


def open_ensemble(job: Job, run: Path, name: str) -> UnfinishedRun:
    """Write all that an ensemble shares with its first run; returns the status so far."""
    status = UnfinishedRun(
        status="running",
        kind="ensemble",
        name=name,
        data=job.dataset.name,
        origin=describe_origin(job.dataset),
        mirror_safe=job.dataset.mirror_safe,
        recipe_sum=hash_file(run / RECIPE),
    )
    # First, as for a run: what a kill leaves is known for an ensemble.
    store.write(job.folder / STATUS, status)
    for name in (RECIPE, RECIPE_DIFF):
        write_text(job.folder / name, read_text(run / name))
    check_split(job.folder, job.dataset, job.split)
    store.write(job.folder / ENVIRONMENT, describe_environment())
    return status


def measure_single(selection: MemberSelection, data: RunData, seed: int) -> ComparedModel:
    """What a verdict tells of the best member; its latency is that of its own run."""
    single = selection.single
    return ComparedModel(
        name=single.name,
        train=rate_training(single.model, data, seed),
        epochs=single.model.epoch,
        seconds=single.status.seconds + single.status.search_seconds,
        parameters=single.model.count_parameters(),
        latency_seconds=single.status.latency_seconds,
    )


def measure_latencies(models: Sequence[SavedModel], images: Images) -> list[float]:
    """Seconds to classify one of some images, of each model, measured in turns.

    What else the machine does then slows all alike, and the ratio holds.
    """
    rounds = [[model.measure_latency(images, repeats=15) for model in models] for _ in range(5)]
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


def try_weight_average(
    selection: MemberSelection, data: RunData, folder: Path
) -> AveragedWeights | None:
    """Average the members' weights and say what that is worth beside the best single member.

    The averaged model is kept in `averaged/` where it is at least as accurate: it costs as much
    as one network.

    Returns: None for one member, and for members of several runs, whose weights have nothing in
        common.
    """
    place = folder / "averaged"
    remove_folder(place)  # of an earlier session that a kill ended
    models = [member.model for member in selection.members]
    if len(models) == 1 or len({member.run for member in selection.members}) > 1:
        return None
    clean, _ = data.sample(CLEAN_FOR_NORMS, 0)
    averaged = average_models(models, clean.cpu().numpy())
    images, labels = data.list_val()
    probabilities = averaged.predict(images)
    comparison = compare_paired(find_correct(probabilities, labels), selection.right)
    sentence = describe_comparison(comparison, "The mean of the weights", selection.single.name)
    if comparison.difference >= 0:
        averaged.save(place)
        sentence += " It costs as much as one network and is kept in averaged/."
    elif comparison.verdict == "worse":
        sentence += " The members lie in different minima: what lies between them is not as good."
    return rate_accuracy(probabilities, labels).extend(AveragedWeights, sentence=sentence)
