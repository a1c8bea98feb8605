"""The report as people read it in Chromium: wide, on a phone, in print, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from smallvision.reporting import draw_report, write_report
from smallvision.reporting.sections import STUDY_SECTIONS
from tests.support.browser import WatchedTab, find_barriers, start_browser
from tests.support.study_folder import NAMES, build_whole_study

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SECTIONS = [section.name for section in STUDY_SECTIONS]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
WALL = {"viewport": {"width": 2560, "height": 1300}}
FITS = "document.documentElement.scrollWidth <= innerWidth"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@pytest.fixture(scope="module")
def drawn(whole_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a whole study of ten classes."""
    path = write_report(whole_folder, tmp_path_factory.mktemp("page") / "report.html").path
    assert path is not None
    return path


Opener = Callable[..., WatchedTab]


@pytest.fixture
def open_page(browser: Browser, drawn: Path) -> Iterator[Opener]:
    tabs = []

    def go(path: Path | None = None, anchor: str = "", **settings: Any) -> WatchedTab:
        tab = WatchedTab(browser, **(DESKTOP | settings))
        tabs.append(tab)
        tab.page.goto((path or drawn).as_uri() + anchor)
        return tab

    yield go
    for tab in tabs:
        assert tab.said == [], "nobody complains"
        assert {address.partition("#")[0].rpartition("/")[2] for address in tab.asked} == {
            "report.html"
        }, "nothing is loaded"
        tab.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP, WALL], ids=["390", "1280", "2560"])
def test_every_section_is_read_without_a_barrier(
    open_page: Opener, device: dict[str, Any], theme: str
) -> None:
    page = open_page(**device, color_scheme=theme).page
    if device is PHONE:
        for name in SECTIONS:
            assert not page.is_visible(f"#{name}-body")
            page.click(f"#{name}-title button")
    for name in SECTIONS:
        assert page.is_visible(f"#{name}-body")
    assert page.evaluate(FITS)
    page.click(".confusion .matrix tbody tr:nth-child(4) td:nth-child(6) button")
    assert find_barriers(page) == []
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 22, 27)"}[theme]


def test_a_cell_of_the_matrix_shows_its_validation_pictures(open_page: Opener) -> None:
    page = open_page().page
    assert page.is_visible("text=A click on a cell shows validation images of the same kind")
    cell = page.locator(".confusion .matrix tbody tr").nth(3).locator("button")
    count = cell.nth(4).inner_text()
    cell.nth(4).click()
    said = page.inner_text("#cell-says")
    assert said.startswith(f"cat predicted as deer: {count} test image")
    assert said.endswith("Kept in this page: 2 of the validation images of that kind:")
    assert page.locator("#cell-shots li").count() == 2
    assert page.is_visible("#cell-shots li:first-child svg use")
    cell.nth(9).click()
    assert "No validation image of that kind" in page.inner_text("#cell-says")
    assert page.locator("#cell-shots li").count() == 0
    cell.nth(4).click()
    assert page.locator("td button[aria-pressed='true']").count() == 1
    assert cell.nth(4).get_attribute("aria-pressed") == "true"
    cell.nth(4).click()
    assert page.locator("td button[aria-pressed='true']").count() == 0
    assert page.inner_text("#cell-says") == ""
    assert page.locator("#cell-shots li").count() == 0
    cell.nth(4).click()
    page.click("#cell-says a")
    assert page.input_value("#gallery-true") == "3"
    assert page.input_value("#gallery-predicted") == "4"
    said = page.inner_text("#gallery-says")
    assert said.startswith("Kept in this page: 2 of the validation images of that kind.")


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["390", "1280"])
def test_marks_of_an_axis_stand_below_the_lines_of_its_rows(
    open_page: Opener, device: dict[str, Any]
) -> None:
    page = open_page(**device).page
    page.evaluate(
        "document.querySelectorAll('.body').forEach((one) => one.removeAttribute('hidden'))"
    )
    ends = page.evaluate(
        """[...document.querySelectorAll('.rungs + .axis')].map((axis) => {
            const [row, marks] = [axis.previousElementSibling.querySelector('.track'),
                axis.querySelector('svg')].map((one) => one.getBoundingClientRect());
            return [row.left - marks.left, row.right - marks.right];
        })"""
    )
    assert len(ends) > 3
    assert all(abs(end) < 0.5 for pair in ends for end in pair), ends


