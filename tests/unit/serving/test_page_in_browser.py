"""The page as people use it, in headless Chromium."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from smallvision.format import format_certainty
from tests.support.browser import WatchedTab, find_barriers, start_browser
from tests.support.served import (
    describe_served,
    make_stripe,
    write_served,
)
from tests.support.serving import serve_model

if TYPE_CHECKING:
    from playwright.sync_api import Browser

CLASSES = ("airplane", "bird", "cat", "deer", "dog", "frog", "horse", "ship")
HOSTILE = ("<img src=x onerror=alert(1)>", "\u202eevil", "__proto__", "..", "7", "x" * 255)
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
# Files as a browser hands them over when they are dropped or pasted.
TRANSFER = """([kind, name, content]) => {
  const transfer = new DataTransfer();
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  transfer.items.add(new File([bytes], name, { type: "image/png" }));
  const told = { bubbles: true, cancelable: true };
  document.body.dispatchEvent(kind === "paste"
    ? new ClipboardEvent(kind, { ...told, clipboardData: transfer })
    : new DragEvent(kind, { ...told, dataTransfer: transfer }));
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with start_browser() as started:
        yield started


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


Opener = Callable[..., WatchedTab]


@pytest.fixture
def open_tab(browser: Browser, stack: ExitStack, tmp_path: Path) -> Opener:
    """Open the page of a made-up model in a tab of its own."""

    def go(
        names: tuple[str, ...] = CLASSES,
        *,
        limit: float | None = None,
        keep: Path | None = None,
        token: str | None = None,
        **settings: Any,
    ) -> WatchedTab:
        about = describe_served(names, (3, 16, 16), limit=limit)
        path = write_served(tmp_path / "model.onnx", about)
        server = stack.enter_context(serve_model(path, token=token, keep=keep))
        address = f"http://127.0.0.1:{server.port}"
        tab = WatchedTab(browser, base_url=address, **(DESKTOP | settings))
        stack.callback(tab.close)
        tab.page.goto("/")
        return tab

    return go


def give_file(k: int, K: int = len(CLASSES), name: str = "stripe.png") -> Any:
    return {"name": name, "mimeType": "image/png", "buffer": make_stripe(k, K)}


def choose(tab: WatchedTab, *files: Any) -> None:
    tab.page.set_input_files("#choose", list(files))


def refuse_once(page: Any) -> None:
    """Let the first picture meet a busy server."""
    busy = {"status": 503, "headers": {"Retry-After": "1"}, "body": ""}
    page.route("**/v1/classify", lambda route: route.fulfill(**busy), times=1)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("device", [PHONE, DESKTOP], ids=["390", "1280"])
def test_a_picture_is_answered_without_a_word_or_a_request_to_elsewhere(
    open_tab: Opener, tmp_path: Path, device: dict[str, Any], theme: str
) -> None:
    tab = open_tab(limit=-1e6, keep=tmp_path / "kept", color_scheme=theme, **device)
    page = tab.page
    page.wait_for_selector("#facts div")
    assert find_barriers(page) == []
    choose(tab, give_file(2))
    page.wait_for_selector(".answer:not(.waiting) figure:nth-child(2) canvas")
    assert page.inner_text("h3").startswith("cat ")
    assert page.locator(".bars li").count() == 5
    assert page.inner_text(".bars li:first-child bdi") == "cat"
    assert page.is_visible("text=Unlike what it was trained on.")
    assert "stripe.png: cat" in page.inner_text("#says")
    page.click("summary >> text=3 more classes")
    page.click("summary >> text=Wrong?")
    page.wait_for_selector("details .bars li:nth-child(3)")
    assert find_barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 22, 27)"}[theme]
    assert page.is_visible("label[for=photograph]") == (device is PHONE)
    assert tab.said == []
    assert {address.rpartition("/")[0].split("/")[2] for address in tab.asked} == {
        page.url.split("/")[2]
    }


