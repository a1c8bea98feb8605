"""The whole page, drawn from a made-up study: what it says, and what it must never do."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smallvision.reporting import Report, draw_report, write_report
from tests.gold.page_text import Page
from tests.gold.story_folder import STORY, build_story
from tests.gold.study_folder import NAMES, build_study, edit_json, opening, save_lines

GOLD = Path(__file__).with_name("report.html")
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "' onload='alert(4)",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- -->",
    "javascript:alert(5)",
    "\u202eesrever",
    "x" * 300,
    "&lt;b&gt;",
)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of five rungs as older versions wrote it."""
    return build_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of the whole ladder."""
    return build_story(tmp_path_factory.mktemp("story"))


@pytest.fixture(scope="module")
def html(study: Path) -> str:
    return draw_report(study).html


@pytest.fixture(scope="module")
def story_html(story: Path) -> str:
    return draw_report(story).html


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def story_page(story_html: str) -> Page:
    return Page(story_html)


@pytest.fixture(scope="module", params=["study", "story"])
def either(request: pytest.FixtureRequest) -> tuple[Path, Page]:
    """Both folders, each with its page."""
    page = "page" if request.param == "study" else "story_page"
    return request.getfixturevalue(request.param), request.getfixturevalue(page)


def read(path: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return record


def scrub(html: str) -> str:
    """Leave out what is a file of its own or changes with a version of plotly or pillow."""
    html = re.sub(r"<style>.*?</style>", "<style></style>", html, flags=re.DOTALL)
    html = re.sub(r"<script>.*?</script>", "<script></script>", html, flags=re.DOTALL)
    html = re.sub(r'(id="figures">).*?<', r"\1<", html)
    html = re.sub(r"sha256-[\w+/]+=*", "sha256-HASH", html)
    html = re.sub(r"data:image/png;base64,[\w+/=]+", "data:PICTURE", html)
    return re.sub(r"\n\s*\n", "\n", html)


def test_page_is_the_gold_page(story_html: str, tmp_path: Path) -> None:
    drawn = scrub(story_html)
    if os.environ.get("UPDATE_GOLD"):
        GOLD.write_text(drawn, encoding="utf-8")
    actual = tmp_path / "report.html"
    actual.write_text(drawn, encoding="utf-8")
    same = drawn == GOLD.read_text(encoding="utf-8")
    assert same, f"compare {actual} with {GOLD}; UPDATE_GOLD=1 accepts the new page"


def test_same_records_give_the_same_bytes(study: Path, html: str) -> None:
    assert draw_report(study).html == html


def test_page_is_well_formed(either: tuple[Path, Page]) -> None:
    _, page = either
    assert page.problems == []


def test_ids_are_unique_and_links_lead_somewhere(either: tuple[Path, Page]) -> None:
    _, page = either
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    links = {element.attributes["href"] for element in page.find("a")}
    assert links <= {f"#{name}" for name in ids}
    for name in ("aria-labelledby", "for"):
        wanted = {e.attributes[name] for e in page.elements if name in e.attributes}
        assert wanted <= set(ids)


def numbers(record: Any) -> Iterator[float]:
    """All numbers of a record, however deep."""
    if isinstance(record, dict):
        record = list(record.values())
    if isinstance(record, list):
        for value in record:
            yield from numbers(value)
    elif isinstance(record, int | float) and not isinstance(record, bool):
        yield float(record)


def test_every_percentage_comes_from_the_records(either: tuple[Path, Page]) -> None:
    study, page = either
    known = {value for path in study.rglob("*.json") for value in numbers(read(path))}
    confusion = read(study / "test.json")["confusion"]
    known |= {count / sum(row) for row in confusion for count in row}
    written = {f"{100 * value:.1f}" for value in known}
    # Whole percentages are the ends of axes; a measured one has a decimal.
    shown = re.findall(r"(\d+\.\d+)[ \u00a0]%", page.text)
    assert len(shown) > 60
    assert set(shown) <= written


def test_first_screen_answers(study: Path, page: Page) -> None:
    card, winner = read(study / "test.json"), read(study / "runs/wrn-aug/status.json")
    low, high = card["interval"]
    for phrase in (
        f"wrn-aug classifies {100 * card['accuracy']:.1f} % of unseen images correctly",
        f"interval is {100 * low:.1f}–{100 * high:.1f} %, from 1,250 test images",
        "opened once",
        "cannot be told apart",
        "all satisfied",
        f"validation {100 * winner['gap']:.1f} points, limit 10.0 points",
    ):
        assert phrase in page.text.replace("\u00a0", " ")


def test_every_rung_class_and_sentence_is_there(study: Path, page: Page) -> None:
    text = page.text
    for rung in read(study / "study.json")["rungs"]:
        assert rung["name"] in text
        assert rung["question"] in text
        assert rung["error"] is None or rung["error"] in text
    for verdict in read(study / "verdicts.json")["steps"]:
        assert verdict["sentence"] in text
    for name in NAMES:
        assert text.count(name) >= 5
    for line in read(study / "exploration/exploration.json")["implications"]:
        assert line in text


def test_one_copy_of_plotly(html: str, story_html: str) -> None:
    for drawn in (html, story_html):
        assert drawn.count("plotly.js v") == 1
        assert len(drawn) < 6_000_000


SECTIONS = ("data", "protocol", "training", "ladder", "tuning", "ensemble", "evaluation", "errors",
            "reproduce")  # fmt: skip


def list_sections(page: Page) -> list[str]:
    return [e.attributes["id"] for e in page.find("section") if e.attributes["id"] != "summary"]


def test_whole_ladder_is_told(story: Path, story_page: Page) -> None:
    assert tuple(list_sections(story_page)) == SECTIONS
    text = story_page.text
    for rung in STORY:
        assert rung.name in text
        assert rung.question in text
        assert rung.note is None or rung.note in text
    for phrase in (
        "vgg10 (+31.3 points on mlp), vgg10-aug (+4.2 points on vgg10)",
        "Helped. snapshot-ensemble against tuned",
        "Did not help: it did harm. wrn-se-aug against wrn-aug",
        "Did not help as far as these images can tell. wrn-cutmix against wrn-aug",
        "In the place of wrn-se-cutmix.",
        "91.8 ± 0.4 % over 3 seeds",
        "among the 2 most likely ones for 97.1 % and among the 5 most likely ones for 99.5 %",
        "it takes 3.0 × the time per image (19.1 ms) and 3.0 × the space (12.9 MB)",
        "Of the 1,000 validation labels 7 look wrong to the model",
        "Dark images are harder than bright ones",
    ):
        assert phrase in text.replace("\u00a0", " ")
    for verdict in read(story / "verdicts.json")["steps"]:
        assert verdict["sentence"] in text


@pytest.mark.parametrize(
    ("gone", "section"),
    [
        ("runs/tuned/tune", "tuning"),
        ("runs/snapshot-ensemble/ensemble.json", "ensemble"),
        ("runs/snapshot-ensemble/errors", "errors"),
    ],
)
def test_sections_go_with_their_records(
    story: Path, tmp_path: Path, gone: str, section: str
) -> None:
    folder = tmp_path / "story"
    shutil.copytree(story, folder)
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    drawn = Page(draw_report(folder).html)
    assert drawn.problems == []
    assert tuple(list_sections(drawn)) == tuple(name for name in SECTIONS if name != section)
    assert "What this report cannot show" not in drawn.text


def test_older_studies_have_the_older_sections(page: Page) -> None:
    later = {"tuning", "ensemble", "errors"}
    assert list_sections(page) == [name for name in SECTIONS if name not in later]
    assert "How far to believe its probabilities" not in page.text


def test_rungs_left_out_take_one_line(story: Path, tmp_path: Path) -> None:
    folder = tmp_path / "story"
    shutil.copytree(story, folder)
    rungs = read(folder / "study.json")["rungs"]
    rungs[7] |= {"status": "skipped", "error": None}
    edit_json(folder / "study.json", rungs=rungs)
    drawn = Page(draw_report(folder).html)
    assert drawn.text.count("Left out of this study on request: wrn-aug-mish.") == 2
    assert "wrn-aug-mish failed" not in drawn.text
    assert rungs[7]["question"] not in drawn.text


def test_nothing_is_loaded_from_anywhere(either: tuple[Path, Page]) -> None:
    _, page = either
    for element in page.elements:
        assert element.tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "style" not in element.attributes
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            value = element.attributes.get(name, "#")
            assert value.startswith(("data:image/png;base64,", "#"))


def test_policy_runs_our_text_only(page: Page) -> None:
    (policy,) = [
        e.attributes["content"]
        for e in page.find("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; img-src data:; ")
    assert "unsafe" not in policy
    assert "http" not in policy
    # Nothing may run before the policy is read.
    assert policy in page.elements[3].attributes.get("content", "")


def test_pictures_and_tables_speak(either: tuple[Path, Page]) -> None:
    _, page = either
    assert all(element.attributes.get("alt") for element in page.find("img"))
    for drawing in page.find("svg"):
        named = "aria-label" in drawing.attributes
        hidden = drawing.attributes.get("aria-hidden") == "true"
        assert named or hidden or drawing.attributes.get("class") == "anchor"
    assert all("scope" in header.attributes for header in page.find("th"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = build_story(tmp_path_factory.mktemp("hostile"), HOSTILE)
    edit_json(folder / "study.json", name=HOSTILE[1], command=HOSTILE[2], best_reason=HOSTILE[0])
    return draw_report(folder).html


def test_hostile_names_are_inert(hostile: str, story_page: Page) -> None:
    drawn = Page(hostile)
    assert drawn.problems == []
    assert [e.tag for e in drawn.elements if e.tag == "script"] == ["script"] * 4
    assert not [e for e in drawn.elements if any(name.startswith("on") for name in e.attributes)]
    assert {e.tag for e in drawn.elements} == {e.tag for e in story_page.elements}
    for name in HOSTILE:
        assert " ".join(name.split()) in drawn.text


def test_large_matrix_names_are_inert(tmp_path: Path) -> None:
    names = (*HOSTILE, *(f"class {index}" for index in range(40)))
    drawn = Page(draw_report(build_study(tmp_path, names)).html)
    assert drawn.problems == []
    assert len(drawn.find("script")) == 4
    assert "heat" in [e.attributes.get("id") for e in drawn.elements]


@pytest.mark.parametrize("K", [2, 100, 1_000])
def test_any_number_of_classes(tmp_path: Path, K: int) -> None:
    names = tuple(f"class {index}" for index in range(K))
    html = draw_report(build_study(tmp_path, names)).html
    drawn = Page(html)
    assert drawn.problems == []
    assert names[-1] in drawn.text
    assert len(drawn.find("td")) < 20_000
    assert len(html) < 8_000_000


def test_more_than_one_opening_is_announced(study: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    save_lines(folder / "ledger.jsonl", [opening(number) for number in (1, 2, 3)])
    edit_json(folder / "test.json", openings=3)
    text = Page(draw_report(folder).html).text
    assert text.count("was opened 3 times") >= 2
    assert "Only the first opening was blind." in text


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        ("test.json", "test.json is missing"),
        ("verdicts.json", "verdicts.json is missing"),
        ("split.json", "split.json is missing"),
        ("environment.json", "environment.json is missing"),
        ("ledger.jsonl", "ledger.jsonl is missing"),
        ("exploration", "exploration/exploration.json is missing"),
        ("exploration/random.png", "exploration/random.png is missing"),
        ("runs/vgg10", "runs/vgg10/status.json is missing"),
        ("runs/wrn-aug/status.json", "runs/wrn-aug/status.json is missing"),
    ],
)
def test_missing_records_are_named(study: Path, tmp_path: Path, gone: str, said: str) -> None:
    folder = tmp_path / "study"
    shutil.copytree(study, folder)
    path = folder / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    drawn = Page(draw_report(folder).html)
    assert drawn.problems == []
    assert said in drawn.text


def test_study_that_has_only_begun(study: Path, tmp_path: Path) -> None:
    record = read(study / "study.json")
    record |= {"best": None, "best_reason": None, "finished": None}
    record["rungs"] = [rung | {"status": "pending", "error": None} for rung in record["rungs"]]
    (tmp_path / "study.json").write_text(json.dumps(record), encoding="utf-8")
    html = draw_report(tmp_path).html
    drawn = Page(html)
    assert "No winner yet: 0 of 5 rungs are done." in drawn.text
    assert "still sealed" in drawn.text
    assert drawn.problems == []
    assert len(html) < 100_000, "there is no curve, so plotly is not carried along"


def test_write_report_writes_whole_files(study: Path, html: str, tmp_path: Path) -> None:
    out = write_report(study, tmp_path / "page.html").path
    assert out.read_text(encoding="utf-8") == html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_write_report_writes_into_the_study(tmp_path: Path) -> None:
    folder = build_study(tmp_path / "study", pictured=0)
    assert write_report(folder).path == folder / "report.html"


def test_notebook_shows_a_frame() -> None:
    shown = Report('<p class="a">&amp;</p>')._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;p class=&quot;a&quot;&gt;&amp;amp;')
    assert repr(Report("abc")) == "Report(3 characters)"


def test_report_needs_no_torch(study: Path) -> None:
    code = (
        "import sys, pathlib; from smallvision.reporting import draw_report; "
        f"draw_report(pathlib.Path({str(study)!r})); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