def test_arrow_keys_go_from_cell_to_cell(open_page: Opener) -> None:
    page = open_page().page
    page.focus(".confusion .matrix td button[tabindex='0']")
    for key in (
        "ArrowUp",
        "ArrowDown",
        "ArrowDown",
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "ArrowUp",
    ):
        page.keyboard.press(key)
    page.keyboard.press("Enter")
    assert page.inner_text("#cell-says").startswith("car predicted as car: ")
    assert page.locator(".confusion .matrix td button[tabindex='0']").count() == 1


def test_the_gallery_is_filtered_by_both_classes(open_page: Opener) -> None:
    page = open_page().page
    page.select_option("#gallery-predicted", value="wrong")
    assert page.inner_text("#gallery-says").startswith("Kept in this page: 40 of"), "all errors"
    assert page.locator("#gallery-shots li").count() == 20
    page.click("#gallery-more")
    assert page.locator("#gallery-shots li").count() == 40
    assert not page.is_visible("#gallery-more")
    page.select_option("#gallery-true", label="dog")
    assert page.inner_text("#gallery-says").startswith("Kept in this page: 4 of")
    page.select_option("#gallery-predicted", value="")
    assert page.inner_text("#gallery-says").startswith("Kept in this page: 14 of")
    page.select_option("#gallery-true", value="")
    page.select_option("#gallery-predicted", label="frog")
    texts = page.locator("#gallery-shots li").all_inner_texts()
    assert len(texts) == 14
    assert {text.split()[0] for text in texts} == {"deer", "dog", "frog"}
    page.select_option("#gallery-true", label="truck")
    assert (
        page.inner_text("#gallery-says") == "No validation image of that kind is kept in this page."
    )


def test_the_map_lights_and_reads_what_the_filters_list(open_page: Opener) -> None:
    page = open_page().page
    data = page.evaluate("JSON.parse(document.querySelector('#gallery-data').textContent)")
    count_lit = """() => [...document.querySelectorAll('#map-chosen path')]
        .flatMap((path) => path.getAttribute('d').match(/M/g)).length"""
    mapped = [image for image in data["images"] if len(image) == 6]
    said = page.inner_text("#gallery-says")
    assert said.startswith(f"Kept in this page: {len(data['images'])} of")
    assert said.endswith(f"On the map: {len(mapped)}.")
    assert page.locator("#map-all.dim").count() == 0, "nothing is filtered"
    page.locator("#map").hover()
    assert page.locator("#map-says svg").count() == 1
    page.select_option("#gallery-predicted", value="wrong")
    wrong = [image for image in mapped if image[1] != image[2]]
    assert page.inner_text("#gallery-says").endswith(f"On the map: {len(wrong)}.")
    assert page.locator("#map-all.dim").count() == 1
    assert page.evaluate(count_lit) == len(wrong)
    assert page.locator("#map-says svg").count() == 0, "what was read before is gone"
    page.locator("#map").hover(position={"x": 5, "y": 5})
    read = page.inner_text("#map-says")
    assert any(f"({image[0]})" in read for image in wrong)


def test_images_of_the_gallery_and_headings_of_pairs_are_clicked(open_page: Opener) -> None:
    page = open_page().page
    link = page.locator(".couples a").first
    pair = link.get_attribute("data-label"), link.get_attribute("data-predicted")
    link.click()
    assert (page.input_value("#gallery-true"), page.input_value("#gallery-predicted")) == pair
    page.locator("#gallery-shots button").first.click()
    assert page.is_visible("#map-says svg.tile")


