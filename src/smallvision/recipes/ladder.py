"""The ladder: recipes in an order in which each answers a weakness of one before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smallvision.errors import SettingError, nearest
from smallvision.recipes.settings import (
    Augment,
    Crop,
    Flip,
    Mlp,
    Model,
    Recipe,
    Sgd,
    Sgdr,
    Vgg10,
    WideResNet,
)


@dataclass(frozen=True)
class Task:
    """What a ladder is cut to.

    Attributes:
        shape: `(C, H, W)` of an image.
        num_train: images in the training split.
        mirror_safe: whether a flip keeps the label.
    """

    shape: tuple[int, int, int]
    num_train: int
    mirror_safe: bool


@dataclass(frozen=True)
class Rung:
    """A recipe at its place in the ladder.

    Attributes:
        name: of the rung and its run folder.
        question: what climbing it finds out.
        weakness: of an earlier rung, that this one answers.
        builds_on: the rung it is compared with; None for the first.
        recipe: how it is trained.
    """

    name: str
    question: str
    weakness: str
    builds_on: str | None
    recipe: Recipe


@dataclass(frozen=True)
class Preset:
    """A scale at which to climb the ladder.

    Attributes:
        sentence: for people who choose.
        subset: share of the training images in use, given their number; None for all.
        steps: updates to aim for in a run of a convolutional network.
        epochs: fewest and most epochs, whatever `steps` says.
        cycles: of the learning rate; a short run cannot afford to climb out of a minimum.
        vgg, wrn: the networks at this scale.
    """

    sentence: str
    subset: Callable[[int], float | None]
    steps: int
    epochs: tuple[int, int]
    cycles: int
    vgg: Vgg10
    wrn: WideResNet


PRESETS: dict[str, Preset] = {
    "quick": Preset(
        sentence="Minutes on two cores; large sets are thinned to 10,000 training images.",
        subset=lambda n: 10_000 / n if n > 10_000 else None,
        steps=650,
        epochs=(6, 30),
        cycles=1,
        vgg=Vgg10(width=32),
        wrn=WideResNet(depth=10, width=2, dropout=0.05),
    ),
    "laptop": Preset(
        sentence="All images; about an hour on two modern cores for CIFAR-10.",
        subset=lambda _: None,
        steps=3_750,
        epochs=(10, 60),
        cycles=3,
        vgg=Vgg10(width=32),
        wrn=WideResNet(depth=16, width=2, dropout=0.05),
    ),
    "full": Preset(
        sentence="The study's own scale for one GPU: WRN-16-8, cycles of 10, 20 and 40 epochs.",
        subset=lambda _: None,
        steps=21_840,
        epochs=(70, 140),
        cycles=3,
        vgg=Vgg10(width=64),
        wrn=WideResNet(depth=16, width=8, dropout=0.3),
    ),
}


def find_preset(name: str) -> Preset:
    """Look a preset up.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    if name not in PRESETS:
        raise SettingError(f"unknown preset '{name}'{nearest(name, PRESETS)}")
    return PRESETS[name]


def build_ladder(preset: Preset, task: Task, *, seed: int = 0) -> list[Rung]:
    """Cut the ladder to a task: epochs to its size, augmentation to what its labels bear."""
    batch_size = choose_batch_size(task.num_train)
    epochs = choose_epochs(preset, task.num_train // batch_size)
    # An eighth of the image is 4 pixels of 32, the shift that CIFAR-10 made standard.
    shift = Crop(padding=max(1, min(task.shape[1:]) // 8))
    augment: tuple[Augment, ...] = (Flip(), shift) if task.mirror_safe else (shift,)

    def recipe(name: str, model: Model, lr: float, augment: tuple[Augment, ...] = ()) -> Recipe:
        return Recipe(
            name=name,
            seed=seed,
            epochs=epochs,
            batch_size=batch_size,
            model=model,
            augment=augment,
            optimizer=Sgd(lr=lr),
            schedule=Sgdr(cycles=preset.cycles, cycle_mult=2, warmup_epochs=min(1.0, epochs / 20)),
        )

    return [
        Rung(
            name="mlp",
            question="How far does a network get that ignores where pixels are?",
            weakness="Without a baseline no figure means anything.",
            builds_on=None,
            recipe=recipe("mlp", Mlp(), lr=0.05),
        ),
        Rung(
            name="vgg10",
            question="Do convolutions, which seek one pattern everywhere, do better?",
            weakness="The fully connected network learns each pattern anew at each place.",
            builds_on="mlp",
            recipe=recipe("vgg10", preset.vgg, lr=0.05),
        ),
        Rung(
            name="vgg10-aug",
            question="Do shifted and mirrored images close the gap to validation?",
            weakness="Trained on the same images again and again, the VGG learns them by heart.",
            builds_on="vgg10",
            recipe=recipe("vgg10-aug", preset.vgg, lr=0.05, augment=augment),
        ),
        Rung(
            name="wrn",
            question="Do wide residual blocks beat plain convolutions on the same images?",
            weakness="Plain convolutions in a row pass on gradients badly, which caps them.",
            builds_on="vgg10",
            recipe=recipe("wrn", preset.wrn, lr=0.1),
        ),
        Rung(
            name="wrn-aug",
            question="Does augmentation help the stronger network as well?",
            weakness="The Wide ResNet overfits too, in spite of dropout and weight decay.",
            builds_on="wrn",
            recipe=recipe("wrn-aug", preset.wrn, lr=0.1, augment=augment),
        ),
    ]


def cut_to_cifar10(preset: Preset) -> Task:
    """The task that CIFAR-10 is at a preset's scale, for listings without any data at hand."""
    images = 50_000
    used = images * (preset.subset(images) or 1.0)
    return Task(shape=(3, 32, 32), num_train=round(0.8 * used), mirror_safe=True)


def choose_batch_size(num_train: int) -> int:
    """128 as in the literature; less where an epoch would have too few steps to learn from."""
    return 128 if num_train >= 5_000 else 64 if num_train >= 1_000 else 16


def choose_epochs(preset: Preset, steps_per_epoch: int) -> int:
    """Enough epochs for the preset's steps, within its bounds."""
    low, high = preset.epochs
    return min(max(round(preset.steps / max(1, steps_per_epoch)), low), high)


def find_rung(ladder: list[Rung], name: str) -> Rung:
    """Look a rung up.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    rungs = {rung.name: rung for rung in ladder}
    if name not in rungs:
        raise SettingError(f"unknown recipe '{name}'{nearest(name, rungs)}")
    return rungs[name]
