"""Independent work done at once: in processes of this machine, or as jobs of a SLURM cluster."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from smallvision.compute.threads import count_cores
from smallvision.errors import FailedRunError, SettingError, UserError, check_importable

SLURM = "slurm"
MOST_WORKERS = 1_000
POLL = 0.5  # seconds


@dataclass(frozen=True)
class WorkerPool:
    """Where independent work is done.

    Attributes:
        count: processes of this machine; 1 for this one alone.
        slurm: parameters of `submitit.AutoExecutor`, by name, for jobs of a cluster; None for this
            machine.
    """

    count: int = 1
    slurm: Mapping[str, int | str] | None = field(default=None, hash=False)

    @property
    def is_alone(self) -> bool:
        """Whether this process does everything itself."""
        return self.count == 1 and self.slurm is None

    @property
    def threads(self) -> int:
        """Threads of a process of this machine, unless a recipe says a number."""
        return max(1, count_cores() // self.count)

    def count_rounds(self, works: int) -> int:
        """How often one after the other works of the same length are done, together."""
        return 1 if self.slurm is not None else math.ceil(works / self.count)

    def describe(self) -> str:
        """Who does the work, in a sentence."""
        if self.slurm is not None:
            return "Independent trainings are jobs of SLURM."
        each = "a thread" if self.threads == 1 else f"{self.threads} threads"
        return f"Independent trainings are shared by {self.count} processes of {each} each."

    def do_all(self, works: Sequence[Callable[[], None]], folder: Path) -> Iterator[int]:
        """Do works, which can be pickled, in any order.

        Args:
            works: to be done.
            folder: which the jobs of a cluster can reach; a new one is made in it and removed.

        Yields: the number of each work that has ended.

        Raises:
            FailedRunError: a process or a job was ended from outside.
            Exception: whatever a work raises; the others are given up.
        """
        if self.is_alone:
            for number, work in enumerate(works):
                work()
                yield number
        elif self.slurm is None:
            yield from self.do_here(works)
        else:
            yield from self.submit(works, folder)

    def do_here(self, works: Sequence[Callable[[], None]]) -> Iterator[int]:
        """Do works in processes of this machine, which end with this one."""
        from joblib import Parallel, delayed, parallel_config
        from joblib.externals.loky.process_executor import BrokenProcessPool

        with parallel_config("loky", inner_max_num_threads=self.threads):
            pool = Parallel(
                self.count, batch_size=1, pre_dispatch="all", return_as="generator_unordered"
            )
            done = pool(
                delayed(do_one)(number, work, os.getpid()) for number, work in enumerate(works)
            )
            try:
                yield from done
            except BrokenProcessPool as error:
                raise FailedRunError(
                    "a worker was ended from outside, perhaps for lack of memory; add --resume to "
                    "go on, with fewer --workers"
                ) from error

    def submit(self, works: Sequence[Callable[[], None]], folder: Path) -> Iterator[int]:
        """Do works as jobs of a cluster."""
        check_importable(("submitit",), "--workers slurm", "slurm")
        import submitit

        parameters = dict(self.slurm or {})
        with TemporaryDirectory(dir=folder, prefix="jobs-") as place:
            try:
                cluster = str(parameters.pop("cluster", SLURM))
                executor = submitit.AutoExecutor(place, cluster=cluster)
                executor.update_parameters(**parameters)
                with executor.batch():
                    jobs = [executor.submit(ClusterJob(work)) for work in works]
            except (RuntimeError, TypeError, ValueError, NameError, OSError) as error:
                reason = " ".join(str(error).split())
                raise SettingError(f"SLURM takes no jobs ({reason:.300})") from error
            try:
                yield from wait_for(jobs)
            finally:
                for job in jobs:
                    if not job.done():
                        job.cancel()


@dataclass(frozen=True)
class ClusterJob:
    """A work as a job of a cluster, which hands back the error that a user can do something about.

    Attributes:
        work: to be done; done again from its start where the cluster took its machine away.
    """

    work: Callable[[], None]

    def __call__(self) -> UserError | None:
        """Do the work."""
        try:
            self.work()
        except UserError as error:
            return error
        return None

    def checkpoint(self) -> Any:
        """What is submitted instead, where the machine is taken away; called by submitit."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def wait_for(jobs: Sequence[Any]) -> Iterator[int]:
    """Yield the numbers of the jobs of a cluster as they end.

    Raises:
        UserError: what a work raised.
        FailedRunError: a job was ended from outside, or has a fault.
    """
    from submitit.core.utils import FailedJobError, UncompletedJobError

    waiting = dict(enumerate(jobs))
    while waiting:
        for number in [number for number, job in waiting.items() if job.done()]:
            job = waiting.pop(number)
            try:
                error = job.result()
            except (UncompletedJobError, FailedJobError) as lost:
                last = ((job.stderr() or "").strip().splitlines() or ["it was ended from outside"])[
                    -1
                ]
                raise FailedRunError(
                    f"job {job.job_id} left no result ({last:.300}); add --resume to go on"
                ) from lost
            if error is not None:
                raise error
            yield number
        time.sleep(POLL)


def do_one(number: int, work: Callable[[], None], parent: int) -> int:
    """Do one work, in a process that ends where its parent does; returns the number."""
    watch(parent)
    work()
    return number


@cache
def watch(parent: int) -> None:
    """End this process soon after its parent, whatever it is doing."""
    threading.Thread(target=end_with, args=(parent,), daemon=True).start()


def end_with(parent: int) -> None:
    """End this process at once where its parent has ended."""
    while os.getppid() == parent:
        time.sleep(POLL)
    os._exit(1)


def read_workers(text: str, parameters: Sequence[str] = ()) -> WorkerPool:
    """The workers that a user asks for.

    Args:
        text: a number, or `slurm`.
        parameters: `key=value`, of `submitit.AutoExecutor`.

    Raises:
        SettingError: neither, a number out of range, or parameters without `slurm`.
    """
    if text == SLURM:
        pairs = [one.partition("=") for one in parameters]
        if any(not equals or not key for key, equals, _ in pairs):
            raise SettingError("--slurm takes KEY=VALUE, such as --slurm slurm_partition=gpu")
        values = {key: int(value) if value.isdecimal() else value for key, _, value in pairs}
        return WorkerPool(slurm=values)
    if parameters:
        raise SettingError("--slurm says how jobs are submitted; add --workers slurm")
    if not (text.isdecimal() and 1 <= int(text) <= MOST_WORKERS):
        raise SettingError(
            f"--workers is '{text:.40}'; expected a number from 1 to {MOST_WORKERS}, or slurm"
        )
    return WorkerPool(int(text))
