"""How far training had come when it ended, and how well the model fits: from its epochs.

What the rules cannot see: a longer schedule is not a longer run of this one. With a falling
learning rate the accuracy rises at the end of every cycle, so within one cycle a rise counts only
while training images are still classified wrongly. A network that is too small, or augmented too
strongly, ever to fit them may be called rising although more epochs would bring little; one that
fits them may gain from more epochs of augmented images all the same, slowly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from smallvision.format import format_percent, format_points, format_signed_span
from smallvision.records.schema import EpochMetrics, Fit, Rate, TrainingCourse
from smallvision.stats.intervals import estimate_gap

WINDOW = 1 / 4  # share of the epochs, at the end, in which a rise or an overfit is looked for
FITTED = 0.99  # training accuracy from which a longer training has little left to fit
SHORT = 10  # epochs below which a model that has not fitted its images cannot be judged
# Between an epoch and a later one of the same run, of whether an image is classified correctly. It
# was 0.5 to 0.6 over the later half of runs on digits, and 0.6 to 0.9 over their last
# quarter; the less it is, the larger the chance error.
CORRELATION = 0.5
OVERFIT = 0.05  # rise of the validation loss, Prechelt's generalisation loss of 5 %
LOG_LIKELIHOOD = 1.92  # and by so many nats in sum: half of 3.84, as in a likelihood ratio test
DRAWS = 2_000


def judge_course(epochs: Sequence[EpochMetrics], train: Rate, val: Rate) -> TrainingCourse:
    """Say whether accuracy was still rising at the last epoch, and how the model fits.

    Rising means that the best epoch lies in the last cycle, and that it beats every epoch before by
    more than chance: with several cycles every epoch before the last cycle, which compares one end
    of a cycle with another; with one cycle every epoch before the last quarter, as long as training
    images are still classified wrongly.

    Args:
        epochs: of a run that ended, each with validation figures; at least one.
        train, val: of the weights that were kept.
    """
    before, last = split_last(epochs)
    reached = max(accuracy_of(epoch) for epoch in last)
    earlier = max((accuracy_of(epoch) for epoch in before), default=0.0)
    n, has_one_cycle = epochs[-1].val_n, epochs[-1].cycle == 1
    chance = estimate_chance(reached, earlier, n) if before else 0.0
    gain = reached - earlier if before else 0.0
    is_rising = gain > chance and not (has_one_cycle and is_fitted(train))
    fit, words = describe_fit(epochs, train, val)
    rise = (
        f"Validation accuracy was still rising at the end: {format_points(gain, n)} over the last "
        f"{describe_stretch(before, last)}, where {format_points(chance, n, signed=False)} may be "
        "chance."
    )
    return TrainingCourse(
        rising=is_rising,
        gain=gain,
        chance=chance,
        fit=fit,
        choice_lift=estimate_choice(epochs),
        sentence=" ".join(filter(None, [rise if is_rising else "", words])),
    )


def split_last(
    epochs: Sequence[EpochMetrics],
) -> tuple[Sequence[EpochMetrics], Sequence[EpochMetrics]]:
    """The epochs before the stretch at the end that is judged, and that stretch."""
    last_cycle = epochs[-1].cycle
    if last_cycle > 1:
        start = next(i for i, epoch in enumerate(epochs) if epoch.cycle == last_cycle)
    else:
        start = len(epochs) - max(1, math.ceil(WINDOW * len(epochs)))
    return epochs[:start], epochs[start:]


def describe_stretch(before: Sequence[EpochMetrics], last: Sequence[EpochMetrics]) -> str:
    """The stretch that is judged, `epoch`, `5 epochs` or `cycle`."""
    if before and before[-1].cycle != last[-1].cycle:
        return "cycle"
    return "epoch" if len(last) == 1 else f"{len(last)} epochs"


def accuracy_of(epoch: EpochMetrics) -> float:
    """The validation accuracy of an epoch that has one."""
    return epoch.val_accuracy or 0.0


def loss_of(epoch: EpochMetrics) -> float:
    """The validation loss of an epoch that has one."""
    return epoch.val_loss or 0.0


def is_fitted(train: Rate) -> bool:
    """Whether so many training images are classified correctly that few are left to fit."""
    return train.interval[1] >= FITTED


def estimate_error(accuracy: float, n: int) -> float:
    """The standard error of an epoch's accuracy on `n` images that other epochs do not share."""
    return math.sqrt((1 - CORRELATION) * accuracy * (1 - accuracy) / max(1, n))


