"""Reasons are those of the recipe, each once, and no figure is called published that is not."""

from __future__ import annotations

import pytest

from smallvision.about.choices import (
    OPTIMIZERS,
    PUBLISHED,
    SCHEDULES,
    explain_augmentation,
    explain_rates,
    explain_stopping,
    explain_training,
)
from smallvision.recipes.ladder import build_cifar10_ladder
from smallvision.recipes.settings.optimization import SgdSettings
from smallvision.recipes.settings.recipe import (
    LEARNT,
    NEVER_STOP,
    TECHNIQUES,
    Recipe,
    StoppingSettings,
)

LADDER = {rung.name: rung.recipe for rung in build_cifar10_ladder(3600)}


@pytest.mark.parametrize(("part", "table"), [("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)])
def test_every_technique_has_a_reason(part: str, table: dict[str, object]) -> None:
    assert set(table) == {kind.model_fields["name"].default for kind in TECHNIQUES[part]}


def test_every_augmentation_says_what_it_assumes() -> None:
    for kind in TECHNIQUES["augment"]:
        found = explain_augmentation(kind.model_fields["name"].default)
        assert found is not None
        assert found.reason.startswith("It assumes ")
        assert found.source
    assert explain_augmentation("blur") is None


def test_choices_of_a_ladder_are_told_once() -> None:
    found = explain_training(LADDER)
    assert len({(one.topic, one.runs) for one in found}) == len(found)
    sgd, *_ = found
    assert sgd.topic == "SGD with momentum and not Adam"
    assert sgd.runs.startswith("all but speednet")
    muon = next(one for one in found if one.topic.startswith("Muon"))
    assert muon.runs.startswith("speednet")
    assert all(one.source for one in found)
    assert explain_training({}) == ()


def test_rates_are_called_published_only_where_they_are() -> None:
    known = {(one.model.name, one.optimizer.name, one.optimizer.lr) for one in LADDER.values()}
    assert set(PUBLISHED) <= known
    said = explain_rates(tuple(LADDER.values())).reason
    assert "0.1 for wide_resnet and 0.24 for speednet as in the publication" in said
    assert "0.01 for linear, 0.05 for mlp and 0.05 for vgg10 as set before the study" in said
    own = Recipe(optimizer=SgdSettings(lr=0.07))
    assert explain_rates((own,)).reason.startswith("0.07 for wide_resnet as set before the study;")


@pytest.mark.parametrize(
    ("stopping", "topic", "words"),
    [
        (NEVER_STOP, "no early stopping", "planned end"),
        (LEARNT, "a patience of 1 cycle", "ends of cycles can be compared"),
        (StoppingSettings(patience=5, unit="epochs"), "a patience of 5 epochs", "by chance"),
    ],
)
def test_stopping(stopping: StoppingSettings, topic: str, words: str) -> None:
    found = explain_stopping(stopping)
    assert found.topic == topic
    assert words in found.reason


def test_one_patience_is_told_once_whatever_else_ends_a_training() -> None:
    recipes = {
        "mlp": Recipe(stopping=LEARNT),
        "speednet": Recipe(stopping=LEARNT.model_copy(update={"learnt": 0.0})),
    }
    told = [(one.topic, one.runs) for one in explain_training(recipes)]
    assert told.count(("a patience of 1 cycle", "")) == 1
    assert ("an end where nothing is left to fit", "mlp") in told
