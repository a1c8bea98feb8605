"""The processes of one training that `torchrun` started: who leads, and what they tell each other.

The first process leads: it does all that a single process would do. The others help it with
gradients. What they exchange are tensors and JSON, so that nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from smallvision.compute.launch import count_processes
from smallvision.errors import SettingError

JOIN = timedelta(minutes=10)  # until all processes have to be there
WAIT = timedelta(days=7)  # helpers wait while the leader measures, explores or asks its user
TOLD = 1000  # bytes of a message to the leader


@dataclass(frozen=True)
class Ranks:
    """The processes of one training.

    Attributes:
        rank: which of them this one is; 0 leads.
        size: how many there are.
        local: which of those on this machine this one is.
    """

    rank: int
    size: int
    local: int

    @property
    def leads(self) -> bool:
        """Whether this is the first process."""
        return self.rank == 0

    def send(self, tensor: Tensor) -> Tensor:
        """Give the leader's tensor to all; others hand over one of its shape, which is filled."""
        dist.broadcast(tensor, src=0)
        return tensor

    def send_json(self, value: Mapping[str, Any] | None = None) -> Any:
        """Give the leader's JSON value to all; others hand over nothing."""
        content = json.dumps(value).encode() if self.leads else b""
        (size,) = self.send(torch.tensor([len(content)])).tolist()
        held = torch.zeros(size, dtype=torch.uint8)
        if self.leads:
            held.copy_(torch.frombuffer(bytearray(content), dtype=torch.uint8))
        return json.loads(self.send(held).numpy().tobytes())

    def part(self) -> None:
        """Wait until all have come to the end, so that nobody leaves while another still reads."""
        dist.barrier()

    def gather(self, tensor: Tensor, to: int = 0) -> list[Tensor]:
        """The tensors of all processes, in order, for one of them; nothing for others."""
        if self.rank != to:
            dist.gather(tensor, dst=to)
            return []
        found = [torch.empty_like(tensor) for _ in range(self.size)]
        dist.gather(tensor, found, dst=to)
        return found

    def tell_leader(self, text: str) -> list[str]:
        """A short text of each process, in order, for the leader; nothing for others."""
        held = torch.zeros(TOLD, dtype=torch.uint8)
        content = text.encode()[:TOLD]
        if content:
            held[: len(content)] = torch.frombuffer(bytearray(content), dtype=torch.uint8)
        return [
            each.numpy().tobytes().rstrip(b"\0").decode(errors="replace")
            for each in self.gather(held)
        ]


@contextmanager
def join_ranks() -> Iterator[Ranks | None]:
    """Join the other processes, where `torchrun` started several; None where this one is alone.

    Raises:
        SettingError: they cannot be joined.
    """
    size = count_processes()
    if size < 2:
        yield None
        return
    try:
        if int(os.environ["RANK"]) >= size:
            raise ValueError("RANK is not below WORLD_SIZE")
        # On a GPU tensors go by NCCL, and all else by gloo.
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        with end_by_signals():
            store, rank, size = next(rendezvous("env://", timeout=JOIN))
            dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=WAIT)
    except (RuntimeError, ValueError, KeyError) as error:
        reason = str(error).partition("\n")[0]
        raise SettingError(
            f"the {size} processes cannot be joined ({reason:.200}); start them with torchrun"
        ) from error
    try:
        local = int(os.environ.get("LOCAL_RANK", dist.get_rank()))
        yield Ranks(dist.get_rank(), dist.get_world_size(), local)
    finally:
        dist.destroy_process_group()


@contextmanager
def end_by_signals() -> Iterator[None]:
    """Signals end the process at once while it waits in a library, which calls no handler."""
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                before[number] = signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
