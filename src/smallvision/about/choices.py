"""Why a recipe is as it is: what was chosen instead of what, in words, with a source each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from smallvision.about.techniques import count, spell
from smallvision.format import format_share, join_words
from smallvision.recipes.settings.recipe import TECHNIQUES, Recipe, StoppingSettings

PRECHELT = "Prechelt, Early Stopping - But When?, 1998"
# Network, optimiser and peak learning rate -> the publication that trained the network so.
PUBLISHED = {
    ("wide_resnet", "sgd", 0.1): "Zagoruyko and Komodakis, arXiv 1605.07146",
    ("speednet", "muon", 0.24): "Jordan, airbench94_muon, 2024",
}


@dataclass(frozen=True)
class Choice:
    """A choice and the reason for it.

    Attributes:
        topic: what was chosen.
        reason: why, in whole sentences.
        source: the publication that gives the reason.
        runs: the names of those that it is about, where it is not about all.
    """

    topic: str
    reason: str
    source: str
    runs: str = ""


NORMALISATION = Choice(
    "normalisation",
    "Each channel is shifted and scaled to a mean of 0 and a deviation of 1, so that all inputs "
    "have one scale and one learning rate suits all weights behind them. Mean and deviation are "
    "those of the training split alone: validation and test images stay unseen. Batch "
    "normalisation inside a network makes this less important, not superfluous.",
    "LeCun, Bottou, Orr and Müller, Efficient BackProp, 1998; Ioffe and Szegedy, arXiv 1502.03167",
)
AUGMENTATION = Choice(
    "augmentation",
    "A network sees the same training images many times and can memorise them. Each time it is "
    "shown another variation, in most cases a picture that a camera might have taken as well, so "
    "that only what the variations have in common helps it.",
    "Simard, Steinkraus and Platt, ICDAR 2003; Krizhevsky et al., NeurIPS 2012",
)

OPTIMIZERS = {
    "sgd": Choice(
        "SGD with momentum and not Adam",
        "On images Adam often fits the training split as well and classifies other images worse. "
        "Tuned with care it can equal SGD, at the price of more settings to search and of one more "
        "copy of the weights. The two were not compared here.",
        "Wilson et al., arXiv 1705.08292; Choi et al., arXiv 1910.05446",
    ),
    "sam": Choice(
        "SAM",
        "Each step takes the gradient at the worst weights nearby and so prefers flat minima, "
        "which often classify other images better; it costs twice the time.",
        "Foret et al., arXiv 2010.01412",
    ),
    "muon": Choice(
        "Muon and not Adam or SGD alone",
        "Its steps change a layer's filters equally in all directions, so that fewer epochs reach "
        "the same accuracy. It was made and tuned for short trainings of such networks; it was not "
        "compared with Adam here.",
        "Jordan et al., Muon, 2024; Jordan, arXiv 2404.00498",
    ),
}
SCHEDULES = {
    "sgdr": Choice(
        "a rate that falls along a cosine",
        "Large steps find a good region of weights and small ones settle in it. Where there are "
        "several cycles, the rate jumps back to its peak after each: every cycle ends in a usable "
        "model, which can vote in an ensemble, and the next explores again.",
        "Loshchilov and Hutter, arXiv 1608.03983; Huang et al., arXiv 1704.00109",
    ),
    "cosine": Choice(
        "a rate that falls along a cosine",
        "Large steps find a good region of weights and small ones settle in it.",
        "Loshchilov and Hutter, arXiv 1608.03983",
    ),
    "linear": Choice(
        "a rate that falls in a straight line",
        "It needs no setting but its length, and was as good as or better than other shapes in a "
        "wide comparison.",
        "Defazio et al., arXiv 2310.07831",
    ),
    "one_cycle": Choice(
        "a rate that rises and then falls",
        "The rise allows a higher peak, which regularises and shortens training.",
        "Smith and Topin, arXiv 1708.07120",
    ),
}

WARM_UP = Choice(
    "a warm-up",
    "The rate rises from 0 in the first steps, because gradients of fresh weights are too uneven "
    "for large ones.",
    "Goyal et al., arXiv 1706.02677",
)
SMOOTHING = Choice(
    "label smoothing",
    "A part of each target is spread over all classes, which keeps a network from claiming "
    "certainty.",
    "Szegedy et al., arXiv 1512.00567",
)


def explain_training(recipes: Mapping[str, Recipe]) -> tuple[Choice, ...]:
    """The choices of the recipes of one ladder, each once, in the order in which they first occur.

    Args:
        recipes: by the names of the runs, whose settings come from no search.
    """
    if not recipes:
        return ()
    found: dict[Choice, list[str]] = {}
    for name, recipe in recipes.items():
        for choice in list_choices(recipe):
            found.setdefault(choice, []).append(name)
    choices = [
        replace(choice, runs=name_runs(names, list(recipes))) for choice, names in found.items()
    ]
    return (*choices, explain_rates(tuple(recipes.values())))


def name_runs(names: Sequence[str], every: Sequence[str]) -> str:
    """Name some of all runs in few words; nothing where it is all of them.

    >>> name_runs(["a", "b", "c"], ["a", "b", "c", "d"])
    'all but d'
    """
    others = [name for name in every if name not in names]
    if not others:
        return ""
    return f"all but {join_words(others)}" if len(others) < len(names) else join_words(names)


def list_choices(recipe: Recipe) -> Iterator[Choice]:
    """The choices of one recipe, those of its training alone."""
    yield OPTIMIZERS[recipe.optimizer.name]
    yield SCHEDULES[recipe.schedule.name]
    if getattr(recipe.schedule, "warmup_epochs", 0):
        yield WARM_UP
    yield explain_stopping(recipe.stopping)
    if recipe.stopping.learnt:
        yield explain_learnt(recipe.stopping)
    if recipe.label_smoothing:
        yield SMOOTHING


def explain_rates(recipes: Sequence[Recipe]) -> Choice:
    """Why the learning rates are what they are."""
    used = {(one.model.name, one.optimizer.name, one.optimizer.lr): None for one in recipes}
    published = [key for key in used if key in PUBLISHED]
    others = [key for key in used if key not in PUBLISHED]
    said = [
        f"{join_words([f'{spell(rate)} for {model}' for model, _, rate in keys])} {origin}"
        for keys, origin in (
            (published, "as in the publication of the network"),
            (others, "as set before the study"),
        )
        if keys
    ]
    return Choice(
        "peak learning rates",
        f"{join_words(said)}; none was searched on these images. The largest rate with which "
        "training stays stable is near the best one, and a smaller one needs more epochs.",
        "; ".join([*(PUBLISHED[key] for key in published), "Bengio, arXiv 1206.5533"]),
    )


def explain_stopping(stopping: StoppingSettings) -> Choice:
    """When training would have ended early, and why so."""
    if not stopping.patience:
        return Choice(
            "no early stopping",
            "Training goes to its planned end, because the rate is small only there and the "
            "accuracy highest; the weights of the best epoch are kept all the same.",
            PRECHELT,
        )
    unit = stopping.unit.removesuffix("s")
    reason = (
        "Within a cycle the accuracy rises and falls with the rate, so that single epochs say "
        "little; ends of cycles can be compared."
        if unit == "cycle"
        else "Single epochs vary by chance, so that one worse epoch says little."
    )
    return Choice(
        f"a patience of {count(stopping.patience, unit)}",
        f"Training ends early where the validation accuracy has not risen for so long. {reason}",
        PRECHELT,
    )


def explain_learnt(stopping: StoppingSettings) -> Choice:
    """When training ends because hardly anything is left to learn."""
    return Choice(
        "an end where nothing is left to fit",
        f"Training also ends with a cycle after which {format_share(stopping.learnt)} of the "
        "training images are classified correctly.",
        PRECHELT,
    )


def explain_augmentation(name: str) -> Choice | None:
    """What an augmentation assumes, and who introduced it; None for one that is not known."""
    cards = {one.model_fields["name"].default: one.card for one in TECHNIQUES["augment"]}
    card = cards.get(name)
    if card is None:
        return None
    return Choice(name, f"It assumes {card.assumes}.", card.source)
