"""The gradient of a batch: made in parts, here or by other processes too, with the same bits.

Each part draws its own dropout and leaves a trace of its own for the running statistics of batch
norm, so it does not matter who makes it. Gradients are added up, and traces followed, in the order
of the parts, as one process does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from smallvision.compute.machine import Forward, Machine
from smallvision.compute.ranks import Ranks
from smallvision.data.batches import Batch
from smallvision.optim import find_norms
from smallvision.randomness import derive_seed

# The gradient of a batch with a seed for dropout, left in the parameters; gives the mean loss.
Gradients = Callable[[Batch, int], Tensor]
Norm: TypeAlias = nn.BatchNorm1d | nn.BatchNorm2d


class PartMaker:
    """Makes the loss and the gradient of a part of a batch.

    Args:
        model: whose parameters get the gradient.
        forward: computes its logits.
        machine: how to compute.
    """

    def __init__(self, model: nn.Module, forward: Forward, machine: Machine) -> None:
        self.model, self.forward, self.machine = model, forward, machine

    def make(self, batch: Batch, part: int, dropout_seed: int) -> Tensor:
        """Add the gradient of a part to that of the parameters; returns its share of the loss."""
        # Dropout draws from the global generator, which must not remember earlier parts.
        seed_dropout(derive_seed(dropout_seed, part) if part else dropout_seed, self.machine)
        images, targets = batch.make_part(part)
        with self.machine.autocast():
            logits = self.forward(images)
        loss = F.cross_entropy(logits.float(), targets, reduction="sum") / len(batch)
        torch.autograd.backward(loss)
        return loss.detach()


def seed_dropout(seed: int, machine: Machine) -> None:
    """Set the generators that dropout draws from, without a word to devices that are not here."""
    torch.default_generator.manual_seed(seed)
    if machine.device == "cuda":
        torch.cuda.manual_seed(seed)
    elif machine.device == "mps":
        torch.mps.manual_seed(seed)


class Statistics:
    """The running statistics of batch norm, which follow the parts of a batch one after the other.

    A part alone moves them from 0 by what it adds. That is its trace: what they were before it is
    scaled and its trace added, whoever made the part.

    Args:
        model: whose statistics.
    """

    def __init__(self, model: nn.Module) -> None:
        self.moved: list[tuple[Tensor, Norm]] = []
        self.counted: list[tuple[Tensor, Norm]] = []
        for norm in find_norms(model):
            for buffer in (norm.running_mean, norm.running_var):
                if buffer is not None:
                    self.moved.append((buffer, norm))
            if norm.num_batches_tracked is not None:
                self.counted.append((norm.num_batches_tracked, norm))

    @contextmanager
    def traced(self) -> Iterator[list[Tensor]]:
        """While this lasts a part is made; its trace is in the list afterwards."""
        trace: list[Tensor] = []
        before = [buffer.clone() for buffer in self.buffers]
        for buffer in self.buffers:
            buffer.zero_()
        try:
            yield trace
            trace += [buffer.clone() for buffer, _ in self.moved]
        finally:
            for buffer, kept in zip(self.buffers, before, strict=True):
                buffer.copy_(kept)

    @property
    def buffers(self) -> list[Tensor]:
        """All of them."""
        return [buffer for buffer, _ in (*self.moved, *self.counted)]

    def follow(self, trace: Sequence[Tensor]) -> None:
        """Take in the trace of the next part."""
        for (buffer, norm), added in zip(self.moved, trace, strict=True):
            if norm.track_running_stats:  # not where an optimiser looks at a batch once more
                assert norm.momentum is not None, "a mean over all batches has no traces"
                buffer.mul_(1 - norm.momentum).add_(added)
        for count, norm in self.counted:
            if norm.track_running_stats:
                count.add_(1)


class OwnGradients:
    """Gradients that this process makes alone.

    Args:
        maker: of the parts.
    """

    def __init__(self, maker: PartMaker) -> None:
        self.maker = maker
        self.statistics = Statistics(maker.model)

    @classmethod
    def of(cls, model: nn.Module, machine: Machine) -> OwnGradients:
        """Those of a network on a machine."""
        return cls(PartMaker(model, machine.compile_model(model), machine))

    def __call__(self, batch: Batch, dropout_seed: int) -> Tensor:
        """See `Gradients`."""
        if batch.num_parts == 1:
            return self.maker.make(batch, 0, dropout_seed)
        mean = torch.zeros((), device=batch.picks.device)
        for part in range(batch.num_parts):
            with self.statistics.traced() as trace:
                mean += self.maker.make(batch, part, dropout_seed)
            self.statistics.follow(trace)
        return mean


class SharedGradients:
    """Gradients of which several processes make parts.

    Each adds up one slice of the gradients of all parts, in the order of the parts, and the leader
    puts the slices together: what a process receives does not grow with their number.

    Args:
        maker: of the parts.
        ranks: the processes.
    """

    def __init__(self, maker: PartMaker, ranks: Ranks) -> None:
        self.maker, self.ranks = maker, ranks
        self.statistics = Statistics(maker.model)
        self.weights = [one for one in maker.model.parameters() if one.requires_grad]
        self.traced = [buffer.numel() for buffer, _ in self.statistics.moved]
        # Slices are of one size, so the last may be longer than what is left for it.
        self.slice = -(-sum(one.numel() for one in self.weights) // ranks.size)
        self.failure: Exception | None = None

    def __call__(self, batch: Batch, dropout_seed: int) -> Tensor:
        """See `Gradients`; called by the leader."""
        self.ranks.send(torch.tensor([len(batch), batch.epoch, batch.step, dropout_seed]))
        self.ranks.send(batch.picks)
        self.ranks.send(flatten(self.weights))
        losses, gradient = self.add_up(batch, dropout_seed)
        for weight, values in zip(self.weights, unflatten(gradient, self.weights), strict=True):
            weight.grad = torch.empty_like(weight).copy_(values)
        mean = torch.zeros((), device=batch.picks.device)
        for loss in losses:
            mean += loss
        return mean

    def help(self, make_batch: Callable[[Tensor, int, int], Batch], machine: Machine) -> None:
        """Make parts until the leader says that there are no more; called by the others.

        Args:
            make_batch: a batch from the numbers of its images, its epoch and its step.
            machine: where they are.
        """
        while True:
            size, epoch, step, seed = self.ranks.send(torch.zeros(4, dtype=torch.int64)).tolist()
            if not size:
                return
            picks = torch.empty(size, dtype=torch.int64, device=machine.device)
            batch = make_batch(self.ranks.send(picks), epoch, step)
            sent = self.ranks.send(torch.empty_like(flatten(self.weights)))
            with torch.no_grad():
                for weight, values in zip(self.weights, unflatten(sent, self.weights), strict=True):
                    weight.copy_(values)
            self.add_up(batch, seed)

    def add_up(self, batch: Batch, dropout_seed: int) -> tuple[list[Tensor], Tensor]:
        """Make the parts of a batch together, one in each process at a time.

        Returns: to the leader, the loss of each part, and the gradient in a row.

        Raises:
            MemoryError, RuntimeError: to the leader, a part could not be made.
        """
        size, losses, failed = self.ranks.size, [], []
        total = torch.zeros(self.slice, device=batch.picks.device)
        for first in range(0, batch.num_parts, size):
            told, gradient = self.make(batch, first, dropout_seed)
            for owner, piece in enumerate(gradient.view(size, self.slice)):
                found = self.ranks.gather(piece.contiguous(), owner)
                for place, each in enumerate(found[: batch.num_parts - first], start=first):
                    # Adding to 0 would make 0 of -0.
                    total = each if place == 0 else total.add_(each)
            for rank, each in enumerate(self.ranks.gather(told)[: batch.num_parts - first]):
                is_made, loss, *trace = torch.split(each, [1, 1, *self.traced])
                losses.append(loss[0])
                self.statistics.follow(trace)
                if not is_made:
                    failed.append(rank)
        pieces = self.ranks.gather(total)
        if failed:  # which the leader hears of when all have come to the same place
            raise self.failure or MemoryError(f"out of memory in process {failed[0]}")
        return losses, torch.cat([*pieces, total[:0]])

    def make(self, batch: Batch, first: int, dropout_seed: int) -> tuple[Tensor, Tensor]:
        """The part of this process in a round.

        Returns: whether it was made, its loss and its trace in a row, and its gradient. All are 0
            where there is no part, or it fails; `failure` says why, since the others are waiting.
        """
        part = first + self.ranks.rank
        told = torch.zeros(2 + sum(self.traced), device=batch.picks.device)
        gradient = torch.zeros(self.slice * self.ranks.size, device=batch.picks.device)
        if part >= batch.num_parts:
            return told, gradient
        for weight in self.weights:
            weight.grad = None
        try:
            with self.statistics.traced() as trace:
                loss = self.maker.make(batch, part, dropout_seed)
        except (MemoryError, RuntimeError) as error:  # a GPU's OutOfMemoryError is the latter
            self.failure = error
            return told, gradient
        told = flatten([torch.ones_like(loss), loss, *trace])
        at = 0
        for weight in self.weights:
            if weight.grad is not None:
                gradient[at : at + weight.numel()] = weight.grad.reshape(-1)
            at += weight.numel()
        return told, gradient


def dismiss(ranks: Ranks) -> None:
    """Say that there are no more parts to make; by the leader."""
    ranks.send(torch.zeros(4, dtype=torch.int64))


def flatten(tensors: Sequence[Tensor]) -> Tensor:
    """The numbers of some tensors in one row, float32 `(n,)`."""
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def unflatten(flat: Tensor, like: Sequence[Tensor]) -> Iterator[Tensor]:
    """The inverse of `flatten`; what follows the last is left."""
    at = 0
    for tensor in like:
        yield flat[at : at + tensor.numel()].view(tensor.shape)
        at += tensor.numel()
