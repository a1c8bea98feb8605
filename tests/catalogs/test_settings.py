"""Settings mirror the builders: same names, same defaults, and a card for people who choose."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

import pytest

from smallvision.augment import AUGMENTATIONS
from smallvision.models import MODELS
from smallvision.models.blocks import ACTIVATIONS
from smallvision.optim import OPTIMIZERS, SCHEDULES
from smallvision.predict import Tta, build_distillation_targets
from smallvision.recipes.settings.recipe import (
    TECHNIQUES,
    TeacherSettings,
    TtaSettings,
    find_technique,
)
from smallvision.records.schema.settings.base import Activation, Settings, Technique
from smallvision.training import AVERAGES

BUILDERS: dict[str, dict[str, Callable[..., Any]]] = {
    "model": {name: entry.build for name, entry in MODELS.items()},
    "augment": {name: entry.apply for name, entry in AUGMENTATIONS.items()},
    "optimizer": dict(OPTIMIZERS),
    "schedule": dict(SCHEDULES),
    "averaging": dict(AVERAGES),
}
NAMED = [(part, name, find_technique(part, name)) for part in BUILDERS for name in BUILDERS[part]]
PAIRS: list[tuple[Callable[..., Any], type[Settings]]] = [
    *((BUILDERS[part][name], settings) for part, name, settings in NAMED),
    (Tta, TtaSettings),
    (build_distillation_targets, TeacherSettings),
]
NAMES = {"name", "model"}  # which builder, or which teacher
TOLD = {"indices", "epoch", "seed"}  # what an augmentation that remembers is told by the batch


@pytest.mark.parametrize(("build", "mirror"), PAIRS)
def test_same_names_and_defaults(build: Callable[..., Any], mirror: type[Settings]) -> None:
    parameters = inspect.signature(build).parameters.values()
    expected = {
        p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in TOLD
    }
    fields = {
        name: field.default for name, field in mirror.model_fields.items() if name not in NAMES
    }
    assert fields == expected


@pytest.mark.parametrize("part", TECHNIQUES)
def test_every_technique_has_a_builder(part: str) -> None:
    assert {kind().name for kind in TECHNIQUES[part]} == set(BUILDERS[part])


@pytest.mark.parametrize(("part", "name", "settings"), NAMED)
def test_every_technique_has_a_card(part: str, name: str, settings: type[Technique]) -> None:
    assert settings.card.sentence.endswith(".")
    assert settings.card.source


def test_every_activation_can_be_asked_for() -> None:
    assert set(get_args(Activation)) == set(ACTIVATIONS)
