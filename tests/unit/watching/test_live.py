"""`sv.watch`: printed where there is no notebook, and one renewed frame where there is."""

from __future__ import annotations

import sys
import types
from pathlib import Path
from typing import Any

import pytest

from smallvision.watching import live
from smallvision.watching.watcher import Watcher
from tests.gold.make_folders import FOLDERS
from tests.support.page import Page
from tests.support.tracked import begin_run, end_run, train_on
from tests.support.watched import lock, unlock


class Handle:
    def __init__(self, first: Any) -> None:
        self.shown = [first]

    def update(self, view: Any) -> None:
        self.shown.append(view)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> list[Handle]:
    """IPython as the kernel of a notebook has it."""
    handles: list[Handle] = []

    def display(view: Any, *, display_id: bool) -> Handle:
        assert display_id
        handles.append(Handle(view))
        return handles[-1]

    shell = types.ModuleType("IPython")
    shell.get_ipython = lambda: types.SimpleNamespace(kernel=object())  # type: ignore[attr-defined]
    part = types.ModuleType("IPython.display")
    part.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", part)
    return handles


def act_while_sleeping(monkeypatch: pytest.MonkeyPatch, *steps: Any) -> None:
    """Let something happen in each pause between two looks."""
    acts = iter(steps)
    monkeypatch.setattr(live.time, "sleep", lambda _: next(acts)())


def interrupt() -> None:
    raise KeyboardInterrupt


def test_it_prints_what_is_new_until_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    lock(run)
    act_while_sleeping(
        monkeypatch,
        lambda: begin_run(run, epochs=1),
        lambda: train_on(run, 3),
        lambda: (unlock(run), end_run(run)),
    )
    live.watch(run)
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "Nothing is trained yet"
    assert any("epoch 3" in line for line in told)
    assert any(line.startswith("tiny: done, validation ") for line in told)


def test_a_run_or_a_path_may_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    live.watch(str(FOLDERS / "run"))
    first = capsys.readouterr().out
    live.watch(types.SimpleNamespace(folder=FOLDERS / "run"))  # type: ignore[arg-type]
    assert capsys.readouterr().out == first != ""


def test_an_interrupt_ends_it_quietly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    act_while_sleeping(monkeypatch, interrupt)
    live.watch(tmp_path / "to-come")
    assert "Waiting for the first record" in capsys.readouterr().out


def test_a_notebook_shows_one_frame_that_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: list[Handle]
) -> None:
    run = begin_run(tmp_path / "run", epochs=1)
    lock(run)
    act_while_sleeping(monkeypatch, lambda: train_on(run, 3), lambda: (unlock(run), end_run(run)))
    live.watch(run)
    (handle,) = notebook
    views = [view._repr_html_() for view in handle.shown]
    assert len(views) >= 2
    assert all(view.startswith('<iframe srcdoc="&lt;!doctype html&gt;') for view in views)
    assert "Finished" in views[-1]


def test_the_page_in_the_frame_has_no_script_and_no_links() -> None:
    view = live.LiveView(Watcher(FOLDERS / "study").look())
    assert view._repr_html_().startswith("<iframe ")
    assert not {"script", "a", "noscript"} & {element.tag for element in Page(view.html).elements}


def test_a_plain_python_is_no_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not live.is_notebook()