def test_the_picture_is_shown_as_the_model_sees_it(open_tab: Opener) -> None:
    page = (tab := open_tab()).page
    choose(tab, give_file(0))
    page.wait_for_selector("figure:nth-child(2) canvas")
    seen = page.locator("figure:nth-child(2) canvas")
    assert seen.get_attribute("aria-label") == ("stripe.png as the model sees it, 16 × 16 pixels")
    assert seen.evaluate("it => [it.width, it.height]") == [16, 16]
    assert seen.evaluate("it => getComputedStyle(it).imageRendering") == "pixelated"
    top, bottom = (
        seen.evaluate(f"it => it.getContext('2d').getImageData(8, {y}, 1, 1).data[0]")
        for y in (0, 15)
    )
    assert top > 200
    assert bottom == 0
    preview = page.locator("figure:nth-child(1) canvas")
    assert preview.evaluate("it => [it.width, it.height]") == [64, 48]


def test_all_is_done_with_the_keyboard(open_tab: Opener, tmp_path: Path) -> None:
    page = open_tab(keep=tmp_path / "kept").page
    page.wait_for_selector("#facts div")

    def press_until(selector: str, key: str = "Tab") -> None:
        for _ in range(20):
            page.keyboard.press(key)
            if page.evaluate("s => document.activeElement.matches(s)", selector):
                return
        raise AssertionError(f"{selector} is not reached")

    page.on("filechooser", lambda chooser: None)  # from now on none opens on the screen
    press_until("#choose")
    outline = "getComputedStyle(document.querySelector('label[for=choose]')).outlineStyle"
    assert page.evaluate(outline) == "solid"
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files([give_file(2)])
    page.wait_for_selector(".bars")
    press_until(".correct summary")
    page.keyboard.press("Enter")
    press_until(".correct select")
    for _ in range(1 + CLASSES.index("dog")):
        page.keyboard.press("ArrowDown")
    press_until(".correct button")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Kept as dog")
    assert page.evaluate("document.activeElement.textContent").startswith("Kept as dog")
    assert "stripe.png is kept as dog." in page.inner_text("#says")
    assert (tmp_path / "kept/dog/001.png").read_bytes() == make_stripe(2, len(CLASSES))
    # The way back from the last element leads out of the answers, without a trap.
    press_until("#choose", "Shift+Tab")


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_pictures_are_dropped_or_pasted(open_tab: Opener, kind: str) -> None:
    page = open_tab().page
    content = base64.b64encode(make_stripe(5, len(CLASSES))).decode()
    page.evaluate(TRANSFER, [kind, "given.png", content])
    page.wait_for_selector("h3 >> text=frog")
    assert page.is_visible("figcaption >> text=given.png")


def test_several_pictures_are_answered_in_their_order(open_tab: Opener) -> None:
    page = (tab := open_tab()).page
    choose(tab, *(give_file(k, name=f"{k}.png") for k in (1, 4, 6, 7)))
    page.wait_for_selector(".answer:nth-child(4) h3")
    assert [text.split(" ")[0] for text in page.locator("h3").all_inner_texts()] == [
        "bird",
        "dog",
        "horse",
        "ship",
    ]
    page.wait_for_selector("#says >> text=4 pictures are answered.", state="attached")
    page.click("#clear")
    assert page.is_hidden("#answers")
    assert page.evaluate("document.activeElement.id") == "choose"


