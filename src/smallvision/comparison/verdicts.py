"""What each rung brought, read from the records of two runs on the same validation images."""

from __future__ import annotations

import itertools
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from smallvision.errors import RecordError
from smallvision.format import choose_digits, format_p
from smallvision.records.files import read_json, read_npz
from smallvision.records.layout import STATUS, list_repeats, run_folder
from smallvision.shapes import Labels
from smallvision.stats import find_correct
from smallvision.stats.bootstrap import bootstrap_difference
from smallvision.stats.paired import Comparison, Correct
from smallvision.stats.seeds import compare_answers


def read_correct(run: Path) -> tuple[Labels, Correct]:
    """Which validation images a run answered, and whether it was right.

    Raises:
        RecordError: the predictions are missing or damaged.
    """
    path = run / "predictions" / "val.npz"
    indices, labels, probabilities = read_npz(path, "indices", "labels", "probabilities")
    return indices, find_correct(probabilities, labels)


def read_seeds(run: Path) -> tuple[Labels, Correct]:
    """The same of a run and its repeats with other seeds, `(N,)` and `(S, N)`."""
    found = [read_correct(one) for one in (run, *list_repeats(run))]
    return found[0][0], np.stack([right for _, right in found])


def compare_runs(run: Path, against: Path) -> dict[str, Any]:
    """Compare two finished runs, image by image; with repeats, their means over seeds.

    Returns: one entry of `verdicts.json`.

    Raises:
        RecordError: the runs were not validated on the same images.
    """
    indices, right = read_seeds(run)
    other_indices, other_right = read_seeds(against)
    if not np.array_equal(indices, other_indices):
        raise RecordError(f"{run} and {against} were validated on different images")
    return judge_pair(right, other_right, read_json(run / STATUS), read_json(against / STATUS))


def judge_pair(
    right: Correct, other_right: Correct, status: dict[str, Any], other: dict[str, Any]
) -> dict[str, Any]:
    """Compare two models by their answers to the same images and what `status.json` says of each.

    Args:
        right, other_right: bool `(N,)`, or `(S, N)` of runs with several seeds.
        status, other: of the runs, or of the first.

    Returns: one entry of `verdicts.json`.
    """
    right, other_right = np.atleast_2d(right), np.atleast_2d(other_right)
    comparison = compare_answers(right, other_right)
    seeds = f", over {len(right)} and {len(other_right)} seeds"
    seeds = seeds if max(len(right), len(other_right)) > 1 else ""
    gap_change = status["gap"] - other["gap"]
    caveats = [*status.get("caveats", ()), *other.get("caveats", ())]
    sentence = phrase(comparison, status["name"], other["name"], gap_change, seeds)
    return {
        "rung": status["name"],
        "against": other["name"],
        **asdict(comparison),
        "bootstrap": list(bootstrap_difference(right, other_right)),
        "gap_change": gap_change,
        "seconds_ratio": count_seconds(status) / count_seconds(other),
        "parameters_ratio": status["parameters"] / other["parameters"],
        "latency_ratio": status["latency_seconds"] / other["latency_seconds"],
        "seeds": [len(right), len(other_right)],
        "sentence": " ".join([sentence, *caveats]),
    }


def count_seconds(status: dict[str, Any]) -> float:
    """What a run took, the search for its settings included."""
    return float(status["seconds"] + status.get("search_seconds", 0.0))


def phrase(
    comparison: Comparison, name: str, other: str, gap_change: float, seeds: str = ""
) -> str:
    """The verdict in words, with the figures it rests on."""
    digits = choose_digits(comparison.n)
    points = f"{abs(comparison.difference) * 100:.{digits}f} points"
    low, high = (f"{bound * 100:+.{digits}f}".replace("-", "−") for bound in comparison.interval)
    evidence = f"95 % interval {low} to {high}, {format_p(comparison.p)}{seeds}"
    if comparison.verdict == "cannot tell apart":
        if comparison.difference == 0:
            sentence = f"{name} and {other} are right equally often"
        else:
            side = "above" if comparison.difference > 0 else "below"
            sentence = f"{name} is {points} {side} {other}, which may be chance ({evidence})"
        sentence += f"; cannot tell apart on {comparison.n:,} images"
        if comparison.needed_n:
            sentence += f": it would take about {round_up(comparison.needed_n):,}"
    else:
        sentence = f"{name} is {comparison.verdict} than {other} by {points} ({evidence})"
    if abs(gap_change) >= 0.01:
        moved = "closed" if gap_change < 0 else "widened"
        sentence += f". The gap to training {moved} by {abs(gap_change) * 100:.1f} points"
    return sentence + "."


def round_up(n: int) -> int:
    """Round up to two significant digits: a sample size is an order, not a promise."""
    scale = int(10 ** max(0, len(str(n)) - 2))
    return -(-n // scale) * scale


def judge_ladder(study: Path, rungs: list[dict[str, Any]], best: str) -> dict[str, Any]:
    """The content of `verdicts.json`: each finished rung against its base, and the winner.

    A rung that could build on no finished one, because they failed or were left out, is compared
    with the finished one before it.
    """
    done = [rung for rung in rungs if is_done(rung)]
    runs = {rung["name"]: run_folder(study, rung["name"]) for rung in done}
    steps = []
    for before, rung in itertools.pairwise(done):
        below = rung["builds_on"] or before["name"]
        steps.append(compare_runs(runs[rung["name"]], runs[below]))
    against_best = [compare_runs(run, runs[best]) for name, run in runs.items() if name != best]
    return {"schema": 1, "steps": steps, "against_best": against_best}


def is_adopted(status: dict[str, Any]) -> bool:
    """Whether a rung's run is that of the rung it builds on, under another name and for nothing."""
    return bool(status["seconds"] == 0)


def is_done(rung: dict[str, Any]) -> bool:
    """Whether a rung of `study.json` is finished."""
    return bool(rung["status"] == "done")
