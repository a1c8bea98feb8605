"""Write docs/RECORDS.md from the models of `smallvision.records.schema`.

`python docs/generate_records.py` writes the page; with `--check` it fails when the page is stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from smallvision.records import schema
from smallvision.records.schema import Record
from smallvision.records.schema.settings.base import Settings

PAGE = Path(__file__).with_name("RECORDS.md")
INTRODUCTION = """# Records
Every file of records, field by field. This page is generated from `smallvision.records.schema` by `make docs`.

Records hold fractions, seconds and bytes; percent appears only where people read. Times are ISO 8601 in UTC. Intervals are 95 % intervals, low and high. Besides the fields below, every JSON file holds `schema`, the version of the format (1), and every record, a line of JSON Lines too, ends in `sum`: 16 hexadecimal digits of the SHA-256 of its other fields. The sum is checked when a record is read; a record whose sum was left out after an edit is read as it is.

Every field is checked too: its type, its range, and whether lists that belong together are equally long. Where the table tells no upper end, a count has at most 10^15. Lists, texts and names have a greatest length, hashes and times a pattern, and names of files no slash. No field may be unknown or stand twice, and no number be infinite.

Arrays lie in `npz` files (`split.npz`: `train`, `val`; `predictions/val.npz`: `indices`, `labels`, `probabilities` of shape (N, K)), weights in `safetensors` files under a `manifest.json`, recipes in TOML. Nothing is pickled.
"""
FOLDERS = """
## Folders
```
STUDY/                    of `smallvision study`
  study.json  verdicts.json  test.json  ledger.jsonl  environment.json  split.json  split.npz
  exploration/            exploration.json and PNG pictures
  runs/RUNG/              a run folder for each rung
    tune/                 of the tuned rung: its search
    members/snapshots/    of the ensemble: the run whose snapshots it averages
  report.html             drawn from all of these

RUN/                      of `smallvision train`
  status.json  recipe.toml  recipe.diff.toml  environment.json  split.json  split.npz
  schedule.json  metrics.jsonl
  checkpoints/NNN/        model.safetensors  state.safetensors  average.safetensors  state.json  manifest.json
  checkpoints/paused/     the same, of a run that was stopped amid an epoch
  model/                  model.json  model.safetensors  manifest.json
  network.json            the layers of that model
  predictions/val.npz     what the model says of the validation images
  seeds.json  seeds/SEED/ repeats with other seeds, a run folder each
  folds.json  folds/K/    the other folds of a cross-validated rung, a run folder each
  refit/                  the run on training and validation images
  teacher/  distilled.json  of a student
  start/                  the model whose weights it began with, of a run with --start
  errors/                 errors.json and pictures
  test.json  ledger.jsonl   of a run that was tested on its own
  mirror.json             of whatever was kept in a store too (`--checkpoint-to`)

ENSEMBLE/                 a run folder without training, and
  ensemble.json  averaged/

TUNING/                   of `smallvision tune`
  tune.json  recipe.toml  tuned.toml  tune.sqlite3  environment.json  split.json  split.npz
  trials/NNN/             a run folder for each trial, without weights
  rerun/tuned-SEED/  rerun/untuned-SEED/   run folders
```
"""
SECTIONS: dict[str, tuple[type[Record], ...]] = {
    "Study": (schema.StudyRecord, schema.LadderVerdicts, schema.TestRecord, schema.LedgerEntry),
    "Data": (schema.SplitRecord, schema.ExplorationRecord),
    "Run": (
        schema.UnfinishedRun,
        schema.ValidatedRun,
        schema.AllImagesRun,
        schema.EpochMetrics,
        schema.LearningRateSchedule,
        schema.CheckpointState,
        schema.SeedSummary,
        schema.FoldSummary,
        schema.Distillation,
        schema.ErrorAnalysisRecord,
    ),
    "Ensemble and tuning": (schema.EnsembleRecord, schema.TuningRecord),
    "Model and environment": (
        schema.ModelRecord,
        schema.NetworkRecord,
        schema.Manifest,
        schema.ExportRecord,
        schema.HubConfig,
        schema.Environment,
        schema.CachedPart,
        schema.UnpackedArchive,
        schema.MirrorIndex,
    ),
    "Printed only": (
        schema.StudySummary,
        schema.ModelSheet,
        schema.ValidationScores,
        schema.Comparison,
    ),
}

VAST = 1e6  # an upper end from which on it only keeps nonsense out

NAMES: dict[Any, tuple[str, str]] = {
    str: ("text", "texts"),
    int: ("whole number", "whole numbers"),
    float: ("number", "numbers"),
    bool: ("true or false", "true or false"),
    Any: ("any value", "any values"),
}


def name_type(kind: Any) -> str:
    """A type as the page writes it."""
    if kind is NoneType or kind is None:
        return "null"
    if isinstance(kind, type) and issubclass(kind, Settings):
        return f"`{kind.model_fields['name'].default}`"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return f"[{kind.__name__}](#{kind.__name__.lower()})"
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return name_type(inner[0]) + name_range(inner[1:])
    if origin is Literal:
        return " or ".join(f"`{value}`" for value in inner)
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(name_type(one) for one in inner))
    if origin is tuple:
        if len(inner) == 2 and inner[1] is Ellipsis:
            return f"list of {name_many(inner[0])}"
        return f"list of {len(inner)} {name_many(inner[0])}"
    if origin is dict:
        return f"object of {name_many(inner[1])}"
    return NAMES[kind][0]


def name_range(rules: Sequence[Any]) -> str:
    """The range of a number, as the page writes it; nothing for other types."""
    flat = [
        one for rule in rules for one in (rule.metadata if hasattr(rule, "metadata") else [rule])
    ]
    low, high = (
        next((getattr(one, name) for name in names for one in flat if hasattr(one, name)), None)
        for names in (("ge", "gt"), ("le", "lt"))
    )
    if low is None or high is None:
        return ""
    return f" from {low:g} to {high:g}" if high < VAST else f" from {low:g}"


def name_many(kind: Any) -> str:
    """A type of which there are several, without their range."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return NAMES[kind][1] if kind in NAMES else name_type(kind)


