"""The page of an exploration: what it says of which images, and what it never loads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from smallvision.data.dataset import DataSet
from smallvision.data.decoding.resize import OriginalSizes
from smallvision.data.imageset import ImageSet
from smallvision.data.loading.load import load_data
from smallvision.data.sealed_test import seal_test
from smallvision.exploration.explore import explore_dataset
from smallvision.reporting import draw_exploration
from tests.support.browser import WatchedTab, find_barriers, start_browser
from tests.support.page import Page

HOSTILE = "</script><b>cat"
NAMES = (HOSTILE, "dog", "ship")


@cache
def make_pictures(count: int = 120, *, sizes: OriginalSizes | None = None) -> DataSet:
    """Colour images with a copy of another class, a near-duplicate and a black one."""
    rng = np.random.default_rng(0)
    rough = rng.integers(0, 256, (count, 3, 8, 8))
    pixels = np.kron(rough, np.ones((4, 4))).astype(np.uint8)
    labels = np.arange(count) % 3
    pixels[1] = pixels[0]
    pixels[5] = np.clip(pixels[2].astype(int) + 9, 0, 255)
    pixels[7] = 0
    images = ImageSet(pixels, labels.astype(np.int64), NAMES)
    # All copies of an image are on one side, so the first images are trained on.
    val = ImageSet(pixels[-30:].copy(), images.labels[-30:].copy(), NAMES)
    test = seal_test(ImageSet(255 - pixels[:30], images.labels[:30].copy(), NAMES))
    train = images.take(np.arange(count - 30))
    return DataSet(f"pets {HOSTILE}", "tests", train, test, val, sizes=sizes)


@cache
def draw(sizes: OriginalSizes | None = None) -> str:
    return draw_exploration(*explore_dataset(make_pictures(sizes=sizes)).draw())


@pytest.fixture
def page() -> Page:
    return Page(draw())


def test_the_page_is_well_formed_and_its_names_are_text(page: Page) -> None:
    assert not page.problems
    assert "<b>cat" in page.text
    assert "<b>cat" not in page.html


def test_the_page_loads_nothing(page: Page) -> None:
    for element in page.elements:
        assert "style" not in element.attributes
        for name in ("src", "href", "srcset"):
            value = element.attributes.get(name, "#")
            assert re.match(r"#|data:image/(png|webp);base64,", value), value[:60]


def test_what_was_understood_is_told(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    assert "90 training images of 3 classes" in text
    assert "30 images to validate on and 30 images of the sealed test set had no part" in text
    assert "The source says which 30 images validate" in text


def test_pairs_outliers_and_map_are_shown(page: Page) -> None:
    text = page.text.replace("\u00a0", " ")
    assert "2 images have an identical copy, in 1 group; 1 of these has more than one class" in text
    assert "image 0 and image 1" in text
    assert "image 2 and image 5" in text
    assert "at least one label of each is wrong" in text
    assert "The darkest images, the most extreme first: brightness 0.000" in text
    data = json.loads(
        re.search(r'<script type="application/json" id="gallery-data">(.*?)</script>', page.html)[1]
    )
    assert len(data["images"]) == 90
    assert {called for called, *_ in data["images"]} == {f"image {i}" for i in range(90)}
    assert data["names"][0] == HOSTILE


def test_sizes_are_shown_where_pictures_had_others(page: Page) -> None:
    assert "sizes" not in [e.attributes.get("id") for e in page.find("section")]
    assert "sizes" not in [
        e.attributes.get("id")
        for e in Page(draw(OriginalSizes(1, (32, 32), (32, 32), (32, 32)))).find("section")
    ]
    sized = Page(draw(OriginalSizes(13, (20, 30), (1200, 900), (4000, 3000))))
    assert "sizes" in [e.attributes.get("id") for e in sized.find("section")]
    assert "from 20 × 30 to 4,000 × 3,000 pixels" in sized.text
    assert [e.attributes["width"] for e in sized.find("rect")][-4:] == [
        "100.0",
        "30.0",
        "0.5",
        "0.8",
    ]


def test_a_record_without_a_closer_look_is_no_page() -> None:
    record, pictures = explore_dataset(make_pictures()).draw()
    with pytest.raises(ValueError, match="no closer look"):
        draw_exploration(record.change(closer=None), pictures)


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with start_browser() as started:
        yield started


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_in_a_browser(browser: object, tmp_path: Path, width: int, scheme: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(draw(OriginalSizes(13, (20, 30), (1200, 900), (4000, 3000))), encoding="utf-8")
    tab = WatchedTab(browser, viewport={"width": width, "height": 900}, color_scheme=scheme)
    tab.page.goto(path.as_uri())
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= width
    assert not find_barriers(tab.page)
    if width == 1280:
        plane = tab.page.locator("#map")
        plane.scroll_into_view_if_needed()
        plane.hover(position={"x": 100, "y": 100})
        assert re.match(r".+ \(image \d+\)$", tab.page.locator("#map-says").inner_text())
        assert tab.page.locator("#map-says .tile").is_visible()
    tab.close()
    assert not tab.said
    assert [one for one in tab.asked if not one.startswith("data:")] == [path.as_uri()]


def test_without_scripts_the_page_reads(browser: object, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(draw(), encoding="utf-8")
    tab = WatchedTab(browser, viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    tab.page.goto(path.as_uri())
    assert tab.page.locator("#map path").count() == 3
    assert not tab.page.locator("#map-says").is_visible()
    for name in ("data", "alike", "extremes", "image_map"):
        assert tab.page.locator(f"#{name} .lead").first.is_visible()
    tab.close()


def test_images_are_called_by_their_files(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        for i in range(20):
            folder = tmp_path / "pets" / name
            folder.mkdir(parents=True, exist_ok=True)
            pixels = rng.integers(0, 256, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"<b>{i}.png")
    found = explore_dataset(load_data(tmp_path / "pets")).draw()
    page = Page(draw_exploration(*found))
    darkest = found[0].closer.extremes[0].images[0]
    assert darkest.source_file in page.text
    mapped = json.loads(page.html.split('id="gallery-data">')[1].split("</script>")[0])
    assert {one[0] for one in mapped["images"]} == {
        one.source_file for one in found[0].closer.map.images
    }
