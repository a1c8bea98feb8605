"""Independent work done at once."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from smallvision.compute.worker_pool import WorkerPool, read_workers
from smallvision.errors import FailedRunError, RecordError, SettingError


class Note:
    """Writes the number of its process beside others."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name

    def __call__(self) -> None:
        (self.folder / self.name).write_text(str(os.getpid()))


class Refuse:
    """A work that fails."""

    def __call__(self) -> None:
        raise RecordError("the folder is another run's")


class Die:
    """A work whose process is ended from outside."""

    def __call__(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


LOCAL = WorkerPool(slurm={"cluster": "local", "timeout_min": 2})
DEBUG = WorkerPool(slurm={"cluster": "debug"})


# submitit's executor for debugging leaves its logs open.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("workers", [WorkerPool(), WorkerPool(2), LOCAL, DEBUG])
def test_every_work_is_done_once(tmp_path: Path, workers: WorkerPool) -> None:
    names = ["a", "b", "c"]
    done = list(workers.do_all([Note(tmp_path, name) for name in names], tmp_path))
    assert sorted(done) == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == names  # no folder of jobs is left
    processes = {int((tmp_path / name).read_text()) for name in names}
    assert (os.getpid() in processes) == (workers in (WorkerPool(), DEBUG))


@pytest.mark.parametrize("workers", [WorkerPool(), WorkerPool(2), LOCAL])
def test_an_error_of_a_work_is_that_of_all(tmp_path: Path, workers: WorkerPool) -> None:
    with pytest.raises(RecordError, match="another run's"):
        list(workers.do_all([Note(tmp_path, "a"), Refuse()], tmp_path))


@pytest.mark.parametrize("workers", [WorkerPool(2), LOCAL])
def test_a_worker_that_is_ended_from_outside_is_told_of(
    tmp_path: Path, workers: WorkerPool
) -> None:
    with pytest.raises(FailedRunError, match="--resume"):
        list(workers.do_all([Die(), Die()], tmp_path))


def test_rounds_are_what_workers_do_one_after_the_other() -> None:
    assert [WorkerPool(count).count_rounds(5) for count in (1, 2, 5, 8)] == [5, 3, 1, 1]
    assert LOCAL.count_rounds(5) == 1


def test_parameters_of_jobs_are_numbers_or_words() -> None:
    asked = read_workers("slurm", ["slurm_partition=gpu", "timeout_min=60"])
    assert asked.slurm == {"slurm_partition": "gpu", "timeout_min": 60}
    for text in ("0", "-1", "1.5", "", "9999"):
        with pytest.raises(SettingError, match="--workers is"):
            read_workers(text)
