"""What a command does where it cannot print, and where memory runs out: one line, a known code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from smallvision.cli import main

BUFFERED = {**os.environ, "PYTHONUNBUFFERED": ""}  # else nothing is left to print on leaving
WHERE = "for number in range(3): print(os.readlink(f'/proc/self/fd/{number}'), file=out)"


def run(words: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that does this with its streams."""
    command = [sys.executable, "-m", "smallvision", *map(str, arguments)]
    return subprocess.run(
        ["bash", "-c", f'"$@" {words}', "bash", *command],
        capture_output=True,
        text=True,
        env=BUFFERED,
    )


@pytest.mark.parametrize("command", ["recipes", "--version", "--help"])
def test_a_full_disk_for_the_output_is_one_line(command: str) -> None:
    done = run(">/dev/full", command)
    assert (done.returncode, done.stderr) == (2, "error: No space left on device: output\n")


def test_where_nothing_can_be_printed_the_code_tells() -> None:
    done = run(">/dev/full 2>&1", "recipes")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", "")


@pytest.mark.parametrize("command", ["recipes", "--help"])
def test_output_that_nobody_reads_ends_a_command_without_a_word(command: str) -> None:
    reader_has_gone = 'exec 3> >(true); wait $!; "$@" >&3'
    words = ["bash", "-c", reader_has_gone, "bash", sys.executable, "-m", "smallvision", command]
    done = subprocess.run(words, capture_output=True, text=True, env=BUFFERED)
    assert (done.returncode, done.stderr) == (141, "")


def test_a_broken_connection_is_not_output_that_nobody_reads() -> None:
    main.end_unread(13, None)  # both streams of the tests are read


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the system lists no descriptors")
def test_no_file_takes_the_number_of_a_stream_that_is_closed(tmp_path: Path) -> None:
    listed = tmp_path / "listed"
    code = (
        "import os; from smallvision.cli.main import fill_streams; fill_streams()\n"
        f"out = open({str(listed)!r}, 'w')\n{WHERE}"
    )
    subprocess.run(
        ["bash", "-c", '"$@" <&- >&- 2>&-', "bash", sys.executable, "-c", code], check=True
    )
    assert listed.read_text().splitlines() == ["/dev/null"] * 3


def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [MemoryError(), ImportError("libtorch.so: failed to map segment from shared object")],
)
def test_memory_that_runs_out_is_one_line(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["smallvision"])
    monkeypatch.setattr(main, "app", lambda **_: fail(error))
    assert main.run() == 1
    assert capsys.readouterr().err.startswith("error: memory ran out")


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["smallvision"])
    monkeypatch.setattr(main, "app", lambda **_: fail(ImportError("no module named 'x'")))
    with pytest.raises(ImportError):
        main.run()
