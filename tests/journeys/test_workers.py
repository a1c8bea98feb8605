"""A study whose independent trainings are done at once makes the records that one process makes."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.battery.work import compare_bits, finish, read_bits, start

SETTINGS = ("--set", "epochs=2", "--set", "compute.threads=1")
RUNGS = ("--rungs", "linear,snapshot-ensemble", "--folds", "2")
ASKED = ("study", "digits", "--preset", "quick", *SETTINGS, *RUNGS)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The study by one process."""
    place = tmp_path_factory.mktemp("alone")
    code, said = finish(start(*ASKED, "--out", place / "study", cache=place / "cache"))
    assert code == 0, said
    return place / "study"


def test_jobs_of_a_cluster_make_the_same_records(alone: Path, tmp_path: Path) -> None:
    out, cache = tmp_path / "study", tmp_path / "cache"
    how = ("--workers", "slurm", "--slurm", "cluster=local")
    code, said = finish(start(*ASKED, *how, "--out", out, cache=cache))
    assert code == 0, said
    assert "linear has come to its end" in said
    assert "snapshot-ensemble/folds/2/members/snapshots has come to its end" in said
    assert compare_bits(read_bits(out), read_bits(alone)) == []
    assert not list(out.glob("jobs-*"))


def test_a_study_whose_workers_were_killed_goes_on_to_the_same_records(
    alone: Path, tmp_path: Path
) -> None:
    out, cache = tmp_path / "study", tmp_path / "cache"
    process = start(*ASKED, "--workers", "2", "--out", out, cache=cache)
    while not list(out.glob("runs/*/metrics.jsonl")) and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    finish(process)
    time.sleep(1)  # until its workers have noticed
    code, said = finish(start(*ASKED, "--workers", "2", "--resume", "--out", out, cache=cache))
    assert code == 0, said
    assert compare_bits(read_bits(out), read_bits(alone)) == []


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (("many",), "--workers is 'many'"),
        (("slurm", "--slurm", "partition"), "KEY=VALUE"),
        (("slurm",), "SLURM takes no jobs"),
    ],
)
def test_what_is_no_number_of_workers_is_refused(
    tmp_path: Path, how: tuple[str, ...], reason: str
) -> None:
    out = tmp_path / "study"
    code, said = finish(start(*ASKED, "--workers", *how, "--out", out, cache=tmp_path / "cache"))
    assert code == 2, said
    assert reason in said
    assert "Traceback" not in said
