"""Figures in the documents come from the committed records, and from nowhere else."""

from pathlib import Path

import pytest

from benchmarks.pages import BLOCK, BLOCKS, PAGES, PLOTS, fill
from benchmarks.records import RESULTS


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_documents_show_the_records(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert fill(text) == text, "`python -m benchmarks pages` writes them again"


@pytest.mark.parametrize("path", PLOTS, ids=lambda path: path.stem)
def test_the_plots_show_the_records(path: Path) -> None:
    written = path.read_text(encoding="utf-8") if path.exists() else None
    assert written == PLOTS[path]()


def test_every_block_is_in_a_document() -> None:
    shown = {found[2] for path in PAGES for found in BLOCK.finditer(path.read_text())}
    assert shown == {*BLOCKS, *(path.parent.name for path in RESULTS.glob("*/study.json"))}


def test_a_figure_that_no_record_holds_is_replaced() -> None:
    block = "<!-- results/pretrained -->\ntest **99.99 %**\n<!-- end -->"
    assert "99.99" not in fill(f"before\n{block}\nafter")
    assert fill(f"before\n{block}\nafter").startswith(
        "before\n<!-- results/pretrained -->\n`cifar10`:"
    )


def test_no_picture_and_no_weight_is_committed() -> None:
    kept = {path.suffix for path in RESULTS.rglob("*") if path.is_file()}
    assert kept <= {".json", ".jsonl", ".toml", ".md"}
