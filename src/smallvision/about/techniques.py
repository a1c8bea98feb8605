"""Networks and techniques of training in words, as a section on methods names them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from smallvision.format import format_share, join_words
from smallvision.recipes.settings import augmentations as augment
from smallvision.recipes.settings import optimization as optim
from smallvision.recipes.settings.recipe import Recipe
from smallvision.records.schema import TechniqueSource
from smallvision.records.schema.settings import networks
from smallvision.records.schema.settings.base import Technique
from smallvision.records.schema.settings.networks import AnyModel

ACTIVATIONS = {"relu": "ReLU", "mish": "Mish", "silu": "SiLU", "gelu": "GELU"}
FOLKLORE = "folklore"


def spell(number: float) -> str:
    """A number as it was set, without an exponent where that is short.

    >>> spell(0.0005), spell(30), spell(1e-7)
    ('0.0005', '30', '1e-07')
    """
    text = f"{number:.10f}".rstrip("0").rstrip(".")
    return text if 0 < len(text) <= 8 and float(text) == number else f"{number:g}"


def count(number: int, word: str) -> str:
    """A number of things, `1 epoch` or `30 epochs`."""
    return f"{number:,} {word}{'' if number == 1 else 's'}"


def describe_network(settings: AnyModel) -> str:
    """A network with its size, `a Wide ResNet of 16 layers and width 4`."""
    return NETWORKS[settings.name](settings) + "".join(list_extras(settings))


def list_extras(settings: AnyModel) -> Iterator[str]:
    """What a network has besides its layers."""
    if activation := getattr(settings, "activation", ""):
        yield f", with {ACTIVATIONS[activation]}"
    if ratio := getattr(settings, "se_ratio", 0):
        yield f" and squeeze-and-excitation (ratio {ratio})"
    if dropout := getattr(settings, "dropout", 0.0):
        yield f", dropout {spell(dropout)}"


def describe_mlp(settings: networks.MlpSettings) -> str:
    """A fully connected network."""
    if not settings.hidden:
        return "a fully connected network without hidden layers"
    layers = "a hidden layer" if len(settings.hidden) == 1 else "hidden layers"
    widths = join_words([f"{width:,}" for width in settings.hidden])
    return f"a fully connected network with {layers} of {widths} units"


def describe_speednet(settings: networks.SpeedNetSettings) -> str:
    """A speednet."""
    widths = join_words([str(width) for width in settings.widths])
    groups = count(len(settings.widths), "group")
    extra = settings.extra_convs
    more = f" and {count(extra, 'further one')} in the last group" if extra else ""
    return f"a speednet of {groups} of {settings.depth} convolutions{more}, {widths} channels wide"


NETWORKS: dict[str, Callable[[Any], str]] = {
    "linear": lambda _: "logistic regression on pixels",
    "mlp": describe_mlp,
    "vgg10": lambda one: f"a VGG-like network of ten convolutions, {one.width} channels wide",
    "wide_resnet": lambda one: f"a Wide ResNet of {one.depth} layers and width {one.width}",
    "speednet": describe_speednet,
}


KINDS = {
    "linear": "logistic regression",
    "mlp": "a fully connected network",
    "vgg10": "a VGG-like network",
    "wide_resnet": "a Wide ResNet",
    "speednet": "a speednet",
}


def describe_optimizer(settings: optim.AnyOptimizer) -> str:
    """An optimiser with all that was set."""
    rate, decay = spell(settings.lr), spell(settings.weight_decay)
    if isinstance(settings, optim.MuonSettings):
        return (
            f"Muon with momentum {spell(settings.momentum)} and a peak learning rate of {rate} for "
            "the filters of convolutions, and SGD with Nesterov momentum "
            f"{spell(settings.vector_momentum)}, weight decay {decay} and peak learning rates of "
            f"{spell(settings.matrix_lr)} for matrices and {spell(settings.vector_lr)} for vectors"
        )
    kind = "Nesterov momentum" if settings.nesterov else "momentum"
    moved = (
        f"SGD with {kind} {spell(settings.momentum)}, weight decay {decay} and a peak learning "
        f"rate of {rate}"
    )
    if isinstance(settings, optim.SamSettings):
        adaptive = "adaptive " if settings.adaptive else ""
        return f"{adaptive}SAM (rho {spell(settings.rho)}) on {moved}"
    return moved


def describe_schedule(settings: optim.AnySchedule) -> str:
    """How the learning rate changes."""
    cycles = getattr(settings, "cycles", 1)
    if isinstance(settings, optim.OneCycleSettings):
        words = f"rose for {format_share(settings.peak)} of the steps and then fell"
    elif isinstance(settings, optim.LinearSettings):
        words = "fell linearly"
    else:
        words = "fell along a cosine"
    if cycles > 1:
        mult = settings.cycle_mult if isinstance(settings, RESTARTED) else 1.0
        growth = f", each {spell(mult)} times as long as the one before" if mult != 1 else ""
        words += f" in {cycles} cycles with warm restarts{growth}"
    if warmup := getattr(settings, "warmup_epochs", 0.0):
        words += f", after a warm-up of {spell(warmup)} {'epoch' if warmup == 1 else 'epochs'}"
    if settings.floor:
        words += f", down to {format_share(settings.floor)} of the peak"
    return words


RESTARTED = (optim.SgdrSettings, optim.LinearSettings)


AUGMENTATIONS: dict[str, Callable[[Any], str]] = {
    "flip": lambda one: f"mirrored left to right with probability {spell(one.probability)}",
    "alternating_flip": lambda _: "mirrored left to right in every second pass",
    "crop": lambda one: f"shifted by up to {one.padding} pixel{'s' * (one.padding != 1)}",
    "cutout": lambda one: f"covered in part by a grey square of {one.size} pixels (Cutout)",
    "random_erasing": lambda one: (
        f"covered in part by noise with probability {spell(one.probability)} (random erasing)"
    ),
    "cutmix": lambda one: (
        f"mixed by CutMix (alpha {spell(one.alpha)}, probability {spell(one.probability)})"
    ),
    "mixup": lambda one: (
        f"mixed by mixup (alpha {spell(one.alpha)}, probability {spell(one.probability)})"
    ),
    "trivial_augment": lambda _: "changed by TrivialAugment",
}


def describe_augmentations(recipe: Recipe) -> str:
    """What is done to images in training, as a sentence; empty for nothing."""
    done = [AUGMENTATIONS[one.name](one) for one in recipe.augment]
    sentences = [f"Images were {join_words(done)}."] if done else []
    if recipe.random_crop_phase:
        sides = join_words([str(phase.side) for phase in recipe.random_crop_phase])
        until = format_share(recipe.random_crop_phase[-1].until)
        sentences.append(
            f"In the first {until} of each cycle they were random crops of {sides} pixels a side."
        )
    mixes = {augment.CutMixSettings, augment.MixUpSettings} & set(map(type, recipe.augment))
    if mixes and recipe.unmixed_fraction:
        share = format_share(recipe.unmixed_fraction)
        sentences.append(f"In the last {share} of each cycle they were not mixed.")
    return " ".join(sentences)


def describe_average(settings: optim.AnyAverage) -> str:
    """How weights are averaged, as a sentence; empty where they are not."""
    if isinstance(settings, optim.EmaSettings):
        return f"Its weights are a moving average over steps (decay {spell(settings.decay)})."
    if isinstance(settings, optim.SwaSettings):
        start = format_share(settings.start)
        return f"Its weights are the mean of those at the ends of the epochs after {start} of them."
    return ""


def describe_loss(recipe: Recipe) -> str:
    """The loss and how classes and images count in it, as a sentence."""
    words = "The loss was the cross-entropy"
    if recipe.label_smoothing:
        words += f" with label smoothing {spell(recipe.label_smoothing)}"
    if recipe.class_weights == "balanced":
        words += ", in which an image counts in inverse proportion to the size of its class"
    if recipe.sampling == "balanced":
        words += "; each pass drew as many images of every class"
    sentences = [f"{words}."]
    if recipe.teacher.model:
        sentences.append(
            "The targets were the probabilities of another model, at temperature "
            f"{spell(recipe.teacher.temperature)}, by {format_share(recipe.teacher.share)}, and "
            "the labels by the rest."
        )
    if recipe.start.model:
        sentences.append(
            "All weights but those of the last layer began as another model's and learnt at "
            f"{format_share(recipe.start.rate)} of the learning rate."
        )
    return " ".join(sentences)


def list_sources(
    designs: tuple[AnyModel, ...], recipe: Recipe | None
) -> tuple[TechniqueSource, ...]:
    """The papers of the networks and the techniques, each once, as far as cards name any."""
    used: list[Technique] = [*designs]
    if recipe is not None:
        used += [*recipe.augment, recipe.optimizer, recipe.schedule, recipe.averaging]
    named = {one.name: one.card.source for one in used if one.card.source != FOLKLORE}
    return tuple(TechniqueSource(technique=name, source=paper) for name, paper in named.items())
