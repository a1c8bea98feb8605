"""Files cut short, with flipped bits, missing, swapped, empty, or from a later version."""

from __future__ import annotations

import random
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from smallvision.data.loading.load import as_dataset
from smallvision.data.split import make_split, read_split
from smallvision.errors import UserError
from smallvision.predict import load_model
from smallvision.recipes import Recipe, parse_recipe, read_run_recipe
from smallvision.recipes.builders import build_average, build_model, build_optimizer, build_schedule
from smallvision.records import store
from smallvision.records.files import hash_file
from smallvision.records.layout import list_checkpoints
from smallvision.records.model_folders import read_manifest
from smallvision.records.predictions import read_predictions
from smallvision.records.schema import Environment, LearningRateSchedule, ModelRecord
from smallvision.runs.job import Job
from smallvision.runs.results import Run
from smallvision.runs.train import run_recipe
from smallvision.training import State, restore_newest
from tests.battery.outcome import Outcome
from tests.battery.work import RECIPE, put_first
from tests.support.records import edit_json

PROMISE = (
    "A damaged file is never loaded in silence: it is named in one line, and training falls back "
    "to the newest checkpoint that is whole."
)
# What is nobody's input: written for people and for the record alone.
UNREAD = ("recipe.diff.toml", ".lock")


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Damage one file of a finished run at a time; load everything; compare with the original."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    original = place / "original"
    train(original)
    states = {epoch: restore(original, epoch) for epoch in range(5)}
    whole = {name: read(original) for name, read in READERS.items()}
    files = order_files(original, draw)
    kinds = [truncate, flip] * ((trials - len(STRUCTURAL)) // 2) + list(STRUCTURAL)
    for number, harm in enumerate(kinds):
        folder = place / "damaged"
        shutil.copytree(original, folder)
        path = folder / files[number // 2 % len(files)]  # each is cut and flipped
        with outcome.trial(f"{number} {harm.__name__} {path.relative_to(folder)}"):
            harm(path, draw)
            check(folder, whole, states, f"{harm.__name__} {path.relative_to(folder)}", outcome)
        shutil.rmtree(folder)
    return outcome


def order_files(folder: Path, draw: random.Random) -> list[Path]:
    """The files of a run by chance, but one of each kind first, as checkpoints have many alike."""
    files = sorted(p.relative_to(folder) for p in folder.rglob("*") if p.is_file())
    files = [path for path in files if path.name not in UNREAD]
    draw.shuffle(files)
    return put_first(files, lambda path: re.sub(r"\d+", "N", str(path)))


def parse() -> Recipe:
    """The recipe of the battery, keeping all checkpoints."""
    return parse_recipe({**tomllib.loads(RECIPE), "checkpoints": "all"})


def train(folder: Path) -> None:
    """A small finished run that kept all of its checkpoints."""
    dataset = as_dataset("digits", None)
    run_recipe(parse(), Job(dataset, make_split(dataset.train), folder))


def fresh_state(folder: Path) -> State:
    """A state of the run's kind, as it is before training."""
    recipe = parse()
    model = build_model(recipe, (1, 8, 8), 10)
    average = build_average(recipe, model, build_schedule(recipe, 4))
    return State(model, build_optimizer(recipe, model), average)


def restore(folder: Path, epoch: int) -> dict[str, Tensor]:
    """The bits of the state after an epoch of a whole run; 0 for a fresh one."""
    state = fresh_state(folder)
    if epoch:
        copy = folder.parent / "up to"
        shutil.copytree(folder, copy)
        for later in list_checkpoints(copy):
            if later > epoch:
                shutil.rmtree(copy / "checkpoints" / f"{later:03d}")
        restore_newest(copy, state)
        shutil.rmtree(copy)
    return gather(state)


def gather(state: State) -> dict[str, Tensor]:
    """All tensors of a state, with the numbers beside them."""
    numbers = [state.epoch, state.step, state.best.epoch, state.best.score or 0.0]
    flat = {f"{part}/{k}": t for part, named in state.tensors().items() for k, t in named.items()}
    return {**flat, "numbers": torch.tensor(numbers, dtype=torch.float64)}


def alike(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Whether two states have the same bits."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def read_whole_split(folder: Path) -> dict[str, Any]:
    """Which images are trained on and which validate, and all else that is known of the split."""
    split = vars(read_split(folder))
    return {**split, "train": split["train"].tobytes(), "val": split["val"].tobytes()}


READERS: dict[str, Callable[[Path], Any]] = {
    "model": lambda folder: load_model(folder).network.state_dict(),
    "about": lambda folder: store.read(folder / "model" / "model.json", ModelRecord),
    "status": lambda folder: Run(folder).status,
    "metrics": lambda folder: Run(folder).metrics,
    "recipe": read_run_recipe,
    "split": lambda folder: read_whole_split(folder),
    "schedule": lambda folder: store.read(folder / "schedule.json", LearningRateSchedule),
    "environment": lambda folder: store.read(folder / "environment.json", Environment),
    "predictions": lambda folder: [array.tobytes() for array in read_predictions(folder)],
}


def check(
    folder: Path,
    whole: dict[str, Any],
    states: dict[int, dict[str, Tensor]],
    name: str,
    outcome: Outcome,
) -> None:
    """Whatever can be read of a damaged run is what was written, and training finds a state."""
    for reader, read in READERS.items():
        try:
            found = read(folder)
        except UserError as error:
            outcome.count("refused")
            outcome.expect("\n" not in str(error), f"{name}: {reader} says more than a line")
            continue
        same = alike(found, whole["model"]) if reader == "model" else found == whole[reader]
        outcome.expect(same, f"{name}: {reader} was read, and is another")
    state = fresh_state(folder)
    notes = restore_newest(folder, state)
    found = gather(state)
    epoch = state.epoch
    outcome.expect(alike(found, states[epoch]), f"{name}: checkpoint {epoch} is another")
    # A checkpoint without a manifest is what a kill leaves: unfinished, not damaged.
    unfinished = not (folder / "checkpoints" / "004" / "manifest.json").exists()
    said = bool(notes) or (unfinished and epoch == 3)
    outcome.expect(epoch == 4 or said, f"{name}: fell back to {epoch} without a word")
    outcome.count(f"went on from checkpoint {epoch} of 4")


def truncate(path: Path, draw: random.Random) -> None:
    """Cut a file short, anywhere."""
    content = path.read_bytes()
    path.write_bytes(content[: draw.randrange(len(content))])


def flip(path: Path, draw: random.Random) -> None:
    """Flip one to three bits."""
    content = bytearray(path.read_bytes())
    for _ in range(draw.randint(1, 3)):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(bytes(content))


def find_run(path: Path) -> Path:
    """The run folder of one of its files."""
    return next(parent for parent in path.parents if (parent / "status.json").exists())


def empty(path: Path, _: random.Random) -> None:
    """Leave nothing in a file."""
    path.write_bytes(b"")


def remove(path: Path, _: random.Random) -> None:
    """Remove a file of the newest checkpoint."""
    newest = find_run(path) / "checkpoints" / "004"
    (newest / "state.safetensors").unlink()


def remove_manifest(path: Path, _: random.Random) -> None:
    """Remove the newest checkpoint's manifest."""
    (find_run(path) / "checkpoints" / "004" / "manifest.json").unlink()


def swap(path: Path, _: random.Random) -> None:
    """Give one checkpoint the weights of another."""
    folder = find_run(path) / "checkpoints"
    shutil.copy(folder / "002" / "model.safetensors", folder / "004" / "model.safetensors")


def swap_roles(path: Path, _: random.Random) -> None:
    """Give a checkpoint its average for its weights."""
    folder = find_run(path) / "checkpoints" / "004"
    shutil.copy(folder / "average.safetensors", folder / "model.safetensors")


def age(path: Path, _: random.Random) -> None:
    """Let a record come from a later version."""
    newest = find_run(path) / "checkpoints" / "004"
    edit_json(newest / "state.json", schema=store.VERSION + 1)
    sums = {**read_manifest(newest), "state.json": hash_file(newest / "state.json")}
    edit_json(newest / "manifest.json", files=sums)


def age_status(path: Path, _: random.Random) -> None:
    """Let the status come from a later version."""
    edit_json(find_run(path) / "status.json", schema=99)


def make_folder_of_it(path: Path, _: random.Random) -> None:
    """Put a folder where a file was."""
    path.unlink()
    path.mkdir()


STRUCTURAL = (
    *[empty] * 7,
    *[make_folder_of_it] * 7,
    remove,
    remove_manifest,
    swap,
    swap_roles,
    age,
    age_status,
)
