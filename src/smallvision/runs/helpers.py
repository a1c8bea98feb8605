"""Training with several processes: the leader tells what it trains, the others make gradients.

The leader does everything that a single process does, and alone decides, measures and records. The
others load the same data, build the same network, and make parts of each batch's gradient.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from smallvision.compute.environment import find_version
from smallvision.compute.machine import Machine
from smallvision.compute.ranks import Ranks, join_ranks
from smallvision.data.batches import Batch, count_parts
from smallvision.data.dataset import DataSet
from smallvision.data.placement import place_images
from smallvision.data.split import Split, find_val
from smallvision.errors import FailedRunError, SettingError, UserError
from smallvision.recipes import Recipe, parse_recipe
from smallvision.recipes.builders import build_model
from smallvision.recipes.micro_batch import scale_norm_momentum
from smallvision.runs.run_data import RunData, build_batches
from smallvision.training.gradients import PartMaker, SharedGradients, flatten, unflatten

LEARN, END = "learn", "end"


@contextmanager
def with_helpers(load: Callable[[], DataSet]) -> Iterator[Ranks | None]:
    """Lead the processes that `torchrun` started; None where this one is alone.

    The others help while this lasts on the leader, and then leave.

    Args:
        load: loads the data, which each process does.

    Raises:
        SettingError: the processes cannot be joined.
        SystemExit: in the others, once they are done.
    """
    with join_ranks() as ranks:
        if ranks is not None and not ranks.leads:
            help_train(ranks, load)
            raise SystemExit(0)
        try:
            yield ranks
        finally:
            if ranks is not None:
                ranks.send_json({"kind": END})
                ranks.part()


@dataclass(frozen=True)
class Lesson:
    """What the leader is about to train.

    Attributes:
        recipe: of the run.
        split: of its images.
        with_val: whether the validation images are among those it trains on.
        machine: how it computes.
        batch_size, micro_batch: images of a batch, and of its parts.
        mean, std: of the training images.
    """

    recipe: Recipe
    split: Split
    with_val: bool
    machine: Machine
    batch_size: int
    micro_batch: int
    mean: list[float]
    std: list[float]


def begin_lesson(ranks: Ranks, lesson: Lesson, model: nn.Module) -> None:
    """Tell the helpers what is about to be trained, and hear whether they can; by the leader.

    Raises:
        SettingError: batches have too few parts, or a helper has other data or another version.
    """
    parts = count_parts(lesson.batch_size, lesson.micro_batch)
    if parts < ranks.size:
        raise SettingError(
            f"a batch of {lesson.batch_size} images is made in {parts} "
            f"{'part' if parts == 1 else 'parts'}, too few for {ranks.size} processes; set "
            f"micro_batch to at most {lesson.batch_size // ranks.size}"
        )
    if lesson.recipe.teacher.model:
        raise SettingError("distillation takes a single process; start it without torchrun")
    split = lesson.split
    ranks.send_json(
        {
            "kind": LEARN,
            "version": [find_version("smallvision"), torch.__version__],
            "recipe": lesson.recipe.plain(),
            "fingerprint": split.data_fingerprint,
            "declared_val": split.declared_val,
            "with_val": lesson.with_val,
            "sizes": [len(split.train), len(split.val)],
            "machine": lesson.machine.settings.model_dump(mode="json"),
            "batch_size": lesson.batch_size,
            "micro_batch": lesson.micro_batch,
            "mean": lesson.mean,
            "std": lesson.std,
            "trained": [one.requires_grad for one in model.parameters()],
            "floats": sum(one.numel() for one in list_floats(model)),
        }
    )
    for indices in (split.train, split.val):
        ranks.send(torch.from_numpy(indices))
    ranks.send(flatten(list_floats(model)).cpu())
    problems = [f"process {k}: {text}" for k, text in enumerate(ranks.tell_leader("")) if text]
    ranks.send(torch.tensor([len(problems)]))
    if problems:
        raise SettingError(problems[0])


def help_train(ranks: Ranks, load: Callable[[], DataSet]) -> None:
    """Make parts of the leader's gradients until it is done; by the others.

    Raises:
        FailedRunError: the leader has gone away.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the leader decides when training ends
    dataset: DataSet | None = None
    problem = ""
    try:
        dataset = load()
    except UserError as error:
        problem = str(error)
    try:
        while (told := ranks.send_json())["kind"] == LEARN:
            help_lesson(ranks, told, dataset, problem)
        ranks.part()
    except RuntimeError as error:
        reason = str(error).partition("\n")[0]
        raise FailedRunError(f"the leading process has gone away ({reason:.200})") from error


def help_lesson(ranks: Ranks, told: Any, dataset: DataSet | None, problem: str) -> None:
    """Help with one training."""
    train, val = (ranks.send(torch.empty(size, dtype=torch.int64)) for size in told["sizes"])
    recipe, machine = parse_recipe(told["recipe"]), Machine(**told["machine"])
    machine.set_up()
    if machine.device == "cuda":
        torch.cuda.set_device(ranks.local)
    problem = problem or compare(told, dataset)
    if problem or dataset is None:
        # The weights come all the same.
        ranks.send(torch.empty(told["floats"]))
        ranks.tell_leader(problem)
        ranks.send(torch.zeros(1, dtype=torch.int64))
        return
    split = Split(
        train.numpy(), val.numpy(), 0, 0.0, None, 0, told["fingerprint"], told["declared_val"]
    )
    model = machine.place(build_model(recipe, dataset.train.shape, dataset.train.num_classes))
    for one, is_trained in zip(model.parameters(), told["trained"], strict=True):
        one.requires_grad_(is_trained)
    scale_norm_momentum(model, told["batch_size"], told["micro_batch"])
    floats = list_floats(model)
    sent = ranks.send(torch.empty_like(flatten(floats), device="cpu"))
    with torch.no_grad():
        for tensor, value in zip(floats, unflatten(sent, floats), strict=True):
            tensor.copy_(value)
    ranks.tell_leader("")
    (problems,) = ranks.send(torch.zeros(1, dtype=torch.int64)).tolist()
    if problems:  # of others
        return
    parts = [(dataset.train, split.train)]
    if told["with_val"]:
        parts.append((find_val(dataset, split), split.val))
    images = place_images(parts, machine.device)
    data = RunData(images, images, told["mean"], told["std"])
    batches = build_batches(recipe, dataset, data, machine, told["batch_size"], told["micro_batch"])

    def make_batch(picks: Tensor, epoch: int, step: int) -> Batch:
        return Batch(batches, picks, epoch, step)

    model.train()
    maker = PartMaker(model, machine.compile_model(model), machine)
    SharedGradients(maker, ranks).help(make_batch, machine)


def compare(told: Any, dataset: DataSet | None) -> str:
    """What differs between this process and the leader; empty if nothing does."""
    here = [find_version("smallvision"), torch.__version__]
    if told["version"] != here:
        versions = " and ".join(f"torch {t}, smallvision {s}" for s, t in (here, told["version"]))
        return f"it has another version than the leading process: {versions}"
    if dataset is not None and dataset.train.fingerprint != told["fingerprint"]:
        return f"its '{dataset.name}' holds other images than that of the leading process"
    return ""


def list_floats(model: nn.Module) -> list[Tensor]:
    """The weights and buffers of a network that are no whole numbers."""
    return [one for one in model.state_dict().values() if one.is_floating_point()]
