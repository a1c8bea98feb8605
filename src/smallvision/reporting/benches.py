"""Measurements of speed as one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smallvision.errors import RecordError
from smallvision.records.files import read_json
from smallvision.reporting.page import (
    DRAWING_ERRORS,
    TEMPLATES,
    load_templates,
    write_page,
    write_policy,
)


def write_benches(folder: Path, out: Path | None = None) -> Path:
    """Draw all measurements of a folder and write the page, by default `FOLDER/report.html`.

    Raises:
        RecordError: there is no measurement, one is damaged, or `out` is not writable or no page.
    """
    path = out if out is not None else folder / "report.html"
    write_page(path, draw_benches(read_benches(folder)))
    return path


def read_benches(folder: Path) -> list[dict[str, Any]]:
    """All measurements of a folder, by kind and then by file name.

    Raises:
        RecordError: there is none, or one is damaged.
    """
    records = [{"name": path.stem, **read_json(path)} for path in sorted(folder.glob("*.json"))]
    records = [record for record in records if str(record.get("kind")) in LENGTHS]
    if not records:
        raise RecordError(f"{folder} holds no measurement; `smallvision bench step` makes one")
    return sorted(records, key=lambda record: list(LENGTHS).index(record["kind"]))


def draw_benches(records: list[dict[str, Any]]) -> str:
    """Draw the page; the same records give the same bytes.

    Raises:
        RecordError: a record lacks what its kind has.
    """
    for record in records:
        try:
            draw_page([record])
        except DRAWING_ERRORS as error:
            raise RecordError(
                f"{record['name']}.json is not as `bench` writes it ({error!r}); measure again"
            ) from error
    return draw_page(records)


def draw_page(records: list[dict[str, Any]]) -> str:
    """Draw what is known to be whole."""
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return (
        load_templates()
        .get_template("bench.html.j2")
        .render(
            records=records,
            bars={record["name"]: scale_bars(record) for record in records},
            sections=(),
            policy=write_policy((style,), ()),
            style=style,
        )
    )


def scale_bars(record: dict[str, Any]) -> dict[str, float]:
    """The length of each entry's bar, in percent of the longest of its table."""
    return {
        name: length / max(table.values()) * 100
        for table in LENGTHS[record["kind"]](record)
        for name, length in table.items()
    }


def take(entries: dict[str, Any], key: str) -> dict[str, float]:
    """One figure of each entry."""
    return {name: entry[key] for name, entry in entries.items()}


# From a record to the lengths of bars, a table at a time.
LENGTHS: dict[str, Callable[[dict[str, Any]], list[dict[str, float]]]] = {
    "race": lambda record: [take(record["seconds"], "mean")],
    "accuracy": lambda record: [{str(run["seed"]): run["seconds"] for run in record["runs"]}],
    "ablations": lambda record: [
        {name: 1 - variant["accuracy"]["mean"] for name, variant in record["variants"].items()}
    ],
    "step": lambda record: [{"the peak": 1.0, **take(record["steps"], "peak_share")}],
    "pipeline": lambda record: [
        take(record[part], "images_per_second") for part in ("paths", "augmentations")
    ],
    "predict": lambda record: [take(record["models"], "images_per_second")],
}
