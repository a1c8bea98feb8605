"""What can be done about a run that diverged or ran out of memory."""

from __future__ import annotations

from pathlib import Path

import torch

from smallvision.compute.machine import Machine
from smallvision.errors import FailedRunError, is_out_of_memory
from smallvision.recipes import Recipe
from smallvision.recipes.micro_batch import MIN_MICRO_BATCH, choose_micro_batch
from smallvision.records.layout import paused_folder, remove_checkpoint
from smallvision.runs.status_file import StatusFile
from smallvision.training import DivergedError

SLOWEST = 1 / 8  # of the planned learning rate; a run that diverges below that has other troubles


def roll_back(folder: Path, file: StatusFile, error: DivergedError) -> list[str]:
    """Halve the learning rate of a run that diverged; it then goes on from its last checkpoint.

    Returns: what is to be said of it; nothing if it was tried often enough.
    """
    slowdown = (file.status.slowdown or 1.0) / 2
    if slowdown < SLOWEST:
        return []
    remove_checkpoint(paused_folder(folder))  # of an epoch that is done again from its start
    note = f"rolled back, and went on at {slowdown:g} of the learning rate: {error}"
    return file.add_notes([note], slowdown=slowdown)


def shrink_micro_batch(
    folder: Path, file: StatusFile, recipe: Recipe, machine: Machine
) -> list[str]:
    """Halve the micro-batch of a run that is out of memory; the batch of a step stays.

    Returns: what is to be said of it; nothing if the micro-batch cannot be smaller.
    """
    planned = choose_micro_batch(recipe, machine) or recipe.batch_size
    before = file.status.micro_batch or planned
    smaller = min(before, recipe.batch_size) // 2
    if smaller < MIN_MICRO_BATCH:
        return []
    if machine.device == "cuda":
        torch.cuda.empty_cache()
    remove_checkpoint(paused_folder(folder))  # whose first steps took other micro-batches
    note = f"memory ran out; batches were then made {smaller} images at a time, not {before}"
    return file.add_notes([note], micro_batch=smaller)


def lacks_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out, of a GPU or of the machine."""
    return isinstance(error, torch.OutOfMemoryError) or is_out_of_memory(error)


def explain_failure(error: Exception, recipe: Recipe) -> Exception:
    """Say in one line what a person can do about it, where that is known."""
    if lacks_memory(error):
        return FailedRunError(
            f"'{recipe.name}' ran out of memory; lower the model's width, or batch_size (it is "
            f"{recipe.batch_size})"
        )
    return error