def list_models(kind: Any) -> Iterator[type[Record]]:
    """The models that a type mentions."""
    if isinstance(kind, type) and issubclass(kind, Record):
        yield kind
    for inner in get_args(kind):
        yield from list_models(inner)


def write_model(model: type[Record]) -> Iterator[str]:
    """The section of one model."""
    yield f"### {model.__name__}"
    yield (model.__doc__ or "").replace("\n    ", "\n").strip()
    yield "\n| field | type | meaning |\n|---|---|---|"
    for name, field in model.model_fields.items():
        meaning = re.sub(r"\s+", " ", field.description or "")
        yield f"| `{name}` | {name_type(field.rebuild_annotation())} | {meaning} |"
    yield ""


def write_page() -> str:
    """The whole page."""
    lines = [INTRODUCTION, FOLDERS.strip(), ""]
    shown: set[type[Record]] = set()
    for title, models in SECTIONS.items():
        lines.append(f"## {title}")
        waiting = list(models)
        while waiting:
            model = waiting.pop(0)
            if model in shown:
                continue
            shown.add(model)
            lines += write_model(model)
            parts = [
                part
                for field in model.model_fields.values()
                for part in list_models(field.annotation)
            ]
            waiting[:0] = [part for part in dict.fromkeys(parts) if part not in shown]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Write the page, or check that it is not stale; returns the exit code."""
    page = write_page()
    if "--check" in sys.argv:
        if PAGE.read_text(encoding="utf-8") != page:
            print(f"{PAGE.name} is stale; run `make docs`")
            return 1
        return 0
    PAGE.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
