"""Threads: what the user says, and what others leave of the machine."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from smallvision.api import train
from smallvision.compute import threads as module
from smallvision.compute.threads import ThreadChoice, choose_threads
from smallvision.data.dataset import DataSet
from smallvision.runs import train as training
from tests.support.commands import Outcome


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., ThreadChoice]:
    """The choice on a machine: its cores, those of this process, what runs, and variables."""

    def choose(cores: int, ours: int, running: int | None, **variables: str) -> ThreadChoice:
        for name in module.VARIABLES:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(module, "count_cores", lambda: ours)
        monkeypatch.setattr(os, "cpu_count", lambda: cores)
        monkeypatch.setattr(module, "read_running", lambda: running)
        monkeypatch.setattr(module, "PAUSE", 0)
        choose_threads.cache_clear()
        return choose_threads()

    yield choose
    choose_threads.cache_clear()


def test_an_idle_machine_is_used_whole(machine: Callable[..., ThreadChoice]) -> None:
    assert machine(4, 4, 1) == ThreadChoice(4)
    assert machine(4, 4, None) == ThreadChoice(4), "not every system says what runs"


def test_busy_cores_are_left_alone(machine: Callable[..., ThreadChoice]) -> None:
    assert machine(4, 4, 3) == ThreadChoice(2, "2 of 4 cores are busy with other work")
    assert machine(2, 2, 9) == ThreadChoice(1, "2 of 2 cores are busy with other work")


def test_what_runs_on_cores_of_others_does_not_count(machine: Callable[..., ThreadChoice]) -> None:
    assert machine(64, 4, 60) == ThreadChoice(4)


@pytest.mark.parametrize(
    ("variables", "count"),
    [
        ({"OMP_NUM_THREADS": "2"}, 2),
        ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "1"}, 1),
        ({"OMP_NUM_THREADS": "99"}, 4),
        ({"OMP_NUM_THREADS": "many"}, 4),
        ({"OMP_NUM_THREADS": "0"}, 4),
    ],
)
def test_variables_of_the_libraries_are_respected(
    machine: Callable[..., ThreadChoice], variables: dict[str, str], count: int
) -> None:
    assert machine(4, 4, 1, **variables).count == count


def test_the_choice_holds_for_the_process(
    machine: Callable[..., ThreadChoice], monkeypatch: pytest.MonkeyPatch
) -> None:
    machine(4, 4, 1)
    monkeypatch.setattr(module, "read_running", lambda: 4)
    assert choose_threads().count == 4, "runs of one study compute alike"


def test_the_system_says_what_runs() -> None:
    if Path("/proc/loadavg").exists():
        assert (module.read_running() or 0) >= 1


def test_doctor_says_why(
    machine: Callable[..., ThreadChoice], smallvision: Callable[..., Outcome]
) -> None:
    machine(4, 4, 4)
    assert "1 (3 of 4 cores are busy with other work)" in smallvision("doctor").out


def test_a_run_goes_on_with_the_threads_that_it_began_with(
    dataset: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More threads than before would change the bits for no need."""
    settings = ["epochs=2", "model.hidden=[8]"]
    build = training.build_machine

    def on_a_machine_of(count: int) -> None:
        monkeypatch.setattr(
            training, "build_machine", lambda recipe: build(recipe).change(threads=count)
        )

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    on_a_machine_of(1)
    with monkeypatch.context() as patch:
        patch.setattr(training, "load_run_data", stop)
        with pytest.raises(KeyboardInterrupt):
            train(dataset, "mlp", settings=settings, out=tmp_path / "run")
    on_a_machine_of(2)
    run = train(dataset, "mlp", settings=settings, out=tmp_path / "run", resume=True)
    assert (run.status.compute.threads, run.status.moved) == (1, False)
