"""Every technique has words, and they hold its settings."""

from __future__ import annotations

from typing import Any

import pytest

from smallvision.about.techniques import (
    describe_augmentations,
    describe_average,
    describe_loss,
    describe_network,
    describe_optimizer,
    describe_schedule,
    list_sources,
    spell,
)
from smallvision.recipes import Recipe, parse_recipe
from smallvision.recipes.settings.recipe import TECHNIQUES
from smallvision.records.schema.settings.networks import MlpSettings, WideResNetSettings

NAMES = {part: [kind().name for kind in kinds] for part, kinds in TECHNIQUES.items()}


def build(part: str, name: str, **settings: Any) -> Any:
    chosen = {"name": name, **settings}
    recipe = parse_recipe({part: [chosen] if part == "augment" else chosen})
    return recipe if part == "augment" else getattr(recipe, part)


@pytest.mark.parametrize("name", NAMES["model"])
def test_every_network_has_words(name: str) -> None:
    assert len(describe_network(build("model", name))) > 20


@pytest.mark.parametrize("name", NAMES["augment"])
def test_every_augmentation_has_words(name: str) -> None:
    said = describe_augmentations(build("augment", name))
    assert said.startswith("Images were ")
    assert said.endswith(".")


@pytest.mark.parametrize("name", NAMES["optimizer"])
def test_every_optimizer_tells_its_rates(name: str) -> None:
    said = describe_optimizer(build("optimizer", name, lr=0.123, weight_decay=0.00077))
    assert "peak learning rate of 0.123" in said
    assert "weight decay 0.00077" in said


@pytest.mark.parametrize("name", NAMES["schedule"])
def test_every_schedule_has_words(name: str) -> None:
    assert "fell" in describe_schedule(build("schedule", name))


@pytest.mark.parametrize("name", NAMES["averaging"])
def test_every_average_but_none_has_words(name: str) -> None:
    assert bool(describe_average(build("averaging", name))) == (name != "none")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (
            WideResNetSettings(depth=16, width=4),
            "a Wide ResNet of 16 layers and width 4, with ReLU",
        ),
        (
            WideResNetSettings(activation="mish", se_ratio=8, dropout=0.3),
            "with Mish and squeeze-and-excitation (ratio 8), dropout 0.3",
        ),
        (MlpSettings(hidden=(512, 256)), "with hidden layers of 512 and 256 units"),
        (MlpSettings(hidden=(4,)), "with a hidden layer of 4 units"),
        (MlpSettings(hidden=()), "without hidden layers"),
    ],
)
def test_networks_with_their_size(settings: Any, said: str) -> None:
    assert said in describe_network(settings)


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("sgdr", {"cycles": 3, "cycle_mult": 2}, "in 3 cycles with warm restarts, each 2 times"),
        ("sgdr", {"cycles": 1}, "fell along a cosine"),
        ("linear", {"warmup_epochs": 1, "floor": 0.1}, "warm-up of 1 epoch, down to 10 %"),
        ("one_cycle", {"peak": 0.25}, "rose for 25 % of the steps and then fell"),
    ],
)
def test_schedules_with_their_settings(name: str, settings: dict[str, Any], said: str) -> None:
    assert said in describe_schedule(build("schedule", name, **settings))


def test_losses_with_all_that_was_set() -> None:
    assert describe_loss(Recipe()) == "The loss was the cross-entropy."
    model = "sha256:" + "0" * 64
    said = describe_loss(
        parse_recipe(
            {
                "label_smoothing": 0.2,
                "class_weights": "balanced",
                "teacher": {"model": model, "share": 0.7, "temperature": 2.5},
                "start": {"model": model, "rate": 0.05},
            }
        )
    )
    for word in ("label smoothing 0.2", "inverse proportion", "2.5, by 70 %", "5 % of the learn"):
        assert word in said
    assert "as many images" in describe_loss(parse_recipe({"sampling": "balanced"}))


def test_phases_of_training_are_told() -> None:
    recipe = parse_recipe(
        {
            "augment": ["cutmix"],
            "unmixed_fraction": 0.15,
            "random_crop_phase": [{"until": 0.6, "side": 24}],
        }
    )
    said = describe_augmentations(recipe)
    assert "first 60 % of each cycle they were random crops of 24 pixels" in said
    assert "last 15 % of each cycle they were not mixed" in said
    assert "not mixed" not in describe_augmentations(parse_recipe({"unmixed_fraction": 0.15}))


def test_sources_are_those_of_the_cards_but_folklore() -> None:
    recipe = parse_recipe({"augment": ["flip", "crop"], "averaging": {"name": "none"}})
    found = {one.technique: one.source for one in list_sources((MlpSettings(),), recipe)}
    assert set(found) == {"flip", "crop", "sgd", "sgdr"}, "an mlp and no average are folklore"
    assert "1512.03385" in found["crop"]
    assert list_sources((), None) == ()


@pytest.mark.parametrize(
    ("number", "text"), [(0.0005, "0.0005"), (30.0, "30"), (1e-7, "1e-07"), (1 / 3, "0.333333")]
)
def test_numbers_as_they_were_set(number: float, text: str) -> None:
    assert spell(number) == text