def test_arrow_keys_read_the_map_and_the_curves(open_page: Opener) -> None:
    page = open_page().page
    page.focus("#map")
    page.keyboard.press("ArrowRight")
    first = page.get_attribute("#map-here", "cx")
    page.keyboard.press("ArrowRight")
    second = page.get_attribute("#map-here", "cx")
    assert first is not None
    assert second is not None
    assert float(first.rstrip("%")) < float(second.rstrip("%"))
    chart = "#curves > div:not([hidden])"
    page.focus(f"{chart} .drawing")
    for epoch in (1, 2):
        page.keyboard.press("ArrowRight")
        assert page.inner_text(f"{chart} .says").startswith(f"Epoch {epoch}. Accuracy: ")
    page.locator(f"{chart} .column").first.hover()
    assert page.inner_text(f"{chart} .says").startswith("Epoch 1. ")


def test_a_dot_of_the_map_shows_its_picture(open_page: Opener) -> None:
    page = open_page().page
    data = page.evaluate("JSON.parse(document.querySelector('#gallery-data').textContent)")
    mapped = [image for image in data["images"] if len(image) == 6]
    assert page.locator("#map-here.there").count() == 0
    called, label, _, _, x, y = mapped[17]
    page.locator("#map").scroll_into_view_if_needed()
    box = page.locator("#map").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * x / 100, box["y"] + box["height"] * y / 100)
    assert f"({called})" in page.inner_text("#map-says")
    assert data["names"][label] in page.inner_text("#map-says")
    assert page.is_visible("#map-says svg.tile")
    assert page.locator("#map-here.there").count() == 1
    rank = data["images"].index(mapped[17])
    corner = page.get_attribute("#map-says svg.tile", "viewBox")
    assert corner == f"{rank % 12 * 13} {rank // 12 * 13} 12 12"


def test_choosing_a_class_dims_the_others(open_page: Opener) -> None:
    page = open_page().page
    assert page.locator("#map-all.dim").count() == 0
    page.select_option("#gallery-true", label="dog")
    page.select_option("#gallery-predicted", value="")
    assert page.locator("#map-all.dim").count() == 1
    (path,) = page.locator("#map-chosen path").all()
    assert path.get_attribute("class") == f"class-{NAMES.index('dog')}"
    assert (path.get_attribute("d") or "").count("M") == 12


def test_sections_are_folded_on_a_phone_and_there_is_a_way_back(open_page: Opener) -> None:
    page = open_page(**PHONE).page
    folded = page.evaluate("document.documentElement.scrollHeight")
    assert not page.is_visible("#menu")
    page.click("button.menu")
    page.click("#menu a[href='#ladder']")
    assert not page.is_visible("#menu")
    assert page.is_visible("#ladder-body")
    page.wait_for_function("document.querySelector('.menu-says').textContent.includes('Ladder')")
    assert page.evaluate("document.documentElement.scrollHeight") > folded + 1000
    page.locator("#ladder .back a").click()
    assert page.is_visible("#menu"), "the list of the sections"
    assert page.is_visible("#ladder-body"), "what was read stays open"
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#ladder"
    page.keyboard.press("Escape")
    page.locator("#ladder-title button").click()
    page.wait_for_function("document.querySelector('.menu-says').textContent === 'Sections'")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert page.is_visible("#ladder-body")
    assert page.locator("h2 button").count() == 0


def test_a_link_into_a_section_opens_it(open_page: Opener) -> None:
    page = open_page(anchor="#errors", **PHONE).page
    assert page.is_visible("#errors-body")
    assert not page.is_visible("#data-body")
    page.locator("#summary a[href='#reproduce']").click()
    assert page.is_visible("#reproduce-body")
    page.evaluate("location.hash = 'data'")
    page.wait_for_selector("#data-body", state="visible")


def test_tables_are_lists_of_figures_on_a_phone(open_page: Opener) -> None:
    page = open_page(**PHONE).page
    page.click("#ladder-title button")
    cell = page.locator(".rung-table tbody tr").first.locator("td").first
    assert page.evaluate(
        "cell => getComputedStyle(cell, '::before').content", cell.element_handle()
    )
    assert cell.get_attribute("data-label") == "validation"
    width = page.locator(".rung-table").bounding_box()
    assert width is not None
    assert width["x"] + width["width"] <= 390


