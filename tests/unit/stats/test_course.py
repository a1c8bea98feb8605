"""What the epochs of a run say: planted courses, and simulated ones on few images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from smallvision.records.schema import EpochMetrics
from smallvision.stats.course import estimate_choice, judge_course
from tests.support.records import make_metrics
from tests.support.study_records import score_hits

N = 2_000


def make_course_epochs(
    accuracies: Sequence[float],
    *,
    cycles: Sequence[int] = (),
    losses: Sequence[float] = (),
    n: int = N,
) -> list[EpochMetrics]:
    """Epochs of one cycle, whose training loss falls, unless told otherwise."""
    return [
        make_metrics(
            i + 1,
            val_accuracy=accuracy,
            val_n=n,
            val_loss=losses[i] if losses else 1 - accuracy,
            train_loss=1 / (i + 1),
            cycle=cycles[i] if cycles else 1,
        )
        for i, accuracy in enumerate(accuracies)
    ]


FITTED, UNFITTED = score_hits(9_990, 10_000), score_hits(8_000, 10_000)
LEVEL = [0.5, 0.6, 0.68, 0.7, 0.7, 0.701, 0.7, 0.7]
RISING = [0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75]


@pytest.mark.parametrize(
    ("accuracies", "train", "rising"),
    [
        (RISING, UNFITTED, True),
        (RISING, FITTED, False),
        (LEVEL, UNFITTED, False),
        ([*RISING[:6], 0.76, 0.5], UNFITTED, True),
        ([*RISING, 0.2, 0.2, 0.2], UNFITTED, False),
        (RISING[:1], UNFITTED, False),
    ],
)
def test_within_one_cycle_a_late_rise_counts_while_images_are_left_to_fit(
    accuracies: list[float], train: object, rising: bool
) -> None:
    course = judge_course(make_course_epochs(accuracies), train, score_hits(1_500, N))  # type: ignore[arg-type]
    assert course.rising == rising
    assert ("still rising" in course.sentence) == rising


def test_several_cycles_are_compared_by_their_ends() -> None:
    """A restart loses accuracy, and what the cycle wins back is no rise."""
    cycles = [1, 1, 1, 2, 2, 2]
    for last, rising in ((0.805, False), (0.85, True)):
        epochs = make_course_epochs([0.6, 0.7, 0.8, 0.6, 0.7, last], cycles=cycles)
        course = judge_course(epochs, FITTED, score_hits(round(N * last), N))
        assert course.rising == rising
        assert course.gain == pytest.approx(last - 0.8)
    assert "+5.0 points over the last cycle" in course.sentence


@pytest.mark.parametrize(("n", "end", "seldom"), [(287, 0.7, True), (2_000, 0.7, True),
                                                 (2_000, 0.76, False)])  # fmt: skip
def test_chance_is_seldom_called_a_rise_and_a_rise_seldom_chance(
    n: int, end: float, seldom: bool
) -> None:
    """Twelve epochs whose true accuracy is level at 70 % or rises to 76 % at the end."""
    rng = np.random.default_rng(0)
    true = np.array([0.4, 0.55, 0.65, *[0.7] * 6, *np.linspace(0.7, end, 3)])
    rises = []
    for _ in range(300):
        shared = rng.normal(0, 1, n)
        own = rng.normal(0, 1, (12, n))
        latent = np.sqrt(0.8) * shared + np.sqrt(0.2) * own  # answers correlate by about 0.6
        cut = np.quantile(rng.normal(0, 1, 100_000), true)
        epochs = make_course_epochs(list((latent < cut[:, None]).mean(axis=1)), n=n)
        rises.append(judge_course(epochs, UNFITTED, score_hits(round(n * end), n)).rising)
    assert np.mean(rises) < 0.05 if seldom else np.mean(rises) > 0.9


def fit_of(train_hits: int, val_hits: int, epochs: list[EpochMetrics]) -> tuple[str, str]:
    course = judge_course(epochs, score_hits(train_hits, 10_000), score_hits(val_hits, N))
    return course.fit, course.sentence


def test_how_it_fits_in_words() -> None:
    few, many = make_course_epochs(LEVEL[:3]), make_course_epochs([*LEVEL, *LEVEL])
    assert fit_of(8_000, 1_500, few) == (
        "too short to judge",
        "Validation accuracy was still rising at the end: +8.0 points over the last epoch, where "
        "2.1 points may be chance. 3 epochs are too few to say whether it under- or overfits: only "
        "80.00 % of its training images are classified correctly; the gap to validation is +5.0 "
        "points (95 % interval +3.0 to +7.1).",
    )
    assert fit_of(8_000, 1_500, many)[0] == "underfits"
    assert fit_of(9_950, 1_800, few)[0] == "gap"
    assert fit_of(9_950, 1_988, few)[0] == "no gap"
    assert fit_of(7_000, 800, many)[0] == "underfits", "no matter of the gap for the most part"
    assert fit_of(8_000, 800, many)[0] == "gap"


def test_a_model_overfits_where_its_validation_loss_rises_and_its_training_loss_falls() -> None:
    losses = [1.0, 0.6, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75]
    word, sentence = fit_of(9_950, 1_500, make_course_epochs(LEVEL, losses=losses))
    assert word == "overfits"
    assert "since epoch 3 the validation loss rose while the training loss fell" in sentence
    worse = [
        epoch.model_copy(update={"train_loss": losses[i]})
        for i, epoch in enumerate(make_course_epochs(LEVEL, losses=losses))
    ]
    assert fit_of(9_950, 1_500, worse)[0] == "gap", "training went astray"
    little = [0.01, 0.006, 0.005, 0.0055, 0.0055, 0.0055, 0.0054, 0.0054]
    assert fit_of(9_950, 1_500, make_course_epochs(LEVEL, losses=little))[0] == "gap"
    flat = [1.0, 0.6, 0.5, 0.51, 0.51, 0.52, 0.52, 0.52]
    assert fit_of(9_950, 1_500, make_course_epochs(LEVEL, losses=flat))[0] == "gap"


def test_a_restart_is_no_overfit() -> None:
    cycles, accuracies = [1, 1, 2, 2, 2, 2], [0.5, 0.7, 0.6, 0.65, 0.7, 0.72]
    losses = [1.0, 0.5, 0.9, 0.8, 0.6, 0.5]
    epochs = make_course_epochs(accuracies, cycles=cycles, losses=losses)
    assert fit_of(9_950, 1_440, epochs)[0] == "gap"
    epochs = make_course_epochs(accuracies, cycles=cycles, losses=[*losses[:5], 0.59])
    assert fit_of(9_950, 1_440, epochs)[0] == "overfits"


def test_what_the_choice_of_the_epoch_adds() -> None:
    """About the true flattery of the best of ten equal epochs; nothing where one stands out."""
    rng, n, rho = np.random.default_rng(0), 1_000, 0.5
    errors = np.sqrt((1 - rho) * 0.9 * 0.1 / n) * rng.standard_normal((200, 10))
    true = errors.max(axis=1).mean()
    found = [estimate_choice(make_course_epochs(list(0.9 + row), n=n)) for row in errors]
    assert 0.6 * true < np.mean(found) < 1.2 * true
    assert estimate_choice(make_course_epochs([0.1, 0.2, 0.9])) == pytest.approx(0, abs=1e-3)
    assert estimate_choice(make_course_epochs([0.5])) == 0
    settled = make_course_epochs([0.5, *[0.979] * 19], n=287)
    assert estimate_choice(settled) == 0, "it is the same answer over and over"
