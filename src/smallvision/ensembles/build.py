"""An ensemble: networks of finished runs, chosen on validation, as a run folder of its own."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from smallvision.comparison.verdicts import judge_pair, phrase, read_correct
from smallvision.compute.environment import describe_environment
from smallvision.data.dataset import DataSet
from smallvision.data.split import Split, describe_split
from smallvision.ensembles.candidates import gather_candidates, gather_notes, sum_training
from smallvision.ensembles.member_selection import (
    Choice,
    choose_members,
    describe_choice,
    explain_choice,
    join_members,
)
from smallvision.errors import RecordError, SettingError, nearest
from smallvision.predict import SavedModel, average_models
from smallvision.recipes import read_run_recipe
from smallvision.recipes.builders import build_machine
from smallvision.records.files import hash_file, read_json, write_json, write_text
from smallvision.records.layout import ENSEMBLE, STATUS, is_passing, lock_folder
from smallvision.runs.run_data import Material, check_split, gather_material
from smallvision.runs.train import CLEAN_AT_END, measure_run
from smallvision.shapes import Images
from smallvision.stats import compare_paired, find_correct, rate_accuracy
from smallvision.stats.selection import SELECTIONS

CLEAN_FOR_NORMS = 4_000  # training images that give averaged weights their batch-norm statistics


def build_ensemble(
    runs: Sequence[Path],
    dataset: DataSet,
    split: Split,
    folder: Path,
    *,
    members: int = 3,
    select: str = "greedy",
    name: str = "ensemble",
) -> dict[str, Any]:
    """Average the networks of finished runs, and compare them with the best single one.

    The folder is that of a run: whatever reads a run reads an ensemble. One that a kill left
    unfinished is built anew.

    Args:
        runs: folders of finished runs on this split: one trained in several cycles, each of which
            ends in a snapshot, or several.
        dataset: whose images; the test set stays sealed.
        split: the runs' own.
        folder: new or empty, but for the runs, which may lie inside.
        members: the most networks to average, at least 2; `all` takes all.
        select: `greedy` adds the network that helps most on validation, while one helps; `last`
            takes the last ones, `all` takes all.
        name: of the ensemble in tables and sentences.

    Returns: the content of `status.json`.

    Raises:
        SettingError: an unknown selection, or fewer than two members asked for.
        RecordError: a run is unfinished, damaged or unlike the others, or the folder is in use;
            nothing has then been written.
    """
    if select not in SELECTIONS:
        raise SettingError(f"unknown selection '{select}'{nearest(select, SELECTIONS)}")
    if members < 2:
        raise SettingError(f"members is {members}; an ensemble has at least 2")
    runs = list({run.resolve(): run for run in runs}.values())
    check_place(folder, runs)  # before the lock, which makes the folder
    recipe = read_run_recipe(runs[0])
    machine = build_machine(recipe)
    torch.set_num_threads(machine.threads)
    candidates = gather_candidates(runs, describe_split(dataset, split), machine)
    with lock_folder(folder):
        check_place(folder, runs)  # and after it: now nobody else can write
        status = open_ensemble(folder, runs[0], dataset, split, name)
        material = gather_material(dataset, split, machine)
        choice = choose_members(candidates, material, select, members)
        model = join_members(choice.members, choice.single)
        caveats = explain_choice(select, len(choice.order))
        status |= {
            **sum_training(runs),
            "best_epoch": model.epoch,
            "stopped": f"averaged {len(choice.order)} of {len(candidates)} networks",
            **measure_run(model, material, split, folder, recipe.seed, logits=choice.pooled),
            "machine": machine.record(),
            "caveats": caveats,
            "notes": caveats + gather_notes(runs),
        }
        single = measure_single(choice, material, recipe.seed)
        status["latency_seconds"], single["latency_seconds"] = measure_latencies(
            (model, choice.single.model), material.show_val()
        )
        verdict = judge_pair(read_correct(folder)[1], choice.right, status, single)
        averaged = try_average(choice, material, folder)
        cost = {
            "latency_ratio": status["latency_seconds"] / single["latency_seconds"],
            "size_ratio": status["size_bytes"] / single["size_bytes"],
        }
        record = {"schema": 1, "select": select, **describe_choice(choice, folder)}
        record["single"] |= {
            key: single[key] for key in ("latency_seconds", "size_bytes", "parameters")
        }
        record |= {"averaged_weights": averaged, "against_single": verdict, "cost": cost}
        write_json(folder / ENSEMBLE, record)
        status["status"] = "done"
        write_json(folder / STATUS, status)
    return status


def check_place(folder: Path, runs: Sequence[Path]) -> None:
    """Check that an ensemble may be built in a folder.

    Raises:
        RecordError: it holds anything but an unfinished ensemble and the runs themselves.
    """
    if folder.exists() and not folder.is_dir():
        raise RecordError(f"{folder} is a file; name a folder for the results")
    if (folder / STATUS).exists():
        status = read_json(folder / STATUS)
        if status.get("kind") == "ensemble" and status["status"] == "running":
            return
        raise RecordError(f"{folder} already holds results; name another folder with --out")
    found = [path for path in folder.iterdir() if not is_passing(path)] if folder.exists() else []
    for path in found:
        if not any(run.resolve().is_relative_to(path.resolve()) for run in runs):
            raise RecordError(f"{folder} is not empty; name another folder with --out")


def open_ensemble(
    folder: Path, run: Path, dataset: DataSet, split: Split, name: str
) -> dict[str, Any]:
    """Write all that an ensemble shares with its first run; returns the status so far."""
    status = {
        "schema": 1,
        "name": name,
        "kind": "ensemble",
        "data": dataset.name,
        "mirror_safe": dataset.mirror_safe,
        "status": "running",
        "error": None,
        "recipe_sum": hash_file(run / "recipe.toml"),
    }
    write_json(folder / STATUS, status)  # first, as for a run: what a kill leaves is known for it
    for record in ("recipe.toml", "recipe.diff.toml"):
        write_text(folder / record, (run / record).read_text(encoding="utf-8"))
    check_split(folder, dataset, split)
    write_json(folder / "environment.json", describe_environment())
    return status


def measure_single(choice: Choice, material: Material, seed: int) -> dict[str, Any]:
    """What a `status.json` would say of the best member, as far as a comparison needs it."""
    images, labels = (tensor.cpu().numpy() for tensor in material.sample(CLEAN_AT_END, seed))
    single = choice.single
    train = rate_accuracy(single.model.predict(images), labels)
    return {
        "name": single.name,
        "gap": train["accuracy"] - choice.rates[choice.best]["accuracy"],
        "seconds": single.status["seconds"],
        "search_seconds": single.status.get("search_seconds", 0.0),
        "parameters": single.model.count_parameters(),
        "size_bytes": single.size_bytes,
    }


def measure_latencies(models: Sequence[SavedModel], images: Images) -> list[float]:
    """Seconds to classify one of some images, of each model, measured in turns.

    What else the machine does then slows all alike, and the ratio holds.
    """
    rounds = [[model.measure_latency(images, repeats=15) for model in models] for _ in range(5)]
    return [statistics.median(seconds) for seconds in zip(*rounds, strict=True)]


def try_average(choice: Choice, material: Material, folder: Path) -> dict[str, Any] | None:
    """Average the members' weights and say what that is worth beside the best single member.

    The averaged model is kept in `averaged/` where it is at least as accurate: it costs as much
    as one network.

    Returns: `averaged_weights` of `ensemble.json`; None for one member, and for members of several
        runs, whose weights have nothing in common.
    """
    place = folder / "averaged"
    shutil.rmtree(place, ignore_errors=True)  # of an earlier sitting that a kill ended
    models = [member.model for member in choice.members]
    if len(models) == 1 or len({member.run for member in choice.members}) > 1:
        return None
    clean, _ = material.sample(CLEAN_FOR_NORMS, 0)
    averaged = average_models(models, clean.cpu().numpy())
    images, labels = (tensor.cpu().numpy() for tensor in material.val)
    probabilities = averaged.predict(images)
    comparison = compare_paired(find_correct(probabilities, labels), choice.right)
    sentence = phrase(comparison, "The mean of the weights", choice.single.name, 0.0)
    if comparison.difference >= 0:
        averaged.save(place)
        sentence += " It costs as much as one network and is kept in averaged/."
    elif comparison.verdict == "worse":
        sentence += " The members lie in different minima: what lies between them is not as good."
    return {**rate_accuracy(probabilities, labels), "sentence": sentence}
