"""`smallvision watch`: work of another process, followed in a terminal and on a page."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.gold.make_folders import FOLDERS
from tests.support.commands import Outcome, assert_refused, spell_settings
from tests.support.serving import ask
from tests.support.watched import begin_study

Call = Callable[..., Outcome]
PROBE = """
import json, sys
sys.argv[0] = "smallvision"
from smallvision.cli.main import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)))
"""
EPOCHS = 40


class Processes:
    """Commands in processes of their own, which end with the test."""

    def __init__(self) -> None:
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str | Path, code: str | None = None) -> subprocess.Popen[str]:
        first = ["-c", code] if code else ["-m", "smallvision"]
        process = subprocess.Popen(
            [sys.executable, *first, *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        self.started.append(process)
        return process

    def study(self, folder: Path, *options: str, epochs: int = EPOCHS) -> subprocess.Popen[str]:
        """Start a study of digits that takes some seconds."""
        settings = spell_settings("compute.threads=1", f"epochs={epochs}")
        rungs = ("--rungs", "linear,mlp", "--folds", "1")
        return self.start("study", "digits", "--out", folder, *rungs, *settings, *options)

    def watch(self, folder: Path) -> subprocess.Popen[str]:
        return self.start("watch", folder, "--terminal")

    def serve(self, folder: Path) -> tuple[subprocess.Popen[str], int]:
        """Watch a folder on a page; also its port."""
        process = self.start("watch", folder, "--no-open", "--port", "0", code=PROBE)
        (line,) = wait_for_text(process, "http://")
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        return process, int(found[1])

    def end(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.end()


def wait_for_text(process: subprocess.Popen[str], text: str) -> list[str]:
    """The lines of a process up to one that has a text."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError((lines, process.communicate()))


def ask_until(port: int, pattern: str, seconds: float = 90) -> str:
    """The page once it says something."""
    end = time.monotonic() + seconds
    while True:
        page = ask(port, "GET", "/now").body.decode()
        if re.search(pattern, page):
            return page
        assert time.monotonic() < end, page
        time.sleep(0.2)


def test_a_study_is_followed_from_before_its_first_record_to_its_report(
    tmp_path: Path, processes: Processes
) -> None:
    folder = tmp_path / "study"
    watcher, port = processes.serve(folder)
    ask_until(port, "Waiting for the first record", 5)
    terminal = processes.watch(folder)
    wait_for_text(terminal, "Waiting for the first record")
    work = processes.study(folder)
    ask_until(port, rf">(linear|mlp): epoch \d+ of {EPOCHS}<")
    _, err = work.communicate(timeout=120)
    assert work.returncode == 0, err
    page = ask_until(port, "Finished: the winner is", 20)
    assert "Open the report" in page
    assert b"<!doctype html>" in ask(port, "GET", "/report").body
    out, err = terminal.communicate(timeout=20)
    assert (terminal.returncode, err) == (0, "")
    lines = out.splitlines()
    epoch = re.compile(rf"(linear|mlp): epoch \d+ of {EPOCHS} done, training ")
    assert any(map(epoch.match, lines)), lines
    assert any(line.startswith("mlp: done, validation ") for line in lines)
    assert any(line.startswith("Test: ") for line in lines)
    assert lines[-1] == f"Report: {folder / 'report.html'}"
    watcher.send_signal(signal.SIGINT)
    out, err = watcher.communicate(timeout=15)
    assert (watcher.returncode, err) == (0, "")
    assert "Finished: the winner is" in out
    loaded = set(json.loads(out.splitlines()[-1]))
    assert not {"torch", "optuna", "fastapi", "uvicorn"} & loaded


def test_a_study_that_is_killed_and_resumed_is_followed_on(
    tmp_path: Path, processes: Processes
) -> None:
    folder = tmp_path / "study"
    work = processes.study(folder, epochs=300)
    terminal = processes.watch(folder)
    wait_for_text(terminal, "epoch ")
    work.kill()
    work.wait()  # until then its number is taken
    wait_for_text(terminal, "Interrupted: ")
    assert "--resume" in wait_for_text(terminal, "Go on with: smallvision study digits")[-1]
    again = processes.study(folder, "--resume", epochs=300)
    wait_for_text(terminal, "Running: ")
    again.send_signal(signal.SIGINT)
    again.communicate(timeout=30)
    wait_for_text(terminal, "Interrupted: ")
    terminal.send_signal(signal.SIGINT)
    _, err = terminal.communicate(timeout=15)
    assert (terminal.returncode, err) == (130, "")


def test_workers_are_followed(tmp_path: Path, processes: Processes) -> None:
    folder = tmp_path / "study"
    terminal = processes.watch(folder)
    work = processes.study(folder, "--workers", "2", epochs=100)
    wait_for_text(terminal, "epoch ")
    _, err = work.communicate(timeout=150)
    assert work.returncode == 0, err
    out, err = terminal.communicate(timeout=30)
    assert (terminal.returncode, err) == (0, "")
    assert "Finished: the winner is" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("study", "Finished: the winner is mlp"),
        ("run", "Finished"),
        ("tuning", "Tuning found nothing better"),
        ("ensemble", "ensemble: done"),
    ],
)
def test_finished_work_is_told_at_once(smallvision: Call, name: str, said: str) -> None:
    outcome = smallvision("watch", FOLDERS / name, "--terminal")
    assert (outcome.code, outcome.err) == (0, "")
    assert said in outcome.out


def test_without_a_browser_the_terminal_is_taken(smallvision: Call) -> None:
    outcome = smallvision("watch", FOLDERS / "study")
    assert outcome.code == 0
    assert "--no-open serves the page all the same" in outcome.err
    assert "Finished: the winner is mlp" in outcome.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--terminal", "--port", "1"), "--terminal shows no page"),
        (("--host", "192.0.2.1"), "choose another --host"),
        (("--port", "65536"), "--port"),
    ],
)
def test_bad_options_are_refused(smallvision: Call, options: tuple[str, ...], said: str) -> None:
    assert_refused(smallvision("watch", FOLDERS / "study", *options), said)


def test_what_is_no_work_is_refused(smallvision: Call, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_text("x")
    assert_refused(smallvision("watch", tmp_path, "--terminal"), "is neither a study nor a run")
    assert_refused(smallvision("watch", tmp_path / "photo.jpg", "--terminal"), "is a file")


def test_the_usual_port_may_be_taken(tmp_path: Path, processes: Processes) -> None:
    begin_study(tmp_path / "study")
    both = [processes.start("watch", tmp_path / "study", "--no-open") for _ in range(2)]
    lines = [wait_for_text(one, "http://")[-1] for one in both]
    assert len({line.partition(" (")[0] for line in lines}) == 2
