"""The ladder: recipes in an order in which each answers a weakness of an earlier one.

A rung is a change to a recipe, not a recipe. It changes the best of the rungs that it may build
on, which is known only when they have been trained. A rung that is listed or trained alone
changes the rung just below it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from smallvision.errors import SettingError, nearest
from smallvision.recipes.planning import assume_scale
from smallvision.recipes.presets import choose_subset
from smallvision.recipes.scale import (
    Family,
    LadderScale,
    choose_batch_size,
    choose_cycles,
    divide_passes,
)
from smallvision.recipes.settings.augmentations import CropSettings, CutMixSettings, FlipSettings
from smallvision.recipes.settings.optimization import LinearSettings, SgdrSettings, SgdSettings
from smallvision.recipes.settings.recipe import (
    LEARNT,
    NEVER_STOP,
    Augment,
    RandomCropPhase,
    Recipe,
    TtaSettings,
)
from smallvision.recipes.speednet_recipe import SpeedNetScale, build_speednet_recipe
from smallvision.recipes.start import Start
from smallvision.recipes.task import CIFAR10, Task

Change = Callable[[Recipe], Recipe]

FIRST_CYCLE = 6  # passes at least of the first of several cycles
SE_RATIO = 8  # a WRN of width 2 has 32 channels in its first group; 16 would leave 2 hidden units


@dataclass(frozen=True)
class Rung:
    """A change to a recipe, at its place in the ladder.

    Attributes:
        slot: its place in the ladder, a name that never changes.
        question: that training it answers.
        weakness: of an earlier rung, which this rung is to remove.
        after: slots that it may build on, of which a study takes the best; empty for the first.
        change: the function from the recipe it builds on to its own.
        recipe: its own recipe, whose name is the name of the rung.
        base: name of the recipe that it changes; empty for the first.
        work: `train` once, `tune` first, or train and build an `ensemble` of snapshots.
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
        """Its slot, without the techniques that its base does not have."""
        return self.recipe.name

    def on(self, base: Recipe) -> Rung:
        """The same rung built on another recipe."""
        recipe = self.change(base)
        recipe = _alter(recipe, name=name_rung(self.slot, recipe))
        return replace(self, recipe=recipe, base=base.name)

    def with_recipe(self, recipe: Recipe) -> Rung:
        """The same rung with another recipe."""
        return replace(self, recipe=recipe)


