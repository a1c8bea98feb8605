"""Tables that a reader saves, in a real browser."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from smallvision.reporting import write_report
from tests.support.browser import WatchedTab, start_browser
from tests.support.records import edit_json
from tests.support.study_folder import NAMES, build_whole_study

FORMULAS = ('=1+1"', "+cmd", "-2", "@sum", *NAMES[4:])


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedTab]:
    """The page of a whole study whose classes have names that a spreadsheet would compute."""
    folder = build_whole_study(tmp_path_factory.mktemp("saved") / "study", FORMULAS)
    edit_json(folder / "runs/snapshot-ensemble/status.json", within_limits=True)
    path = write_report(folder).path
    assert path is not None
    with start_browser() as browser:
        found = WatchedTab(browser, accept_downloads=True)
        found.page.goto(path.as_uri())
        yield found
        found.close()


def save(tab: WatchedTab, table: str, tmp_path: Path) -> list[list[str]]:
    """The rows of the file that the button of a table gives."""
    tab.page.eval_on_selector_all("details", "folds => folds.forEach((fold) => (fold.open = true))")
    with tab.page.expect_download() as download:
        tab.page.locator(f"{table} .csv").first.click()
    path = tmp_path / "table.csv"
    download.value.save_as(path)
    assert download.value.suggested_filename.startswith("table-")
    text = path.read_bytes().decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_a_table_is_saved_as_plain_numbers_with_their_units_in_the_header(
    tab: WatchedTab, tmp_path: Path
) -> None:
    header, *rows = save(tab, ".rung-table", tmp_path)
    ends = ["validation from, %", "validation to, %"]
    assert header[:4] == ["rung", "validation, %", *ends]
    assert len(set(header)) == len(header)
    assert {len(row) for row in rows} == {len(header)}
    (found,) = (dict(zip(header, row, strict=True)) for row in rows if row[0] == "vgg10")
    low, value, high = (float(found[name]) for name in (ends[0], header[1], ends[1]))
    assert low < value == 86.1 < high
    assert float(found["training, s"]) > 0
    assert float(found["gap, points"]) == pytest.approx(
        float(found["train, clean, %"]) - value, abs=0.01
    )
    assert tab.said == []
    assert all(address.startswith(("file:", "blob:")) for address in tab.asked)


def test_what_begins_like_a_formula_is_guarded(tab: WatchedTab, tmp_path: Path) -> None:
    _, *rows = save(tab, ".classes", tmp_path)
    assert [row[0] for row in rows[:4]] == ["'=1+1\"", "'+cmd", "-2", "'@sum"]


def test_no_two_columns_have_one_name_and_hashes_are_whole(tab: WatchedTab) -> None:
    saved = tab.page.evaluate("all('main table').filter((one) => one.tHead).map(writeCsv)")
    assert len(saved) > 8
    for text in saved:
        header, *_ = csv.reader(io.StringIO(text, newline=""))
        assert len(set(header)) == len(header)
        assert "…" not in text


def test_every_table_can_be_saved(tab: WatchedTab) -> None:
    tables = tab.page.locator("main table").count()
    assert tables > 8
    assert tab.page.locator(".csv").count() == tables
