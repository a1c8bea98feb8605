"""The page of work under way: what it says, and that text from records stays text."""

from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.records import store
from smallvision.records.schema import StudyRecord
from smallvision.text import show_name
from smallvision.watching.page import render_main, render_page
from smallvision.watching.watcher import Watcher
from tests.gold.make_folders import FOLDERS
from tests.support.page import Page
from tests.support.study_folder import make_search
from tests.support.watched import UNDER_WAY, begin_study, unlock

HOSTILE = ("<script>alert(1)</script>", "\" onload='x'", "\u202eevil", "&lt;b&gt;", "a\x1b[2Jb")
PARTS = ["state", "facts", "faults", "curves", "panels", "trials", "rungs", "left-out"]


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return begin_study(tmp_path / "made-up-quick")


def draw(folder: Path, chosen: str = "") -> Page:
    return Page(render_page(Watcher(folder).look(), chosen))


def test_a_study_under_way(study: Path) -> None:
    page = draw(study)
    assert page.problems == []
    for phrase in (
        "Running: 4 of 9 rungs done",
        "wrn-aug: Does augmentation help here too?",
        "wrn-aug: epoch 7 of 14",
        "budget 15 min",
        "Learning curves of wrn-aug",
        "vgg10-aug: 90.3 %",
        "86.1 % (83.8–88.1 %)",
        "it would take 6 min 40 s",
        "The report so far",
    ):
        assert phrase in page.text.replace("\u00a0", " ")


def test_the_script_finds_every_part_in_every_state(study: Path, tmp_path: Path) -> None:
    for folder in (study, tmp_path / "to-come", FOLDERS / "tuning", FOLDERS / "run"):
        snapshot = Watcher(folder).look()
        for text in (render_page(snapshot), render_main(snapshot)):
            page = Page(text)
            assert page.problems == []
            parts = [
                e.attributes["data-part"] for e in page.elements if "data-part" in e.attributes
            ]
            assert parts == PARTS


def test_the_policy_lets_the_script_ask_this_server_alone(study: Path) -> None:
    (policy,) = [
        e.attributes["content"]
        for e in draw(study).find("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    assert "connect-src 'self'; " in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_chosen_curve_is_shown(study: Path) -> None:
    assert "Learning curves of vgg10 " in draw(study, "vgg10").text
    for unknown in ("", "no-such-rung", "<b>"):
        assert "Learning curves of wrn-aug " in draw(study, unknown).text


def test_text_of_records_is_never_markup(study: Path) -> None:
    plain = draw(study)
    record = store.read(study / "study.json", StudyRecord)
    rungs = tuple(
        rung.change(note=text, question=text)
        for rung, text in zip(record.rungs, HOSTILE * 2, strict=True)
    )
    unlock(study)
    store.write(
        study / "study.json", record.change(rungs=rungs, name=HOSTILE[0], command=HOSTILE[0])
    )
    (study / "runs/vgg10/status.json").write_text("{")
    page = draw(study)
    assert page.problems == []
    assert len(page.find("script")) == len(plain.find("script")) == 1
    assert not [e for e in page.elements if any(name.startswith("on") for name in e.attributes)]
    assert {e.tag for e in page.elements} <= {e.tag for e in plain.elements} | {"code"}
    assert show_name(HOSTILE[0]) in page.text
    assert "\x1b" not in page.html
    assert "\u202e" not in page.html


def test_nothing_is_loaded_from_anywhere(study: Path) -> None:
    for element in draw(study).elements:
        assert element.tag not in {"img", "iframe", "object", "embed", "base", "form"}
        assert "style" not in element.attributes
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            value = element.attributes.get(name, "#")
            assert value.startswith(("#", "?", "data:,")) or value == "report"


def test_a_search_shows_its_trials(study: Path) -> None:
    store.write(study / "tune.json", make_search())
    (study / "study.json").unlink()
    text = draw(study).text
    assert "Trials done 10 of 12" in text
    assert "3 ended early, 1 failed" in text
    assert "ran to its end, best so far" in text


def test_a_fault_is_told(study: Path) -> None:
    (study / "runs" / UNDER_WAY / "status.json").write_text("{")
    text = draw(study).text
    assert "status.json is damaged" in text
    assert "What such a record said before is shown" in text
