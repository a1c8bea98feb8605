"""`smallvision explore`: what is said of images, its page, and its folder of figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallvision.records import store
from smallvision.records.schema import ExplorationRecord
from smallvision.reporting.page import GENERATOR
from tests.support.commands import Outcome, assert_refused
from tests.support.page import Page

Call = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are written below the current folder."""
    monkeypatch.chdir(tmp_path)


def write_pictures(folder: Path) -> Path:
    """Colour pictures of many sizes in two classes; some are copies, nearly copies, or dark."""
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for number in range(20):
            rough = rng.integers(0, 256, (6, 6, 3)).astype(np.uint8)
            size = (48 + 8 * int(rng.integers(0, 6)), 48 + 8 * int(rng.integers(0, 6)))
            Image.fromarray(rough).resize(size).save(folder / name / f"{number}.png")
    for number in (3, 4):
        (folder / "dog" / f"copy{number}.png").write_bytes(
            (folder / "cat" / f"{number}.png").read_bytes()
        )
    Image.new("RGB", (64, 64)).save(folder / "cat" / "dark.png")
    (folder / "cat" / "notes.txt").write_text("none of them is a picture")
    return folder


def test_a_page_says_what_was_understood(smallvision: Call, tmp_path: Path) -> None:
    outcome = smallvision("explore", write_pictures(tmp_path / "pets"))
    assert outcome.code == 0, outcome.err
    path = Path("explorations", "pets.html")
    assert outcome.out.endswith(f"the page is {path}\n")
    page = Page(path.read_text(encoding="utf-8"))
    assert not page.problems
    text = page.text.replace("\u00a0", " ")
    assert "training images of 2 classes" in text
    assert "The pictures had" in text
    assert "notes.txt" in text
    assert [e.attributes["id"] for e in page.find("section")] == [
        "summary", "data", "alike", "extremes", "sizes", "image_map",
    ]  # fmt: skip


def test_nothing_but_the_page_is_written(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    assert smallvision("explore", rows).code == 0
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["explorations"]
    assert [path.name for path in Path("explorations").iterdir()] == ["rows.html"]


def test_no_page_leaves_nothing_behind(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    outcome = smallvision("explore", rows, "--no-page")
    assert "accuracy is a fair metric" in outcome.words
    assert not (tmp_path / "explorations").exists()


def test_an_earlier_page_is_replaced_and_nothing_else_is(smallvision: Call, rows: Path) -> None:
    path = Path("explorations", "rows.html")
    assert smallvision("explore", rows).code == 0
    assert GENERATOR in path.read_bytes()
    first = path.read_text(encoding="utf-8")
    assert smallvision("explore", rows).code == 0
    assert path.read_text(encoding="utf-8") == first
    path.write_text("<!doctype html><p>somebody's own", encoding="utf-8")
    assert_refused(smallvision("explore", rows), f"{path} is there and is no page of smallvision")
    assert path.read_text(encoding="utf-8") == "<!doctype html><p>somebody's own"
    path.unlink()
    path.mkdir()
    assert_refused(smallvision("explore", rows), "is no page of smallvision")


def test_json_stays_alone_on_standard_output(smallvision: Call, rows: Path) -> None:
    found = smallvision("explore", rows, "--json")
    assert json.loads(found.out)["page"] == str(Path("explorations", "rows.html"))
    assert "the page is" in found.err
    assert smallvision("explore", rows, "--json", "--no-page").json["page"] is None


def test_a_name_that_no_file_can_have(smallvision: Call, rows: Path) -> None:
    assert_refused(smallvision("explore", rows, "--name", "名" * 100), "explorations")


def test_figures_and_pictures_are_written(smallvision: Call, rows: Path, tmp_path: Path) -> None:
    outcome = smallvision("explore", rows, "--out", tmp_path / "look", "--no-page")
    assert outcome.code == 0, outcome.err
    assert "accuracy is a fair metric" in outcome.words
    record = store.read(tmp_path / "look" / "exploration.json", ExplorationRecord)
    assert record.n == 96
    assert all((tmp_path / "look" / name).exists() for name in record.list_files())


def test_the_same_images_and_seed_give_the_same_page(smallvision: Call, rows: Path) -> None:
    pages = []
    for seed in ("0", "0", "1"):
        assert smallvision("explore", rows, "--seed", seed).code == 0
        pages.append(Path("explorations", "rows.html").read_text(encoding="utf-8"))
    assert pages[0] == pages[1] != pages[2]


def test_mirror_images(smallvision: Call, rows: Path) -> None:
    assert "say --no-mirror" in smallvision("explore", rows, "--no-page").words
    assert "flips are left out" in smallvision("explore", rows, "--no-mirror", "--no-page").words
