"""The page of `smallvision watch` as people use it, in headless Chromium."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from smallvision.records import store
from smallvision.records.schema import StudyRecord
from smallvision.watching.live import LiveView
from smallvision.watching.server import SharedWatcher, WatchServer
from smallvision.watching.watcher import Watcher
from tests.support.browser import WatchedTab, find_barriers, start_browser
from tests.support.study_folder import build_whole_study
from tests.support.watched import UNDER_WAY, begin_study, lock, unlock

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
Opener = Callable[..., WatchedTab]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return begin_study(tmp_path / "made-up-quick")


@pytest.fixture
def open_tab(browser: Browser) -> Iterator[Opener]:
    with ExitStack() as stack:

        def go(folder: Path, query: str = "", **settings: Any) -> WatchedTab:
            server = stack.enter_context(
                WatchServer(SharedWatcher(Watcher(folder)), "127.0.0.1", 0)
            )
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
            stack.callback(server.shutdown)
            tab = WatchedTab(browser, **(DESKTOP | settings))
            stack.callback(tab.close)
            tab.page.goto(f"http://127.0.0.1:{server.server_address[1]}/{query}")
            return tab

        yield go


def check_silent(tab: WatchedTab) -> None:
    """Nothing was said on the console, and nobody but the server was asked."""
    assert tab.said == []
    assert {address.split("/")[2].split(":")[0] for address in tab.asked} == {"127.0.0.1"}


def test_it_follows_a_study_to_its_end(study: Path, open_tab: Opener, tmp_path: Path) -> None:
    whole = build_whole_study(tmp_path / "whole")
    tab = open_tab(study)
    page = tab.page
    page.wait_for_selector("h1:text('4 of 9 rungs done')")
    assert "Running" in page.title()

    shutil.copy(whole / "runs" / UNDER_WAY / "metrics.jsonl", study / "runs" / UNDER_WAY)
    page.wait_for_selector(f"text={UNDER_WAY}: epoch 14 of 14")
    page.wait_for_selector("a.panel[aria-current] >> text=epoch 14/14")

    unlock(study)
    page.wait_for_selector("h1.alert:text('Interrupted')")
    page.wait_for_selector("code:text('smallvision study made-up --preset quick --resume')")
    page.wait_for_selector("#said:has-text('Interrupted')", state="attached")

    lock(study)
    page.wait_for_selector("h1:text('Running')")
    unlock(study)
    shutil.copytree(whole, study, dirs_exist_ok=True)
    page.wait_for_selector("h1:text('the winner is snapshot-ensemble')")
    check_silent(tab)
    page.click("text=Open the report")
    page.wait_for_selector("#data")
    assert page.url.endswith("/report")


def test_a_curve_is_chosen_and_followed_again(study: Path, open_tab: Opener) -> None:
    tab = open_tab(study)
    page = tab.page
    page.click("a.panel:has-text('vgg10-aug')")
    page.wait_for_selector("#curves-title:has-text('vgg10-aug')")
    assert "run=vgg10-aug" in page.url
    page.wait_for_timeout(2500)  # over which the choice stays
    assert "vgg10-aug" in page.inner_text("#curves-title")
    page.focus("a.panel:has-text('mlp')")
    page.keyboard.press("Enter")
    page.wait_for_selector("#curves-title:has-text('mlp')")
    assert page.evaluate("document.activeElement.textContent").strip().startswith("mlp")
    page.click("text=Follow the training that is under way")
    page.wait_for_selector(f"#curves-title:has-text('{UNDER_WAY}')")
    check_silent(tab)


def test_it_reads_without_a_script(study: Path, open_tab: Opener) -> None:
    page = open_tab(study, java_script_enabled=False).page
    assert "4 of 9 rungs done" in page.inner_text("h1")
    page.click("a.panel:has-text('vgg10-aug')")
    assert "vgg10-aug" in page.inner_text("#curves-title")


def test_a_server_that_is_gone_is_told(study: Path, open_tab: Opener) -> None:
    tab = open_tab(study)
    tab.context.route("**/now*", lambda route: route.abort())
    tab.page.wait_for_selector("#link:has-text('has smallvision watch been ended?')")
    tab.context.unroute("**/now*")
    tab.page.wait_for_selector("#link:empty", state="attached")


def test_before_the_first_record(open_tab: Opener, tmp_path: Path) -> None:
    folder = tmp_path / "to-come"
    tab = open_tab(folder)
    tab.page.wait_for_selector("h1:text('Waiting for the first record')")
    begin_study(folder)
    tab.page.wait_for_selector("h1:text('4 of 9 rungs done')")
    check_silent(tab)


@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_it(
    study: Path, open_tab: Opener, screen: dict[str, Any], theme: str
) -> None:
    (study / "runs/vgg10/status.json").write_text("{")
    tab = open_tab(study, color_scheme=theme, **screen)
    tab.page.wait_for_selector("text=status.json is damaged")
    assert find_barriers(tab.page) == []
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert tab.page.evaluate(wide) == 0


def test_in_the_frame_of_a_notebook_nothing_leads_away(study: Path, browser: Browser) -> None:
    """A notebook renews the frame, whose page runs no script and has no server."""
    tab = WatchedTab(browser, **DESKTOP)
    try:
        tab.page.set_content(LiveView(Watcher(study).look())._repr_html_())
        frame = tab.page.frame_locator("iframe")
        frame.locator("h1").wait_for()
        assert "4 of 9 rungs done" in frame.locator("h1").inner_text()
        assert frame.locator("a").count() == 0
        assert tab.asked == []
    finally:
        tab.close()


def test_names_are_shown_as_text(study: Path, open_tab: Opener) -> None:
    bad = "<img src=x onerror=alert(1)>\u202e"
    record = store.read(study / "study.json", StudyRecord)
    rungs = tuple(rung.change(note=bad, question=bad) for rung in record.rungs)
    unlock(study)
    store.write(study / "study.json", record.change(rungs=rungs, name=bad, command=bad))
    tab = open_tab(study)
    tab.page.wait_for_timeout(2500)
    assert "<img src=x" in tab.page.inner_text("main")
    assert tab.page.query_selector_all("img") == []
    check_silent(tab)
