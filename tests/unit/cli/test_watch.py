"""Whether `smallvision watch` opens a page, and what it draws in a terminal of some height."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path

import pytest

from smallvision.cli import watch as module
from smallvision.cli.render.console import PlainConsole
from smallvision.cli.render.watching import draw
from smallvision.watching.watcher import Watcher
from tests.support.watched import begin_study

SHOWN = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits at a terminal of a machine without a screen."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(sys, "platform", "linux")
    for name in SHOWN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "get", lambda: object())


@pytest.mark.usefixtures("terminal")
def test_without_a_screen_there_is_no_browser() -> None:
    assert not module.has_browser()


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("name", SHOWN)
def test_with_a_screen_there_is_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "something")
    assert module.has_browser()


@pytest.mark.usefixtures("terminal")
def test_in_a_pipe_none_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: False)
    assert not module.has_browser()


@pytest.mark.usefixtures("terminal")
def test_where_none_is_installed_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def find_none() -> None:
        raise webbrowser.Error

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "get", find_none)
    assert not module.has_browser()


@pytest.mark.parametrize("height", [12, 24, 60])
def test_what_moves_is_no_higher_than_the_terminal(tmp_path: Path, height: int) -> None:
    snapshot = Watcher(begin_study(tmp_path / "study")).look()
    console = PlainConsole(width=80, height=height)
    moving = draw(snapshot, console, is_last=False).plain.splitlines()
    assert len(moving) <= height - 1
    assert moving[-1].startswith("Ctrl-C ends")
    assert any("more lines" in line for line in moving) == (height < 30)
    last = draw(snapshot, console, is_last=True).plain
    assert "Left out: tuned" in last
    assert "Ctrl-C" not in last
