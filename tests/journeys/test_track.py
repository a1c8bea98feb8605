"""`smallvision track`: runs told to trackers, once and as long as they are trained."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.gold.make_folders import FOLDERS
from tests.support.commands import Outcome, assert_refused
from tests.support.hostile_text import NAMES, find_acting
from tests.support.records import edit_json
from tests.support.tracked import begin_run, end_run, train_on

Call = Callable[..., Outcome]
SECRET = "hunter2"
tensorboard = pytest.importorskip(
    "tensorboard", reason="pip install 'smallvision[tensorboard]' brings it"
)


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait until something has happened, for half a minute at most."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def follow(run: Path, out: Path) -> subprocess.Popen[str]:
    """Begin to follow a run in a process of its own."""
    command = [sys.executable, "-m", "smallvision", "track", run, "--to", "tensorboard"]
    return subprocess.Popen(
        [*command, "--dir", out, "--follow", "--interval", "0.1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def read_size(out: Path) -> int:
    """Bytes of all event files."""
    return sum(path.stat().st_size for path in out.rglob("*tfevents*"))


def test_a_study_is_tracked_and_tracked_again(smallvision: Call, tmp_path: Path) -> None:
    for _ in range(2):
        outcome = smallvision(
            "track", FOLDERS / "study", "--to", "tensorboard", "--dir", tmp_path / "out"
        )
        assert outcome.code == 0, outcome.err
        assert "study/mlp: done, 1 epoch\n" in outcome.out
        assert f"look at it with: tensorboard --logdir {tmp_path / 'out'}" in outcome.out
        assert len(list(tmp_path.rglob("*tfevents*"))) == 3


def test_a_run_is_followed_to_its_end(tmp_path: Path) -> None:
    run, out = begin_run(tmp_path / "run", epochs=1), tmp_path / "out"
    process = follow(run, out)
    wait_until(lambda: read_size(out) > 0)
    before = read_size(out)
    train_on(run, 2)
    wait_until(lambda: read_size(out) > before)
    end_run(run)
    said, complaints = process.communicate(timeout=30)
    assert (process.returncode, complaints) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "run: stopped, 1 epoch"
    assert lines[-2:-1] == ["run: done, 2 epochs"]


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_following_ends_on_an_interruption(tmp_path: Path) -> None:
    run, out = begin_run(tmp_path / "run"), tmp_path / "out"
    process = follow(run, out)
    wait_until(lambda: read_size(out) > 0)
    process.send_signal(signal.SIGINT)
    _, complaints = process.communicate(timeout=30)
    assert process.returncode == 130
    assert complaints == "stopped; the same command goes on\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "mlfow"], "did you mean 'mlflow'?"),
        (["--to", "tensorboard", "--uri", "http://host"], "has no server; name a folder"),
        (["--to", "mlflow", "--uri", "http://host", "--dir", "x"], "name one of them"),
        (["--to", "mlflow", "--uri", "nowhere"], "write it like http://host:5000"),
        (["--to", "tensorboard", "--interval", "0"], "'--interval'"),
        ([], "--to"),
    ],
)
def test_wrong_arguments_are_one_line(
    smallvision: Call, arguments: list[str], said: str, tmp_path: Path
) -> None:
    assert_refused(smallvision("track", begin_run(tmp_path / "run"), *arguments), said)


def test_folders_without_runs_are_one_line(smallvision: Call, tmp_path: Path) -> None:
    for folder, said in (
        (tmp_path, "is neither a study nor a run"),
        (tmp_path / "nowhere", "is neither a study nor a run"),
        (FOLDERS / "tuning", "is neither a study nor a run"),
    ):
        assert_refused(smallvision("track", folder, "--to", "tensorboard"), said)
    run = begin_run(tmp_path / "run")
    inside = smallvision("track", run, "--to", "tensorboard", "--dir", run / "here")
    assert_refused(inside, "which holds records")
    assert not (run / "here").exists()


@pytest.mark.parametrize("tracker", ["mlflow", "wandb"])
def test_no_password_is_printed(
    smallvision: Call, tmp_path: Path, tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lack(*_: object) -> None:
        raise ConnectionError(f"no http://me:{SECRET}@127.0.0.1:9")

    monkeypatch.setattr("smallvision.tracking.tracker.importlib.import_module", lack)
    run, uri = begin_run(tmp_path / "run"), f"http://me:{SECRET}@127.0.0.1:9/x?t={SECRET}"
    for arguments, said in (
        (["track", run, "--to", tracker, "--uri", uri], f"{tracker} failed at http://***@127"),
        (["track", run, "--to", tracker, f"--uri={uri}"], f"{tracker} failed at http://***@127"),
        (["track", uri, "--to", tracker], "is an address"),
    ):
        outcome = smallvision(*arguments)
        assert_refused(outcome, said)
        assert f":{SECRET}@" not in outcome.err + outcome.out


def test_hostile_names_are_shown_with_escapes(smallvision: Call, tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run[red]\x1b[2J", data="".join(NAMES)[:200])
    edit_json(run / "status.json", notes=list(NAMES))
    outcome = smallvision("track", run, "--to", "tensorboard", "--dir", tmp_path / "out")
    assert outcome.code == 0, outcome.err
    assert r"run[red]\x1b[2J: stopped" in outcome.out
    assert not find_acting(outcome.out)


def test_it_loads_neither_torch_nor_other_trackers(tmp_path: Path) -> None:
    run = begin_run(tmp_path / "run")
    code = (
        "import sys; from smallvision.tracking.track import track; "
        f"track({str(run)!r}, 'tensorboard', out={str(tmp_path / 'out')!r}); "
        "assert not {'torch', 'mlflow', 'wandb', 'tensorflow'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_damaged_records_are_one_line(smallvision: Call, tmp_path: Path) -> None:
    study = Path(shutil.copytree(FOLDERS / "study", tmp_path / "study"))
    run, refused = study / "runs" / "mlp", set()
    for path in (
        *(study / name for name in ("study.json", "test.json")),
        *(run / name for name in ("status.json", "metrics.jsonl", "recipe.toml")),
    ):
        whole = path.read_bytes()
        for damage in (b"", b"{}\n", b"[]\n", b"\xff\n", whole[: len(whole) // 2]):
            path.write_bytes(damage)
            outcome = smallvision("track", study, "--to", "tensorboard", "--dir", tmp_path / "out")
            assert outcome.code in (0, 2), f"{path}, {damage[:20]!r}: {outcome.err}"
            if outcome.code:
                assert_refused(outcome, path.name)
                refused.add(path)
        path.write_bytes(whole)
    assert len(refused) == 5
