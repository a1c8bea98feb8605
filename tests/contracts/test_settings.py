"""Settings mirror the builders: same names, same defaults."""

import inspect
from collections.abc import Callable
from typing import Any, get_args

import pytest

from smallvision.augment import AUGMENTATIONS
from smallvision.models import MODELS
from smallvision.models.blocks import ACTIVATIONS
from smallvision.optim import OPTIMIZERS, SCHEDULES
from smallvision.predict import Views, build_teaching
from smallvision.recipes import settings as s
from smallvision.training import AVERAGES

PAIRS: list[tuple[Callable[..., Any], type[s.Settings]]] = [
    (MODELS["mlp"].build, s.Mlp),
    (MODELS["vgg10"].build, s.Vgg10),
    (MODELS["wide_resnet"].build, s.WideResNet),
    (MODELS["speednet"].build, s.SpeedNet),
    (AUGMENTATIONS["flip"].apply, s.Flip),
    (AUGMENTATIONS["alternating_flip"].apply, s.AlternatingFlip),
    (AUGMENTATIONS["crop"].apply, s.Crop),
    (AUGMENTATIONS["cutout"].apply, s.Cutout),
    (AUGMENTATIONS["random_erasing"].apply, s.RandomErasing),
    (AUGMENTATIONS["cutmix"].apply, s.CutMix),
    (AUGMENTATIONS["mixup"].apply, s.MixUp),
    (AUGMENTATIONS["trivial_augment"].apply, s.TrivialAugment),
    (OPTIMIZERS["sgd"].build, s.Sgd),
    (OPTIMIZERS["sam"].build, s.Sam),
    (OPTIMIZERS["muon"].build, s.Muon),
    (SCHEDULES["sgdr"].build, s.Sgdr),
    (SCHEDULES["cosine"].build, s.Cosine),
    (SCHEDULES["linear"].build, s.Linear),
    (SCHEDULES["one_cycle"].build, s.OneCycle),
    (AVERAGES["none"].build, s.NoAverage),
    (AVERAGES["ema"].build, s.Ema),
    (AVERAGES["swa"].build, s.Swa),
    (Views, s.Views),
    (build_teaching, s.Teacher),
]
NAMES = {"name", "model"}  # which builder, or which teacher
TOLD = {"indices", "epoch", "seed"}  # what an augmentation that remembers is told by the batch


@pytest.mark.parametrize(("build", "mirror"), PAIRS)
def test_same_names_and_defaults(build: Callable[..., Any], mirror: type[s.Settings]) -> None:
    parameters = inspect.signature(build).parameters.values()
    expected = {
        p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY and p.name not in TOLD
    }
    fields = {
        name: field.default for name, field in mirror.model_fields.items() if name not in NAMES
    }
    assert fields == expected


def test_every_catalogue_entry_has_settings() -> None:
    named = [mirror for _, mirror in PAIRS if mirror not in (s.Views, s.Teacher)]
    mirrored = {mirror.model_fields["name"].default for mirror in named}
    assert mirrored == {*MODELS, *AUGMENTATIONS, *OPTIMIZERS, *SCHEDULES, *AVERAGES}


def test_every_activation_can_be_asked_for() -> None:
    assert set(get_args(s.Activation)) == set(ACTIVATIONS)
