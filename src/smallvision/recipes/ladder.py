"""The ladder: recipes in an order in which each answers a weakness of one before it.

A rung is a change to a recipe, not a recipe: what it changes is the best of the rungs it may
build on, which is known only once they have been trained. Trained alone, or listed, a rung stands
on the one just below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from smallvision.errors import SettingError, nearest
from smallvision.recipes.presets import Preset, choose_batch_size, choose_epochs
from smallvision.recipes.settings.augmentations import CropSettings, CutMixSettings, FlipSettings
from smallvision.recipes.settings.models import MlpSettings
from smallvision.recipes.settings.optimization import LinearSettings, SgdrSettings, SgdSettings
from smallvision.recipes.settings.recipe import Augment, Recipe
from smallvision.recipes.speednet_recipe import build_speednet_recipe
from smallvision.recipes.task import Task

Change = Callable[[Recipe], Recipe]

SE_RATIO = 8  # a WRN of width 2 has 32 channels in its first group; 16 would leave 2 hidden units


@dataclass(frozen=True)
class Rung:
    """A change to a recipe, at its place in the ladder.

    Attributes:
        slot: its place, a name that never changes.
        question: what climbing it finds out.
        weakness: of an earlier rung, that this one answers.
        after: slots it may build on, of which a study takes the best; empty for the first.
        change: from the recipe it builds on to its own.
        recipe: its own; the recipe's name is the rung's.
        base: name of the recipe it was made from; empty for the first.
        work: `train` once, `tune` first, or train and make an `ensemble` of snapshots.
    """

    slot: str
    question: str
    weakness: str
    after: tuple[str, ...]
    change: Change
    recipe: Recipe
    base: str = ""
    work: Literal["train", "tune", "ensemble"] = "train"

    @property
    def name(self) -> str:
        """What this rung is: its slot, less the ideas that its base had already dropped."""
        return self.recipe.name

    def on(self, base: Recipe) -> Rung:
        """The same rung built on another recipe."""
        recipe = self.change(base)
        recipe = _alter(recipe, name=name_rung(self.slot, recipe))
        return replace(self, recipe=recipe, base=base.name)

    def with_recipe(self, recipe: Recipe) -> Rung:
        """The same rung with a recipe of another making."""
        return replace(self, recipe=recipe)


def name_rung(slot: str, recipe: Recipe) -> str:
    """The slot's name, less the ideas that the recipe does without.

    >>> name_rung("wrn-se-cutmix", Recipe(augment=("flip",)))
    'wrn-aug'
    """
    parts = slot.split("-")
    if parts[0] != "wrn":
        return slot
    names = {settings.name for settings in recipe.augment}
    if "cutmix" in parts and "cutmix" not in names:
        parts[parts.index("cutmix")] = "aug" if names else ""
    if "se" in parts and not getattr(recipe.model, "se_ratio", 0):
        parts.remove("se")
    return "-".join(part for part in parts if part)


def build_ladder(preset: Preset, task: Task, *, seed: int = 0) -> list[Rung]:
    """Cut the ladder to a task: epochs to its size, augmentation to what its labels bear.

    Each rung stands on the one before it; `Rung.on` sets it on another.
    """
    batch_size = choose_batch_size(task.num_train)
    epochs = choose_epochs(preset, task.num_train // batch_size)
    # An eighth of the image is 4 pixels of 32, the shift that CIFAR-10 made standard.
    shift = CropSettings(padding=max(1, min(task.shape[1:]) // 8))
    augment: tuple[Augment, ...] = (FlipSettings(), shift) if task.mirror_safe else (shift,)
    first = Recipe(
        seed=seed,
        epochs=epochs,
        batch_size=batch_size,
        model=MlpSettings(),
        optimizer=SgdSettings(lr=0.05),
        schedule=_alter(preset.schedule, warmup_epochs=min(1.0, epochs / 20)),
    )
    rungs: list[Rung] = []

    def add(slot: str, question: str, weakness: str, **settings: Any) -> None:
        change: Change = settings.pop("change")
        base = rungs[-1].recipe if rungs else first
        rungs.append(
            Rung(slot, question, weakness, change=change, recipe=base, **settings).on(base)
        )

    add(
        "mlp",
        "How far does a network get that ignores where pixels are?",
        "Without a baseline no figure means anything.",
        after=(),
        change=lambda base: base,
    )
    add(
        "vgg10",
        "Do convolutions, which seek one pattern everywhere, do better?",
        "The fully connected network learns each pattern anew at each place.",
        after=("mlp",),
        change=lambda base: _alter(base, model=preset.vgg, optimizer=SgdSettings(lr=0.05)),
    )
    add(
        "vgg10-aug",
        "Do shifted and mirrored images close the gap to validation?"
        if task.mirror_safe
        else "Do shifted images close the gap to validation?",
        "A network that sees the same images again and again can learn them by heart.",
        after=("vgg10",),
        change=lambda base: _alter(base, augment=augment),
    )
    add(
        "wrn",
        "Do wide residual blocks beat plain convolutions on the same images?",
        "Plain convolutions in a row pass on gradients badly, which caps them.",
        after=("vgg10",),
        change=lambda base: _alter(
            base, model=preset.wrn, optimizer=SgdSettings(lr=0.1), augment=()
        ),
    )
    add(
        "wrn-aug",
        "Does augmentation help the stronger network as well?",
        "A Wide ResNet can learn its images by heart too, in spite of weight decay.",
        after=("wrn",),
        change=lambda base: _alter(base, augment=augment),
    )
    wide = ("wrn", "wrn-aug")
    add(
        "wrn-cutmix",
        "Do images pasted into each other, their labels mixed by area, close the gap?",
        "Shifts and flips leave whole objects to learn by heart.",
        after=wide,
        change=lambda base: _alter(
            base, augment=(*base.augment, CutMixSettings()), unmixed_fraction=0.25
        ),
    )
    add(
        "wrn-se-cutmix",
        "Does it help to let a block weigh its channels by the whole image?",
        "A convolution sees a few pixels; no block knows what the image is about.",
        after=(*wide, "wrn-cutmix"),
        change=lambda base: _alter(base, model=_alter(base.model, se_ratio=SE_RATIO)),
    )
    add(
        "wrn-se-cutmix-mish",
        "Does a smooth activation, Mish, do better than ReLU?",
        "ReLU passes on no gradient for negative inputs.",
        after=(*wide, "wrn-cutmix", "wrn-se-cutmix"),
        change=lambda base: _alter(base, model=_alter(base.model, activation="mish")),
    )
    add(
        "speednet",
        "How far does a network get that was made for speed, in a few epochs?",
        "The rungs so far were made to be accurate in the end, not to be so early.",
        after=tuple(rung.slot for rung in rungs),
        change=lambda base: build_speednet_recipe(task, preset.speednet, seed=base.seed),
    )
    everything = tuple(rung.slot for rung in rungs)
    add(
        "tuned",
        "Are the settings of the best rung so far the best it can have?",
        "So far all settings were taken from the literature.",
        after=everything,
        change=lambda base: base,
        work="tune",
    )
    add(
        "snapshot-ensemble",
        "Do the minima that one run visits, averaged, beat the best of them?",
        "A single network is sure of errors that another would not make.",
        after=(*everything, "tuned"),
        change=lambda base: add_cycles(base, preset.snapshots),
        work="ensemble",
    )
    return rungs


def add_cycles(base: Recipe, cycles: int) -> Recipe:
    """A longer recipe that keeps a snapshot of every cycle, of which the first are its base's own.

    Args:
        base: a recipe; cycles of another length that it has grow on as they did.
        cycles: how many to have; at least one more than the base has.
    """
    schedule = base.schedule
    if not isinstance(
        schedule, SgdrSettings | LinearSettings
    ):  # one that has a single cycle by nature
        warmup_epochs = getattr(schedule, "warmup_epochs", 0.0)
        schedule = SgdrSettings(cycles=1, warmup_epochs=warmup_epochs, floor=schedule.floor)
    had = schedule.cycles
    growth = schedule.cycle_mult if isinstance(schedule, SgdrSettings) and had > 1 else 1.0
    cycles = max(cycles, had + 1)
    length = sum(growth**i for i in range(cycles)) / sum(growth**i for i in range(had))
    grown = {"cycle_mult": growth} if isinstance(schedule, SgdrSettings) else {}
    longer: Recipe = _alter(
        base,
        epochs=round(base.epochs * length),
        schedule=_alter(schedule, cycles=cycles, **grown),
        checkpoints="cycles",
    )
    return longer


def cut_to_cifar10(preset: Preset) -> Task:
    """The task that CIFAR-10 is at a preset's scale, for listings without any data at hand."""
    images = 50_000
    used = images * (preset.subset(images) or 1.0)
    return Task(shape=(3, 32, 32), num_train=round(0.8 * used), mirror_safe=True)


def find_rung(ladder: Sequence[Rung], name: str) -> Rung:
    """Look a rung up.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    rungs = {rung.slot: rung for rung in ladder}
    if name not in rungs:
        raise SettingError(f"unknown recipe '{name}'{nearest(name, rungs)}")
    return rungs[name]


def _alter(settings: Any, **values: Any) -> Any:
    """A copy of frozen settings with some values replaced."""
    return settings.model_copy(update=values)
