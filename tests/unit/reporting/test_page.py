"""The whole page, drawn from made-up studies: what it says, and what it must never do."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smallvision.records import store
from smallvision.records.schema import EpochMetrics
from smallvision.reporting import draw_report
from smallvision.reporting import page as module
from smallvision.reporting.sections import STUDY_SECTIONS
from smallvision.text import show_name
from tests.support.page import Page
from tests.support.records import edit_json
from tests.support.study_folder import (
    NAMES,
    WHOLE,
    build_study,
    build_whole_study,
    write_openings,
)

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(2)>',
    "</script><script>alert(3)</script>",
    "' onload='alert(4)",
    "{{ 7 * 7 }}{% raw %}",
    "<!-- -->",
    "javascript:alert(5)",
    "\u202eesrever",
    "x" * 255,
    "&lt;b&gt;",
)
SECTIONS = [section.name for section in STUDY_SECTIONS]


def load(path: Path) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def draw(folder: Path) -> Page:
    return Page(draw_report(folder).html)


def plain(drawn: Page) -> str:
    """The text of a page with ordinary spaces."""
    return drawn.text.replace("\u00a0", " ")


def list_sections(drawn: Page) -> list[str]:
    return [e.attributes["id"] for e in drawn.find("section") if e.attributes["id"] != "summary"]


def test_same_records_give_the_same_bytes(whole_folder: Path, html: str) -> None:
    assert draw_report(whole_folder).html == html


def test_a_page_is_small(html: str) -> None:
    assert len(html.encode()) < 600_000


def test_a_page_without_pictures_is_light(whole_copy: Path) -> None:
    """Ten rungs of a hundred epochs, as a kept study of CIFAR-10 has it: less than a megabyte."""
    for path in [*whole_copy.rglob("*.png"), *whole_copy.rglob("*.webp")]:
        path.unlink()
    for path in whole_copy.rglob("metrics.jsonl"):
        epochs = store.read_lines(path, EpochMetrics)
        spread = (epochs[k * len(epochs) // 100].change(epoch=k + 1) for k in range(100))
        store.write_lines(path, spread)
    html = draw_report(whole_copy).html
    assert "data:image" not in html
    assert len(html.encode()) < 1_000_000


def test_page_is_well_formed(page: Page) -> None:
    assert page.problems == []


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
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


def test_every_percentage_comes_from_the_records(whole_folder: Path, page: Page) -> None:
    known = {value for path in whole_folder.rglob("*.json") for value in numbers(load(path))}
    for path in whole_folder.rglob("metrics.jsonl"):
        known |= {
            value for line in path.read_text().splitlines() for value in numbers(json.loads(line))
        }
    confusion = load(whole_folder / "test.json")["confusion"]
    known |= {count / sum(row) for row in confusion for count in row}
    written = {f"{100 * value:.1f}" for value in known}
    # Whole percentages are the ends of axes; a measured one has a decimal.
    shown = re.findall(r"(\d+\.\d+) %", plain(page))
    assert len(shown) > 60
    assert set(shown) <= written


def test_first_screen_answers(short_folder: Path) -> None:
    text = plain(draw(short_folder))
    test, winner = load(short_folder / "test.json"), load(short_folder / "runs/wrn-aug/status.json")
    low, high = test["interval"]
    for phrase in (
        f"wrn-aug classifies {100 * test['accuracy']:.1f} % of unseen images correctly",
        f"interval is {100 * low:.1f}–{100 * high:.1f} %, from 1,250 test images",
        "opened once",
        "cannot be told apart",
        "all satisfied",
        f"model answers: {100 * winner['gap']:.1f} points, limit 10.0 points",
    ):
        assert phrase in text


def test_every_rung_class_and_sentence_is_there(whole_folder: Path, page: Page) -> None:
    text = page.text
    for rung in WHOLE:
        assert rung.name in text
        assert rung.question in text
        assert rung.note is None or rung.note in text
    for verdict in load(whole_folder / "verdicts.json")["steps"]:
        assert verdict["sentence"] in text
    for name in NAMES:
        assert text.count(name) >= 5
    for line in load(whole_folder / "exploration/exploration.json")["implications"]:
        assert line in text
    for part in load(whole_folder / "runs/snapshot-ensemble/errors/errors.json")["slices"]:
        assert part["sentence"] in text


def test_later_sections_tell_their_figures(page: Page) -> None:
    text = plain(page)
    for phrase in (
        "vgg10 (+31.3 points against mlp), vgg10-aug (+4.2 points against vgg10)",
        "In the place of wrn-se-cutmix.",
        "91.8 ± 0.4 % over 3 seeds",
        "among the 2 most probable ones for 97.1 % and among the 5 most probable ones for 99.5 %",
        "it takes 3.0 × the time per image (19.1 ms) and 3.0 × the space (12.9 MB)",
        "Of the 1,000 validation labels 7 look wrong to the model",
    ):
        assert phrase in text


def test_every_section_is_there_and_numbered(page: Page) -> None:
    assert list_sections(page) == SECTIONS
    links = [e.attributes["href"] for e in page.find("a")]
    assert links[0] == "#summary", "past the bar"
    assert links[1 : 1 + len(SECTIONS)] == [f"#{name}" for name in SECTIONS]
    assert links.count("#summary") == 1 + len(SECTIONS), "and a way back from each"


@pytest.mark.parametrize(
    ("gone", "section"),
    [
        ("runs/tuned/tune", "tuning"),
        ("runs/snapshot-ensemble/ensemble.json", "ensemble"),
        ("runs/snapshot-ensemble/errors", "errors"),
    ],
)
def test_sections_go_with_their_records(whole_copy: Path, gone: str, section: str) -> None:
    path = whole_copy / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    drawn = draw(whole_copy)
    assert drawn.problems == []
    assert list_sections(drawn) == [name for name in SECTIONS if name != section]
    assert "What this report cannot show" not in drawn.text


def test_rungs_left_out_take_one_line(whole_copy: Path) -> None:
    rungs = load(whole_copy / "study.json")["rungs"]
    rungs[7] |= {"status": "skipped", "error": None, "note": None}
    edit_json(whole_copy / "study.json", rungs=rungs)
    drawn = draw(whole_copy)
    assert drawn.text.count("Left out of this study on request: wrn-aug-mish.") == 2
    assert rungs[7]["question"] not in drawn.text


def test_rungs_without_time_are_named_with_the_reason(whole_copy: Path) -> None:
    rungs = load(whole_copy / "study.json")["rungs"]
    rungs[7] |= {"status": "skipped", "error": None, "note": "60 passes would take 2 h"}
    edit_json(whole_copy / "study.json", rungs=rungs)
    drawn = draw(whole_copy)
    assert "The budget had no time for wrn-aug-mish." in drawn.text
    assert "wrn-aug-mish: 60 passes would take 2 h" in drawn.text


def test_nothing_is_loaded_from_anywhere(page: Page) -> None:
    for element in page.elements:
        assert element.tag not in {"link", "iframe", "object", "embed", "base", "form"}
        assert "style" not in element.attributes
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster"):
            value = element.attributes.get(name, "#")
            assert value.startswith(("data:image/png;base64,", "data:image/webp;base64,", "#"))


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


def test_policy_knows_texts_by_their_hash() -> None:
    digest = base64.b64encode(hashlib.sha256(b"alert(1)").digest()).decode()
    policy = module.write_policy(("p{}",), ("alert(1)",))
    assert f"script-src 'sha256-{digest}'; " in policy
    assert policy.count("sha256-") == 2
    assert "script-src 'none'" in module.write_policy(("p{}",), ())


def test_json_cannot_leave_its_element() -> None:
    value = {"</script>": ["<!--", "]]>", "&lt;", "\u2028", "ä"]}
    text = module.embed_json(value)
    assert not set("<>&\u2028") & set(text)
    assert json.loads(text) == value


def test_pictures_and_tables_speak(page: Page) -> None:
    assert all(element.attributes.get("alt") for element in page.find("img"))
    assert all("scope" in header.attributes for header in page.find("th"))


def test_hostile_names_are_inert(tmp_path: Path, page: Page) -> None:
    folder = build_whole_study(tmp_path, HOSTILE)
    edit_json(folder / "study.json", name=HOSTILE[1], command=HOSTILE[2], best_reason=HOSTILE[0])
    drawn = draw(folder)
    assert drawn.problems == []
    assert len(drawn.find("script")) == len(page.find("script"))
    assert not [e for e in drawn.elements if any(name.startswith("on") for name in e.attributes)]
    assert {e.tag for e in drawn.elements} == {e.tag for e in page.elements}
    for name in HOSTILE:
        assert show_name(name) in drawn.text


def test_large_matrix_names_are_inert(tmp_path: Path) -> None:
    names = (*HOSTILE, *(f"class {index}" for index in range(40)))
    drawn = draw(build_study(tmp_path, names))
    assert drawn.problems == []
    assert len(drawn.find("script")) == 2
    assert "heat" in [e.attributes.get("id") for e in drawn.elements]


@pytest.mark.parametrize("K", [2, 100, 1_000])
def test_any_number_of_classes(tmp_path: Path, K: int) -> None:
    names = tuple(f"class {index}" for index in range(K))
    drawn = draw(build_study(tmp_path, names))
    assert drawn.problems == []
    assert names[-1] in drawn.text
    assert len(drawn.find("td")) < 20_000
    assert len(drawn.html) < 3_000_000


def test_more_than_one_opening_is_announced(folder: Path) -> None:
    write_openings(folder, 3)
    edit_json(folder / "test.json", openings=3)
    text = draw(folder).text
    assert text.count("was opened 3 times") >= 2
    assert "Only the first opening was blind." in text


@pytest.mark.parametrize(
    "gone",
    [
        "test.json",
        "verdicts.json",
        "split.json",
        "environment.json",
        "ledger.jsonl",
        "exploration/exploration.json",
        "exploration/random.png",
        "runs/vgg10/status.json",
        "runs/wrn-aug/status.json",
    ],
)
def test_missing_records_are_named(folder: Path, gone: str) -> None:
    (folder / gone).unlink()
    drawn = draw(folder)
    assert drawn.problems == []
    assert f"{gone} is missing" in drawn.text


def test_lost_pictures_leave_nothing_empty(whole_copy: Path, page: Page) -> None:
    for path in whole_copy.rglob("*.png"):
        path.unlink()
    drawn = draw(whole_copy)
    assert drawn.problems == []
    assert not drawn.find("img")
    classes = " ".join(e.attributes.get("class", "") for e in drawn.elements).split()
    assert not {"average", "strip", "side-by-side", "sheet"} & set(classes)
    assert "bare" in classes
    text = plain(drawn)
    for phrase in ("their average, and some of them", "have pictures", "the original first"):
        assert phrase in plain(page)
        assert phrase not in text
    assert "other pictures are missing" in text
    assert "What the averages tell" in text
    assert "Labels in doubt, in the order of" in text


def test_choices_are_explained_with_a_source_where_they_are_shown(whole_copy: Path) -> None:
    recipe = whole_copy / "runs/wrn/recipe.toml"
    recipe.write_text('[model]\nname = "wide_resnet"\n', encoding="utf-8")
    drawn = draw(whole_copy)
    assert drawn.problems == []
    text = plain(drawn)
    for phrase in (
        "all inputs have one scale",
        "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998",
        "It assumes a mirrored image keeps its label",
        "SGD with momentum and not Adam",
        "A patience of 1 cycle",
        "A rate that falls along a cosine",
        "0.1 for wide_resnet as in the publication of the network",
    ):
        assert phrase in text
    assert len(drawn.find("cite")) >= 8
    recipe.unlink()
    assert "SGD with momentum and not Adam" not in draw(whole_copy).text


def test_words_that_only_insiders_know_are_not_on_the_page(page: Page) -> None:
    words = set(page.text.lower().replace(",", " ").replace(".", " ").split())
    assert not {"sgdr", "pruned", "broken", "views"} & words


def test_study_that_has_only_begun(folder: Path, tmp_path: Path) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    shutil.copy(folder / "study.json", begun)
    rungs = load(begun / "study.json")["rungs"]
    rungs = [rung | {"status": "pending", "error": None} for rung in rungs]
    edit_json(begun / "study.json", best=None, best_reason=None, finished=None, rungs=rungs)
    drawn = draw(begun)
    assert "No winner yet: 0 of 5 rungs are done." in drawn.text
    assert "still sealed" in drawn.text
    assert drawn.problems == []


def test_numbering_counts_each_kind() -> None:
    numbering = module.Numbering()
    labels = [numbering.next(kind) for kind in ("Figure", "Table", "Figure")]
    assert labels == ["Figure 1", "Table 1", "Figure 2"]


def test_numbers_stay_with_their_units() -> None:
    keep = module.keep_together
    assert keep("0.3 points, 5 % and 3 minutes") == "0.3\u00a0points, 5\u00a0% and 3 minutes"


@pytest.mark.parametrize("state", ["running", "failed"])
def test_a_lone_run_that_is_not_finished(short_folder: Path, tmp_path: Path, state: str) -> None:
    run = Path(shutil.copytree(short_folder / "runs/wrn-cutmix", tmp_path / "run"))
    edit_json(run / "status.json", status=state)
    drawn = draw(run)
    assert drawn.problems == []
    assert list_sections(drawn) == ["training", "reproduce"]
    assert ("is not finished" in drawn.text) is (state == "running")
