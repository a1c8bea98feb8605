"""Records of a made-up study: its curves, its confusion matrix, its verdicts."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from smallvision.records.schema import (
    Calibration,
    ClassScore,
    ComputeSettings,
    EpochMetrics,
    LearningRateSchedule,
    MacroAverages,
    ModelScores,
    NearDuplicates,
    Rate,
    Reliability,
    ReliabilityBin,
    SetCoverage,
    UnlikeShare,
    ValidatedRun,
    Verdict,
    VerdictWord,
)
from smallvision.stats import intervals

TRAIN_N, VAL_N, TEST_N = 4_000, 1_000, 1_250
COMPUTE = ComputeSettings(device="cpu", precision="bf16", compiled=False, threads=2)
CYCLES, STEPS = (2, 6, 14), 32  # epochs at whose ends cycles end, and steps an epoch


def score_hits(hits: int, n: int, loss: float = 0.3) -> Rate:
    low, high = intervals.wilson_interval(hits, n)
    return Rate(accuracy=hits / n, interval=(low, high), n=n, loss=loss)


def make_verdict(
    rung: str,
    against: str,
    difference: float,
    verdict: VerdictWord,
    p: float = 0.004,
    needed_n: int | None = None,
    **fields: Any,
) -> Verdict:
    ratios = {"seconds_ratio": 1.7, "parameters_ratio": 0.4, "latency_ratio": 1.4}
    return Verdict(
        rung=rung,
        against=against,
        n=VAL_N,
        difference=difference,
        interval=(difference - 0.019, difference + 0.019),
        bootstrap=(difference - 0.018, difference + 0.018),
        p=p,
        verdict=verdict,
        needed_n=needed_n,
        gap_change=-0.021,
        sentence=f"{rung} against {against} on {VAL_N} images: {verdict}.",
        **({"seeds": (1, 1)} | ratios | fields),
    )


def make_binned_calibration(n: int) -> Calibration:
    """Probabilities that are too high, and the same after scaling."""
    return Calibration(
        temperature=1.34,
        before=Reliability(ece=0.0412, nll=0.271, brier=0.105, bins=fill_bins(n, 0.06)),
        after=Reliability(ece=0.0087, nll=0.214, brier=0.094, bins=fill_bins(n, 0.004)),
    )


def fill_bins(n: int, excess: float) -> tuple[ReliabilityBin, ...]:
    """Fifteen bins of equal width, the lowest of them empty and left out."""
    shares = [0.002, 0.004, 0.008, 0.01, 0.012, 0.016, 0.018, 0.02, 0.025, 0.035, 0.05, 0.8]
    bins = []
    for place, share in enumerate(shares, start=3):
        confidence = (place + (0.85 if place == 14 else 0.5)) / 15
        bins.append(
            ReliabilityBin(
                low=place / 15,
                high=(place + 1) / 15,
                n=round(share * n),
                confidence=confidence,
                accuracy=confidence - excess * (1.4 if place < 10 else 0.6),
            )
        )
    return tuple(bins)


def make_sets(n: int) -> tuple[SetCoverage, ...]:
    """Prediction sets that hold the right class a little more often than they have to."""
    found = []
    for rate, size in ((0.01, 3.4), (0.05, 1.31), (0.1, 1.04)):
        hits = round((1 - rate) * n) + 2
        bounds = intervals.wilson_interval(hits, n)
        found.append(
            SetCoverage(error_rate=rate, coverage=hits / n, interval=bounds, mean_size=size, n=n)
        )
    return tuple(found)


def make_unlike(count: int, n: int) -> UnlikeShare:
    """So many of n images are called unlike."""
    return UnlikeShare(share=count / n, interval=intervals.wilson_interval(count, n), n=n)


def make_run_status(name: str, val_hits: int, train_hits: int, **fields: Any) -> ValidatedRun:
    """A finished run with hits of 1,000 validation and of 4,000 training images."""
    known: dict[str, Any] = {
        "data": "made-up",
        "mirror_safe": True,
        "recipe_sum": "sha256:" + "0" * 64,
        "compute": COMPUTE,
        "epochs_planned": CYCLES[-1],
        "epochs_done": CYCLES[-1],
        "best_epoch": CYCLES[-1] - 1,
        "stopped": "reached the planned end",
        "seconds": 61.2,
        "images_per_second": 820.0,
        "parameters": 301_514,
        "size_bytes": 1_206_056,
        "latency_seconds": 0.0011,
        "within_limits": True,
        "calibration": make_binned_calibration(VAL_N),
        "sets": make_sets(VAL_N),
    }
    train, val = score_hits(train_hits, TRAIN_N, 0.04), score_hits(val_hits, VAL_N, 0.31)
    gap, bounds = intervals.estimate_gap(train, val)
    return ValidatedRun(
        name=name,
        train=train,
        val=val,
        gap=gap,
        gap_interval=bounds,
        **(known | fields),
    )


def find_learning_rate(step: int) -> float:
    """Cosine annealing with warm restarts, as of the start of a step."""
    ends = [0, *(cycle * STEPS for cycle in CYCLES)]
    start, end = next((a, b) for a, b in itertools.pairwise(ends) if step < b)
    return float(0.05 * (1 + np.cos(np.pi * (step - start) / (end - start))))


def make_schedule() -> LearningRateSchedule:
    steps = sorted({*range(0, CYCLES[-1] * STEPS, 4), *(c * STEPS - 1 for c in CYCLES)})
    return LearningRateSchedule(
        kind="sgdr",
        steps_per_epoch=STEPS,
        epochs=CYCLES[-1],
        lr=0.1,
        step=tuple(steps),
        value=tuple(map(find_learning_rate, steps)),
        cycle_ends=tuple(cycle * STEPS - 1 for cycle in CYCLES),
    )


def make_epochs(
    count: int, best: int | None, top: tuple[float, float], rng: np.random.Generator
) -> list[EpochMetrics]:
    """Curves that rise towards `top` (validation, train) and dip after each restart."""
    lines = []
    for epoch in range(1, count + 1):
        cycle = next(number for number, end in enumerate(CYCLES, start=1) if epoch <= end)
        start = 0 if cycle == 1 else CYCLES[cycle - 2]
        done = (epoch - start) / (CYCLES[cycle - 1] - start)
        level = 0.55 + 0.13 * cycle + 0.06 * done - 0.07 * (done < 0.3)
        val, train = (float(min(1.0, end * level + rng.normal(0, 0.004))) for end in top)
        if epoch == best:
            val, train = top
        lines.append(
            EpochMetrics(
                epoch=epoch,
                step=epoch * STEPS,
                cycle=cycle,
                lr=find_learning_rate(epoch * STEPS - 1),
                loss=2.4 - 2.2 * train,
                train_loss=2.2 - 2.15 * train,
                train_accuracy=train,
                val_loss=2.3 - 2.1 * val,
                val_accuracy=val,
                train_n=TRAIN_N,
                val_n=VAL_N,
                best=epoch == best,
                seconds=4.4 * epoch,
                images_per_second=820.0,
                skipped=0,
            )
        )
    return lines


def make_confusion(K: int, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """About nine hits in ten; neighbours are confused most."""
    matrix = np.zeros((K, K), int)
    for true in range(K):
        for _ in range(TEST_N // K + (true < TEST_N % K)):
            slip = int(rng.geometric(0.5)) if rng.random() > 0.905 else 0
            matrix[true, (true + slip) % K] += 1
    return tuple(tuple(int(count) for count in row) for row in matrix)


def make_scores(
    names: tuple[str, ...], rng: np.random.Generator, val: Rate | None, **fields: Any
) -> ModelScores:
    """The scores of a model on 1,250 test images."""
    confusion = make_confusion(len(names), rng)
    predicted = [sum(column) for column in zip(*confusion, strict=True)]
    rows = []
    for index, name in enumerate(names):
        hits, support = confusion[index][index], sum(confusion[index])
        precision, recall = hits / max(1, predicted[index]), hits / max(1, support)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rows.append(
            ClassScore(name=name, precision=precision, recall=recall, f1=f1, support=support)
        )
    total = score_hits(sum(confusion[i][i] for i in range(len(names))), TEST_N, 0.33)
    known: dict[str, Any] = {
        "topk": {"2": 0.9712, "5": 0.9952},
        "weights": "sha256:" + "9" * 64,
        "p_vs_val": None if val is None else 0.41,
        "differs_from_val": None if val is None else False,
        "near_duplicates": NearDuplicates(
            copies=0, alike=0, n=TEST_N, sentence="No test image is a copy of a training image."
        ),
        "sets": make_sets(TEST_N),
        "unlike": make_unlike(61, TEST_N),
    }
    return ModelScores(
        **total.model_dump(exclude={"by_class"}),
        class_names=names,
        per_class=tuple(rows),
        macro=MacroAverages(
            **{
                key: float(np.mean([getattr(row, key) for row in rows]))
                for key in ("precision", "recall", "f1")
            }
        ),
        confusion=confusion,
        calibration=make_binned_calibration(TEST_N),
        val=val,
        **(known | fields),
    )