def estimate_chance(accuracy: float, other: float, n: int) -> float:
    """What two epochs of one run may differ by on `n` images by chance, at the 5 % level."""
    return 1.96 * math.hypot(estimate_error(accuracy, n), estimate_error(other, n))


def describe_fit(epochs: Sequence[EpochMetrics], train: Rate, val: Rate) -> tuple[Fit, str]:
    """How a model fits, as a word and as a sentence.

    It underfits where it has not fitted its training images and most of its validation errors
    are no matter of the gap: the training error is larger than the gap. It overfits where the
    validation loss rose while the training loss fell.

    Source: Prechelt, "Early Stopping - But When?", 1998, whose generalisation loss of 5 % is the
        rise; what is more than chance is asked of the sum over the images besides.
    """
    error = 1 - train.accuracy
    gap, bounds = estimate_gap(train, val)
    span = f"{format_points(gap, val.n)} (95 % interval {format_signed_span(bounds, val.n)})"
    beside = f"the gap to validation is {span}"
    if not is_fitted(train) and error > gap:
        known = format_percent(train.accuracy, train.n)
        missed = f"only {known} of its training images are classified correctly"
        if len(epochs) < SHORT:
            count = "1 epoch is" if len(epochs) == 1 else f"{len(epochs)} epochs are"
            said = f"{count} too few to say whether it under- or overfits: {missed}; {beside}."
            return "too short to judge", said
        return "underfits", f"It underfits: {missed}; {beside}."
    lowest = find_overfit(epochs)
    if lowest is not None:
        return "overfits", (
            f"It overfits: since epoch {lowest} the validation loss rose while the training loss "
            f"fell; {beside}."
        )
    if bounds[0] > 0:
        return "gap", f"It fits its training images better than others: {beside}."
    return "no gap", f"It fits its training images no better than others, beyond chance: {beside}."


def find_overfit(epochs: Sequence[EpochMetrics]) -> int | None:
    """The epoch of the lowest validation loss if that rose since while the training loss fell.

    Compared with it is the last quarter of the last cycle: a restart raises both losses, which says
    nothing.
    """
    cycle = [epoch for epoch in epochs if epoch.cycle == epochs[-1].cycle]
    window = cycle[-max(1, math.ceil(WINDOW * len(cycle))) :]
    lowest = min(epochs, key=loss_of)
    end = float(np.mean([loss_of(epoch) for epoch in window]))
    fell = float(np.mean([epoch.train_loss for epoch in window])) < lowest.train_loss
    rose = end - loss_of(lowest)
    beyond = rose > OVERFIT * loss_of(lowest) and rose * epochs[-1].val_n > LOG_LIKELIHOOD
    return lowest.epoch if fell and beyond else None


def estimate_choice(epochs: Sequence[EpochMetrics]) -> float:
    """How much the choice of the best epoch raised the validation accuracy, by simulation.

    Looked at are the epochs since the best accuracy was first come near. Their errors are the part
    of the binomial ones that `CORRELATION` leaves, and no more than the differences between
    neighbours show: a run that has settled hardly varies. Their true accuracies are taken to differ
    by what they vary beyond these errors. Errors are drawn many times, the best epoch is chosen
    each time, and its error is averaged.

    Returns: a fraction; 0 of one epoch. In simulations of equal epochs it is about 0.8 of the true
        figure.

    Source: the parametric bootstrap, Efron, Ann. Stat. 7 (1979) 1-26, around accuracies that are
        shrunk to their mean as by Efron and Morris, J. Am. Stat. Assoc. 70 (1975) 311-319.
    """
    accuracy = np.array([accuracy_of(epoch) for epoch in epochs])
    best = float(accuracy.max())
    error = estimate_error(best, epochs[-1].val_n)
    settled = accuracy[(accuracy >= best - 2 * error).argmax() :]
    if len(settled) < 2:
        return 0.0
    error = min(error, math.sqrt(float((np.diff(settled) ** 2).mean()) / 2))
    spread = float(settled.var(ddof=1))
    kept = max(0.0, 1 - error**2 / spread) if spread else 0.0
    true = settled.mean() + kept * (settled - settled.mean())
    noise = error * np.random.default_rng(0).standard_normal((DRAWS, len(settled)))
    chosen = (true + noise).argmax(axis=1)
    return max(0.0, float(noise[np.arange(DRAWS), chosen].mean()))