def test_the_bar_says_where_the_reader_is(open_page: Opener) -> None:
    page = open_page().page
    page.locator("#training-title").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#training').scrollIntoView()")
    page.wait_for_selector("#menu a[href='#training'][aria-current]")
    assert page.locator("#menu a[aria-current]").count() == 1


def test_curves_of_another_run_are_chosen_and_tables_sorted(open_page: Opener) -> None:
    page = open_page().page
    page.check(".panel input >> nth=0", force=True)
    assert page.inner_text("#curves > div:not([hidden]) h3") == "mlp"
    page.click(".rung-table thead button >> text=parameters")
    first = page.locator(".rung-table tbody th").first.inner_text()
    assert first.startswith("snapshot-ensemble")


def test_the_theme_is_changed(open_page: Opener) -> None:
    page = open_page(color_scheme="light").page
    page.click("button.theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(19, 22, 27)"


@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["390", "1280"])
def test_print_shows_all_that_is_folded(open_page: Opener, device: dict[str, Any]) -> None:
    page = open_page(**device).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    for name in SECTIONS:
        assert page.is_visible(f"#{name}-body")
    assert page.locator("details:not([open])").count() == 0
    curve = page.locator("#curves > div:not([hidden]) .drawing").first.bounding_box()
    assert curve is not None
    assert curve["height"] > 200, "the large curve"
    assert not page.is_visible("#gallery-shots")
    assert page.is_visible("#map")
    kept = page.evaluate(
        "[...document.querySelectorAll('h2, h3, h4, caption, legend')]"
        ".filter((one) => getComputedStyle(one).breakAfter !== 'avoid').length"
    )
    assert kept == 0, "no heading is left at the foot of a sheet"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details:not([open])").count() > 0
    pdf = page.pdf(format="A4")
    assert 10 < len(re.findall(rb"/Type /Page\b", pdf)) < 45


def test_without_scripts_everything_is_readable(open_page: Opener) -> None:
    page = open_page(**PHONE, java_script_enabled=False).page
    for name in SECTIONS:
        assert page.is_visible(f"#{name}-body")
    assert page.is_visible("#menu")
    assert page.is_visible("svg.tiles")
    for selector in (".with-script", "button.menu", "button.theme"):
        assert not [one for one in page.locator(selector).all() if one.is_visible()]


def test_a_large_matrix_is_clicked_too(open_page: Opener, tmp_path: Path) -> None:
    names = tuple(f"class {k}" for k in range(30))
    folder = build_whole_study(tmp_path / "study", names)
    page = open_page(write_report(folder, tmp_path / "report.html").path).page
    page.locator("#heat").click(position={"x": 2, "y": 2})
    assert page.inner_text("#cell-says").startswith("class 0 predicted as class 0: ")
    assert page.locator("#cell-shots li").count() == 10
    page.select_option("#heat-class", label="class 1")
    page.locator("#heat-list button").first.click()
    assert page.inner_text("#cell-says").startswith("class 1 predicted as class 1: ")


def test_lost_pictures_leave_a_map_and_no_buttons(open_page: Opener, tmp_path: Path) -> None:
    folder = build_whole_study(tmp_path / "study")
    for path in [*folder.rglob("*.png"), *folder.rglob("*.webp")]:
        path.unlink()
    page = open_page(write_report(folder, tmp_path / "report.html").path).page
    assert page.locator("td button").count() == 0
    assert not page.is_visible("text=A click on a cell")
    page.locator("#map").hover()
    assert "(image " in page.inner_text("#map-says")
    assert page.locator("#map-says svg").count() == 0


def test_parts_of_a_page_are_not_folded(
    open_page: Opener, whole_folder: Path, tmp_path: Path
) -> None:
    path = tmp_path / "report.html"
    path.write_text(draw_report(whole_folder, ("errors",)).html, encoding="utf-8")
    page = open_page(path, **PHONE).page
    assert page.is_visible("#errors-body")
    assert page.inner_text("#gallery-says").startswith("Kept in this page: ")