def name_rung(slot: str, recipe: Recipe) -> str:
    """The name of the slot, without the techniques that the recipe does not have.

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


def build_ladder(
    scale: LadderScale, task: Task, *, seed: int = 0, start: Start | None = None
) -> list[Rung]:
    """Adapt the ladder to a task and a scale; flips only if labels allow them.

    Each rung changes the one before it; `Rung.on` gives the same change to another recipe. The rung
    `transfer` is there where there is a speednet to start from.

    Raises:
        SettingError: the start is another network.
    """
    side = min(task.shape[1:])
    # An eighth of the image is 4 pixels of 32, the shift that CIFAR-10 made standard.
    shift = CropSettings(padding=max(1, side // 8))
    augment: tuple[Augment, ...] = (FlipSettings(), shift) if task.mirror_safe else (shift,)
    # Smoothing and the mirrored view are the same for all, so that no rung is better for them.
    first = Recipe(
        seed=seed,
        batch_size=choose_batch_size(task.num_train),
        label_smoothing=0.1,
        tta=TtaSettings(mirror=task.mirror_safe),
    )
    fast = SpeedNetScale(*divide_passes(scale.passes("speednet")), scale.model("speednet"))
    rungs: list[Rung] = []

    def add(slot: str, question: str, weakness: str, **settings: Any) -> None:
        change: Change = settings.pop("change")
        base = rungs[-1].recipe if rungs else first
        rungs.append(
            Rung(slot, question, weakness, change=change, recipe=base, **settings).on(base)
        )

    add(
        "linear",
        "What accuracy does logistic regression on pixels reach?",
        "Without a baseline no figure means anything.",
        after=(),
        change=lambda base: _train(base, scale, "linear", lr=0.01),
    )
    add(
        "mlp",
        "Does a network that ignores the positions of pixels do better?",
        "Logistic regression sees each class as one pattern of light and dark.",
        after=("linear",),
        change=lambda base: _train(base, scale, "mlp", lr=0.05),
    )
    add(
        "vgg10",
        "Do convolutions, which detect a pattern at every position, do better?",
        "A fully connected network must learn each pattern separately for every position.",
        after=("linear", "mlp"),
        change=lambda base: _train(base, scale, "vgg", lr=0.05),
    )
    add(
        "vgg10-aug",
        "Do shifted and mirrored images close the gap to validation?"
        if task.mirror_safe
        else "Do shifted images close the gap to validation?",
        "A network that sees the same images in every epoch can memorise them.",
        after=("vgg10",),
        change=lambda base: _alter(base, augment=augment),
    )
    add(
        "wrn",
        "Do wide residual blocks beat plain convolutions on the same images?",
        "Gradients pass badly through many plain convolutions in a row, which limits accuracy.",
        after=("vgg10",),
        change=lambda base: _alter(
            _train(base, scale, "wrn", lr=0.1), augment=(), random_crop_phase=crop_in_phases(side)
        ),
    )
    add(
        "wrn-aug",
        "Does augmentation help the stronger network as well?",
        "A Wide ResNet can memorise its images too, in spite of weight decay.",
        after=("wrn",),
        change=lambda base: _alter(base, augment=augment),
    )
    wide = ("wrn", "wrn-aug")
    add(
        "wrn-cutmix",
        "Does CutMix, which pastes images into each other and mixes labels by area, close the gap?",
        "Shifts and flips leave objects whole, so a network can still memorise them.",
        after=wide,
        change=lambda base: _alter(
            base, augment=(*base.augment, CutMixSettings()), unmixed_fraction=0.25
        ),
    )
    add(
        "wrn-se-cutmix",
        "Does it help to scale the channels of a block by the content of the whole image?",
        "A convolution sees a few pixels, so no block has information about the whole image.",
        after=(*wide, "wrn-cutmix"),
        change=lambda base: _alter(base, model=_alter(base.model, se_ratio=SE_RATIO)),
    )
    add(
        "wrn-se-cutmix-mish",
        "Does a smooth activation, Mish, do better than ReLU?",
        "ReLU has no gradient for negative inputs.",
        after=(*wide, "wrn-cutmix", "wrn-se-cutmix"),
        change=lambda base: _alter(base, model=_alter(base.model, activation="mish")),
    )
    add(
        "speednet",
        "What accuracy does a network that was designed for speed reach in a few epochs?",
        "The rungs so far were designed for accuracy, not for a short training.",
        after=tuple(rung.slot for rung in rungs),
        change=lambda base: build_speednet_recipe(task, fast, seed=base.seed),
    )
    if start is not None:
        add(
            "transfer",
            "Does it help to begin with the weights of a network that has seen other images?",
            "A network with fresh weights learns everything from these images alone.",
            after=("speednet",),
            change=start.begin,
        )
    everything = tuple(rung.slot for rung in rungs)
    add(
        "tuned",
        "Are there better settings for the best rung so far?",
        "So far all settings come from the literature.",
        after=everything,
        change=lambda base: base,
        work="tune",
    )
    add(
        "snapshot-ensemble",
        "Does an ensemble of the snapshots of one run beat the best of them?",
        "A single network makes confident errors that another would not make.",
        after=(*everything, "tuned"),
        change=lambda base: add_cycles(base, scale.snapshots),
        work="ensemble",
    )
    return rungs


def build_cifar10_ladder(seconds: float) -> list[Rung]:
    """The ladder for CIFAR-10 within a budget, for listings: without images or a measured machine.

    Args:
        seconds: the budget; a short one takes a part of the images.
    """
    used = choose_subset(CIFAR10.num_train + CIFAR10.num_val, seconds) or 1.0
    counts = {name: round(used * getattr(CIFAR10, name)) for name in ("num_train", "num_val")}
    task = replace(CIFAR10, **counts)
    return build_ladder(assume_scale(seconds, task), task)


def _train(base: Recipe, scale: LadderScale, family: Family, *, lr: float) -> Recipe:
    """A recipe with another network, for as long as the scale says."""
    epochs, passes = divide_passes(scale.passes(family))
    trained: Recipe = _alter(
        base,
        epochs=epochs,
        passes=passes,
        model=scale.model(family),
        optimizer=SgdSettings(lr=lr),
        schedule=SgdrSettings(
            cycles=choose_cycles(scale.passes(family), FIRST_CYCLE),
            warmup_epochs=min(1.0, epochs / 20),
        ),
        stopping=LEARNT,
    )
    return trained


def crop_in_phases(side: int) -> tuple[RandomCropPhase, ...]:
    """Random crops for the most part of a cycle, which take less time than whole images."""
    phases = [(0.5, round(0.75 * side)), (0.75, round(0.875 * side))]
    return tuple(RandomCropPhase(until=until, side=crop) for until, crop in phases if crop >= 16)


def add_cycles(base: Recipe, cycles: int) -> Recipe:
    """A longer recipe with more cycles, which keeps a snapshot at the end of each.

    The first cycles are those of the base, so a study need not train them again.

    Args:
        base: a recipe; if its cycles grow, the further cycles grow by the same factor.
        cycles: the number of cycles; at least one more than the base has.
    """
    schedule = base.schedule
    if not isinstance(schedule, SgdrSettings | LinearSettings):  # it has one cycle
        warmup_epochs = getattr(schedule, "warmup_epochs", 0.0)
        schedule = SgdrSettings(cycles=1, warmup_epochs=warmup_epochs, floor=schedule.floor)
    had = schedule.cycles
    growth = schedule.cycle_mult if had > 1 else 1.0
    cycles = max(cycles, had + 1)
    length = sum(growth**i for i in range(cycles)) / sum(growth**i for i in range(had))
    longer: Recipe = _alter(
        base,
        epochs=round(base.epochs * length),
        schedule=_alter(schedule, cycles=cycles, cycle_mult=growth),
        stopping=NEVER_STOP,
        checkpoints="cycles",
    )
    return longer


def list_variants(ladder: Sequence[Rung]) -> dict[str, Rung]:
    """Every rung by its slot, and on each other base by the name that it has there (`wrn-se`)."""
    found = {rung.slot: rung for rung in ladder}
    for rung in ladder:
        for base in [base for base in found.values() if base.slot in rung.after]:
            if rung.work == "train":
                variant = rung.on(base.recipe)
                found.setdefault(variant.name, variant)
    return found


def find_rung(ladder: Sequence[Rung], name: str) -> Rung:
    """Look a rung up, by its slot or by a name that it has on another base.

    Raises:
        SettingError: there is none of that name; the nearest is named.
    """
    rungs = list_variants(ladder)
    if name == "transfer" and name not in rungs:
        raise SettingError(
            "'transfer' is a rung of studies with --start; alone, train speednet with --start"
        )
    if name not in rungs:
        raise SettingError(f"unknown recipe '{name}'{nearest(name, rungs)}")
    return rungs[name]


def _alter(settings: Any, **values: Any) -> Any:
    """A copy of frozen settings with some values replaced."""
    return settings.model_copy(update=values)
