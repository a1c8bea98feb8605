"""What no command can work with is refused in one line that is true."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import Outcome, assert_refused

Call = Callable[..., Outcome]


@pytest.mark.parametrize("command", [("explore",), ("classify", "cifar10")])
@pytest.mark.parametrize("place", ["https://a.b/cats.zip", "http://a.b", "s3://a/b", "hf://a"])
def test_an_address_is_named_as_one(smallvision: Call, command: list[str], place: str) -> None:
    assert_refused(smallvision(*command, place), f"'{place}' is an address; download it")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explore", ""), "the argument '' is empty"),
        (("explore", " "), "the argument ' ' is empty"),
        (("study", "digits", "--out="), "--out is empty"),
        (("study", "digits", "--out", ""), "--out is empty"),
        (("runs", ""), "the argument '' is empty"),
    ],
)
def test_an_empty_argument_is_refused(
    smallvision: Call, arguments: tuple[str, ...], said: str
) -> None:
    assert_refused(smallvision(*arguments), f"error: {said}; name something")


def test_a_setting_may_be_made_empty(smallvision: Call) -> None:
    assert "is empty" not in smallvision("train", "digits", "mlpp", "--set=teacher.model=").err


@pytest.mark.parametrize("what", ["explore", "classify"])
def test_a_device_is_no_file(smallvision: Call, what: str) -> None:
    model = ("cifar10",) if what == "classify" else ()
    assert_refused(smallvision(what, *model, "/dev/null"), "/dev/null")


def run(first: str, place: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a command in a folder, after a word to the shell; its exit code and what it complains."""
    command = [sys.executable, "-m", "smallvision", *arguments]
    done = subprocess.run(
        ["bash", "-c", f'{first}; "$@"', "bash", *command],
        capture_output=True,
        cwd=place,
        env={**os.environ, **environment},
    )
    return done.returncode, done.stderr.decode()


def test_a_working_directory_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    said = "error: the working directory does not exist any more; change to another one\n"
    assert run('rmdir "$PWD"', tmp_path / "gone", "runs") == (2, said)


PLAIN = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ({"LC_ALL": "C"}, "error: 'é' is neither"),
        (PLAIN, "error: this locale cannot read 'é'; set PYTHONUTF8=1"),
    ],
)
def test_a_locale_without_utf8_is_told(tmp_path: Path, locale: dict[str, str], said: str) -> None:
    code, told = run("true", tmp_path, "explore", "é", **locale)
    assert (code, told.startswith(said)) == (2, True), told