def test_what_cannot_be_answered_keeps_no_other_from_its_answer(open_tab: Opener) -> None:
    page = (tab := open_tab()).page
    broken = {"name": "<b>notes</b>.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    choose(tab, broken, give_file(3))
    page.wait_for_selector(".answer:nth-child(2) h3")
    assert "is no PNG, JPEG" in page.inner_text(".answer:nth-child(1) .alert")
    assert page.inner_text(".answer:nth-child(1) figcaption") == "<b>notes</b>.txt"
    assert page.is_visible("text=This browser cannot show it.")
    with page.expect_response("**/v1/classify"):
        page.click("text=Try again")


def test_names_of_classes_and_files_are_text_and_never_act(
    open_tab: Opener, tmp_path: Path
) -> None:
    tab = open_tab(HOSTILE, keep=tmp_path / "kept", **PHONE)
    page = tab.page
    names = ["<img src=x onerror=alert(1)>", "\\u202eevil", "__proto__", "..", "7", "x" * 255]
    for k, name in enumerate(names):
        choose(tab, give_file(k, len(HOSTILE), name="\u202egnp.<i>x</i>.png"))
        page.wait_for_selector("h3")
        assert page.inner_text("h3 bdi") == name
        assert page.inner_text(".bars .first bdi") == name
        assert page.inner_text("figcaption >> nth=0").startswith("\\u202egnp.<i>x</i>.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.click("summary >> text=Wrong?")
        page.select_option("select", str(k))
        page.click(".correct button")
        page.wait_for_selector("text=Kept as")
        page.click("#clear")
    assert page.locator("main img, main i").count() == 0
    assert tab.said == []
    assert len(list((tmp_path / "kept").iterdir())) == len(HOSTILE)


def test_a_token_is_asked_for_until_it_is_right_and_kept_for_the_tab(open_tab: Opener) -> None:
    tab = open_tab(token="right")
    page = tab.page
    page.wait_for_selector("#token-field:focus")
    assert page.is_hidden("#drop")
    assert find_barriers(page) == []
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The server refused this token.")
    page.keyboard.type("right")
    page.keyboard.press("Enter")
    page.wait_for_selector("#facts div")
    assert page.is_hidden("#token")
    choose(tab, give_file(1))
    page.wait_for_selector("h3 >> text=bird")
    page.wait_for_selector("figure:nth-child(2) canvas")
    page.reload()
    page.wait_for_selector("#facts div")
    assert page.is_hidden("#token")
    assert "right" not in page.url
    assert page.evaluate("localStorage.length") == 0


def test_a_request_that_was_refused_before_the_token_was_given_asks_for_none(
    open_tab: Opener,
) -> None:
    page = open_tab().page
    page.evaluate("token.now = 'new'; token.ask('old')")
    assert page.is_hidden("#token")


def test_a_server_that_has_another_model_by_now_is_told(open_tab: Opener) -> None:
    page = (tab := open_tab()).page
    other = {"file": "picture", "class": "a", "probabilities": {"a": 1.0}, "unlike": None}
    page.route("**/v1/classify", lambda route: route.fulfill(json={"pictures": [other]}))
    choose(tab, give_file(1))
    page.wait_for_selector("text=The server has another model by now; load this page anew.")


def test_a_busy_server_is_asked_again(open_tab: Opener) -> None:
    page = (tab := open_tab()).page
    refuse_once(page)
    with page.expect_response(lambda answer: answer.status == 503):
        choose(tab, give_file(6))
    assert page.is_visible("text=Looking")
    page.wait_for_selector("h3 >> text=horse")


@pytest.mark.parametrize(("motion", "moving"), [("reduce", 0), ("no-preference", 1)])
def test_nothing_moves_for_those_who_do_not_want_it(
    open_tab: Opener, motion: str, moving: int
) -> None:
    page = (tab := open_tab(reduced_motion=motion)).page
    refuse_once(page)
    with page.expect_response(lambda answer: answer.status == 503):
        choose(tab, give_file(6))
    assert page.evaluate("document.getAnimations().length") == moving


def test_a_server_that_is_gone_is_told(open_tab: Opener, stack: ExitStack) -> None:
    page = (tab := open_tab()).page
    page.wait_for_selector("#facts div")
    page.route("**/v1/classify", lambda route: route.abort())
    choose(tab, give_file(6))
    page.wait_for_selector("text=The server does not answer, or the file is gone.")
    page.unroute("**/v1/classify")
    page.click("text=Try again")
    page.wait_for_selector("h3 >> text=horse")


def test_percentages_are_written_as_everywhere(open_tab: Opener) -> None:
    page = open_tab().page
    values = [0.0, 0.0004999, 0.0005, 0.0114, 0.5, 0.97381, 0.99949, 0.9995, 1.0]
    assert page.evaluate("values => values.map(percent)", values) == [
        format_certainty(value) for value in values
    ]
