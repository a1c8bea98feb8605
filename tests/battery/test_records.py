"""The family of strangers' records tries every field, and notices what is let through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ConfigDict

from smallvision.records import schema
from smallvision.records.schema import (
    Comparison,
    HubConfig,
    ModelSheet,
    Record,
    SplitRecord,
    StudySummary,
    ValidationScores,
)
from smallvision.records.schema.settings.networks import AnyModel, EnsembleSettings
from tests.battery import edges, records
from tests.battery.outcome import Outcome
from tests.battery.records import ROOTS, Trial, attempt, build, list_models, list_places, replaced

MODELS = {
    value
    for name in schema.__all__
    if isinstance(value := getattr(schema, name), type) and issubclass(value, Record)
}
# Which no file holds, or none that is read here.
PRINTED = (StudySummary, ValidationScores, Comparison, ModelSheet, HubConfig)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("records") / "inside")


def reach(*kinds: Any) -> set[type[Record]]:
    """The classes that types are made of."""
    return {model for kind in kinds for model in list_models(kind)}


def test_every_class_is_in_some_file() -> None:
    read = reach(*ROOTS.values())
    bases = {base for model in read | set(PRINTED) for base in model.__mro__}
    assert MODELS - read - reach(*PRINTED) - bases == set()
    assert read - MODELS == {*get_args(AnyModel), EnsembleSettings}


def test_every_field_of_every_class_is_tried(root: Path) -> None:
    places = list_places(root)
    tried = {(place.model, place.field) for place in places if place.is_field}
    assert tried == {
        (model, field) for model in reach(*ROOTS.values()) for field in model.model_fields
    }
    trials = records.list_trials(root)
    assert {(trial.place.file, trial.place.path) for trial in trials} == {
        (place.file, place.path) for place in places
    }


def test_the_bounds_that_are_tried_are_those_of_the_types(root: Path) -> None:
    known = edges.read_known()
    assert known == json.loads(json.dumps(edges.list_bounds())), "python -m tests.battery.edges"
    tried = {trial.name.partition(":")[0] for trial in edges.list_beyond(root)}
    tried |= {name.split(":")[0].split(" ")[1] for name, _, _ in edges.list_recipes()}
    assert len(known.keys() - tried) < 0.05 * len(known), "too few fields have a value anywhere"


def loosen(**config: Any) -> type[Record]:
    """The class of `split.json` with other rules."""
    return type("Loose", (SplitRecord,), {"model_config": ConfigDict(**config), "__doc__": ""})


def test_what_must_be_refused_is(root: Path) -> None:
    assert try_split(root) == []


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"extra": "ignore"}, "another field, odd key 0: was read"),
    ],
)
def test_what_is_let_through_is_noticed(
    config: dict[str, Any], said: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ROOTS, "split.json", loosen(**config))
    kinds = ("a number as text", "another field")
    assert any(failure.endswith(said) for failure in try_split(root, *kinds))


def try_split(root: Path, *kinds: str) -> list[str]:
    """What fails of all that is done to `split.json`, or of some kinds of it."""
    outcome = Outcome("")
    trials: list[Trial] = [
        trial for trial in records.list_trials(root) if trial.place.file.name == "split.json"
    ]
    for trial in trials:
        if kinds and not any(kind in trial.name for kind in kinds):
            continue
        with outcome.trial(trial.name), replaced(trial.place.file, trial.make()):
            attempt(trial, outcome)
    assert outcome.trials > (20 if kinds else 500)
    return outcome.failures
