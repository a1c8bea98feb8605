"""Runs for trackers: a finished one, and one that is under way."""

from __future__ import annotations

from pathlib import Path

from smallvision.recipes.toml import sum_recipe, write_toml
from smallvision.records import store
from smallvision.records.files import make_folder, write_text
from smallvision.records.schema import UnfinishedRun
from tests.support.records import make_metrics, make_status
from tests.support.runs import make_recipe


def begin_run(folder: Path, epochs: int = 1, data: str = "rows") -> Path:
    """Write the records of a run that has come to the end of some epochs."""
    recipe = make_recipe()
    make_folder(folder)
    write_text(folder / "recipe.toml", write_toml(recipe.plain()))
    status = UnfinishedRun(
        status="running", name="tiny", data=data, mirror_safe=True, recipe_sum=sum_recipe(recipe)
    )
    store.write(folder / "status.json", status)
    train_on(folder, epochs)
    return folder


def train_on(folder: Path, epochs: int) -> None:
    """Write the figures of so many epochs."""
    lines = [
        make_metrics(epoch, train_accuracy=0.5 + epoch / 100) for epoch in range(1, epochs + 1)
    ]
    store.write_lines(folder / "metrics.jsonl", lines)


def end_run(folder: Path, **changes: object) -> None:
    """Write the status of a finished run."""
    finished = make_status(recipe_sum=sum_recipe(make_recipe()), **changes)
    store.write(folder / "status.json", finished)
