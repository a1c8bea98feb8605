"""A made-up study that climbed the whole ladder: a search, an ensemble, an error analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tests.gold.study_folder import (
    ENVIRONMENT,
    NAMES,
    TEST_N,
    VAL_N,
    Judged,
    Rung,
    compare,
    edit_json,
    save_json,
    save_strip,
    score,
    write_card,
    write_exploration,
    write_run,
    write_split,
    write_test,
    write_verdicts,
)

BEST = "snapshot-ensemble"
NO_CUTMIX = "CutMix had not helped and was left out."
WIDE, SE = 1_077_850, 1_101_402
STORY = (
    Rung("mlp", "How far without places?", None, 548, 2_710, 841_226, "mlp"),
    Rung("vgg10", "Do convolutions see more?", "mlp", 861, 3_992, 301_514, "vgg10"),
    Rung("vgg10-aug", "Do shifted images cure it?", "vgg10", 903, 3_811, 301_514, "vgg10-aug"),
    Rung("wrn", "Do shortcuts help?", "vgg10", 883, 3_996, WIDE, "wrn"),
    Rung("wrn-aug", "Does augmentation help here too?", "wrn", 921, 3_874, WIDE, "wrn-aug"),
    Rung("wrn-cutmix", "Does mixing help?", "wrn-aug", 917, 3_610, WIDE, "wrn-cutmix"),
    Rung("wrn-se-aug", "Does weighing channels help?", "wrn-aug", 899, 3_870, SE, "wrn-se-cutmix",
         NO_CUTMIX),
    Rung("wrn-aug-mish", "Is Mish smoother?", "wrn-aug", 0, 0, WIDE, "wrn-se-cutmix-mish",
         "Neither CutMix nor SE had helped; both were left out."),
    Rung("tuned", "Does a search find better settings?", "wrn-aug", 926, 3_884, WIDE, "tuned"),
    Rung(BEST, "Do snapshots vote better?", "tuned", 941, 3_930, WIDE, BEST),
)  # fmt: skip
STEPS_UP: Judged = {
    "vgg10": ("better", 0.0001, None),
    "vgg10-aug": ("better", 0.0004, None),
    "wrn": ("better", 0.03, None),
    "wrn-aug": ("better", 0.0001, None),
    "wrn-cutmix": ("cannot tell apart", 0.71, 61_000),
    "wrn-se-aug": ("worse", 0.02, None),
    "tuned": ("cannot tell apart", 0.55, 24_000),
    BEST: ("better", 0.004, None),
}
BEHIND: Judged = {
    rung.name: ("worse", 0.004, None) for rung in STORY if rung.val_hits and rung.name != BEST
}


def build_story(folder: Path, names: tuple[str, ...] = NAMES) -> Path:
    """Write every record of a finished study of ten rungs, one of which failed."""
    rng = np.random.default_rng(1)
    write_card(folder, names, STORY, BEST)
    limits = {"gap": 0.1, "parameters": 4_000_000, "latency_seconds": 0.02}
    goal = {"maximise": "val_accuracy", "limits": limits}
    edit_json(folder / "study.json", refit=True, seeds=3, goal=goal)
    write_split(folder, len(names))
    write_exploration(folder / "exploration", names, 2, rng)
    for index, rung in enumerate(STORY[:-1]):
        write_run(folder / "runs" / rung.name, rung, index, rng)
    (folder / "runs/wrn-aug/recipe.toml").write_text(RECIPE, encoding="utf-8")
    write_verdicts(folder, STORY, BEST, STEPS_UP, BEHIND)
    add_costs(folder / "verdicts.json")
    write_ensemble(folder / "runs" / BEST, rng)
    write_search(folder / "runs/tuned/tune")
    write_errors(folder / "runs" / BEST / "errors", len(names), rng)
    save_json(folder / "runs/wrn-aug/seeds.json", SEEDS)
    write_test(folder, names, BEST, rng)
    write_scorecard(folder / "test.json")
    save_json(folder / "environment.json", ENVIRONMENT)
    return folder


RECIPE = """batch_size = 64
augment = "flip"

[optimizer]
lr = 0.1
weight_decay = 0.0005
"""
SEEDS = {
    "seeds": [7, 8, 9],
    "accuracies": [0.921, 0.914, 0.918],
    "mean": 0.9177,
    "std": 0.0035,
    "interval": [0.909, 0.926],
    "n": VAL_N,
}


def add_costs(path: Path) -> None:
    """Add what newer verdicts hold beyond the older ones."""
    record = json.loads(path.read_text(encoding="utf-8"))
    for entry in (*record["steps"], *record["against_best"]):
        low, high = entry["interval"]
        entry |= {"latency_ratio": 1.4, "bootstrap": [low + 0.001, high - 0.001]}
    path.write_text(json.dumps(record), encoding="utf-8")


def calibrate(n: int) -> dict[str, Any]:
    """Probabilities that claim too much, and the same after scaling."""
    return {
        "temperature": 1.34,
        "before": {"ece": 0.0412, "nll": 0.271, "brier": 0.105, "bins": fill_bins(n, 0.06)},
        "after": {"ece": 0.0087, "nll": 0.214, "brier": 0.094, "bins": fill_bins(n, 0.004)},
    }


def fill_bins(n: int, excess: float) -> list[dict[str, Any]]:
    """Fifteen bins of equal width, the lowest of them empty and left out."""
    shares = [0.002, 0.004, 0.008, 0.01, 0.012, 0.016, 0.018, 0.02, 0.025, 0.035, 0.05, 0.8]
    bins = []
    for place, share in enumerate(shares, start=3):
        confidence = (place + (0.85 if place == 14 else 0.5)) / 15
        bins.append(
            {
                "low": place / 15,
                "high": (place + 1) / 15,
                "n": round(share * n),
                "confidence": confidence,
                "accuracy": confidence - excess * (1.4 if place < 10 else 0.6),
            }
        )
    return bins


def write_search(folder: Path) -> None:
    trials = [
        (0, 0.1, 5e-4, 128, "flip+crop", "complete", 0.842, 4),
        (1, 0.021, 3.1e-5, 64, "flip", "complete", 0.797, 4),
        (2, 0.44, 2.2e-3, 256, "flip+crop", "pruned", 0.512, 1),
        (3, 0.17, 8.4e-4, 64, "flip+crop", "complete", 0.868, 4),
        (4, 0.065, 1.2e-5, 128, "none", "pruned", 0.604, 2),
        (5, 0.24, 1.6e-3, 64, "flip+crop", "complete", 0.859, 4),
        (6, 0.49, 4.0e-3, 256, "none", "failed", None, 0),
        (7, 0.13, 3.7e-4, 128, "flip+crop", "complete", 0.851, 4),
        (8, 0.033, 1.1e-4, 64, "flip+crop", "complete", 0.823, 4),
        (9, 0.19, 6.0e-4, 128, "flip", "pruned", 0.641, 2),
    ]
    keys = ("optimizer.lr", "optimizer.weight_decay", "batch_size", "augment")
    entries = [
        {
            "number": number,
            "values": dict(zip(keys, values, strict=True)),
            "state": state,
            "accuracy": accuracy,
            "epochs": epochs,
            "seconds": 15.3 * epochs,
            "note": "the loss was not a number" if state == "failed" else None,
        }
        for number, *values, state, accuracy, epochs in trials
    ]
    record = {
        "recipe": "wrn-aug",
        "metric": "val_accuracy",
        "epochs": 4,
        "trials_asked": 12,
        "budget_seconds": 600.0,
        "sampler": "TPE",
        "pruner": "hyperband",
        "space": [
            {"key": keys[0], "kind": "float", "low": 0.01, "high": 0.5, "log": True},
            {"key": keys[1], "kind": "float", "low": 1e-5, "high": 5e-3, "log": True},
            {"key": keys[2], "kind": "choice", "choices": [64, 128, 256]},
            {"key": keys[3], "kind": "choice", "choices": ["none", "flip", "flip+crop"]},
        ],
        "trials": entries,
        "best": {"number": 3, "values": entries[3]["values"], "accuracy": 0.868},
        "importance": dict(zip(keys, (0.58, 0.17, 0.09, 0.16), strict=True)),
        "rerun": None,
    }
    save_json(folder / "tune.json", record)


def write_ensemble(folder: Path, rng: np.random.Generator) -> None:
    run = "members/snapshots"
    write_run(folder / run, STORY[-2]._replace(name="snapshots"), 9, rng)
    found = read_epochs(folder / run / "metrics.jsonl", 2, 6, 13, 14)
    candidates = [
        {"run": run, "epoch": epoch, "accuracy": accuracy, "loss": 0.3, "chosen": epoch > 2}
        for epoch, accuracy in found.items()
    ]
    members = [{"run": run, "epoch": epoch, "accuracy": found[epoch]} for epoch in (13, 14, 6)]
    record = {
        "select": "greedy",
        "candidates": candidates,
        "members": members,
        "steps": [
            {"members": 1, "accuracy": 0.926, "loss": 0.28, "gain": 0.0},
            {"members": 2, "accuracy": 0.936, "loss": 0.24, "gain": 0.01},
            {"members": 3, "accuracy": 0.941, "loss": 0.22, "gain": 0.005},
        ],
        "disagreement": [[0.0, 0.071, 0.094], [0.071, 0.0, 0.083], [0.094, 0.083, 0.0]],
        "single": {
            **members[0],
            **{key: score(926, VAL_N, 0.28)[key] for key in ("interval", "n")},
            "latency_seconds": 0.0099,
            "size_bytes": 4 * WIDE,
            "parameters": WIDE,
        },
        "averaged_weights": {
            **score(912, VAL_N, 0.33),
            "sentence": "One network with averaged weights is as fast as one member, but worse.",
        },
        "against_single": compare(STORY, BEST, "tuned", ("better", 0.004, None)),
        "cost": {"latency_ratio": 3.0, "size_ratio": 3.0},
    }
    save_json(folder / "ensemble.json", record)
    gap = 3_930 / 4_000 - 0.941
    status = {
        "name": BEST,
        "kind": "ensemble",
        "status": "done",
        "error": None,
        "best_epoch": 14,
        "epochs_done": 14,
        "stopped": "reached the planned end",
        "seconds": 612.0,
        "parameters": 3 * WIDE,
        "size_bytes": 12 * WIDE,
        "latency_seconds": 0.0191,
        "train": score(3_930, 4_000, 0.03),
        "val": score(941, VAL_N, 0.22),
        "gap": gap,
        "within_limits": True,
        "calibration": calibrate(VAL_N),
        "machine": {"device": "cpu", "precision": "bf16", "threads": 2},
        "notes": [],
    }
    save_json(folder / "status.json", status)
    for name in ("recipe.toml", "recipe.diff.toml"):
        (folder / name).write_text('[model]\nname = "wide_resnet"\n', encoding="utf-8")


def read_epochs(path: Path, *epochs: int) -> dict[int, float]:
    """The validation accuracy of some epochs."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {line["epoch"]: line["val_accuracy"] for line in lines if line["epoch"] in epochs}


def write_errors(folder: Path, K: int, rng: np.random.Generator) -> None:
    def draw(name: str, count: int = 1) -> str:
        save_strip(folder / name, count, rng)
        return name

    pairs = [
        {
            "true": true % K,
            "predicted": predicted % K,
            "count": count,
            "reverse_count": count - 4,
            "file": draw(f"pair-{number}.png", min(8, count)),
            "reverse_file": draw(f"pair-{number}-reverse.png", count - 4) if count > 4 else None,
        }
        for number, (true, predicted, count) in enumerate([(3, 5, 9), (1, 9, 6), (2, 4, 4)])
    ]
    worst = [
        {
            "index": 17 + number,
            "true": number % K,
            "predicted": (number + 2) % K,
            "confidence": 0.999 - 0.01 * number,
            "true_probability": 0.001 * (number + 1),
            "file": draw(f"worst-{number:02d}.png"),
            "saliency": draw(f"worst-{number:02d}-saliency.png"),
        }
        for number in range(8)
    ]
    votes = [
        {
            "index": 40 + number,
            "true": 3 % K,
            "votes": [3 % K, 5 % K, number % K],
            "file": draw(f"vote-{number}.png"),
        }
        for number in range(5)
    ]
    issues = [
        {
            "index": 90 + number,
            "given": number % K,
            "suggested": (number + 4) % K,
            "probability": 0.98 - 0.02 * number,
            "file": draw(f"label-{number}.png"),
        }
        for number in range(5)
    ]
    record = {
        "on": "val",
        "n": VAL_N,
        "saliency": "Grad-CAM",
        "errors": 59,
        "model": BEST,
        "class_names": list(NAMES[:K]),
        "pairs": pairs,
        "worst": worst,
        "disagreements": votes,
        "label_issues": {"estimate": 7, "images": issues},
        "slices": [
            cut("brightness", 0.012, "Dark images are harder than bright ones (p = 0.012)."),
            cut("contrast", 0.44, "Contrast makes no difference that these images can show."),
        ],
    }
    save_json(folder / "errors.json", record)


def cut(name: str, p: float, sentence: str) -> dict[str, Any]:
    hits = (225, 233, 239, 244) if p < 0.05 else (234, 237, 233, 237)
    edges = (0.08, 0.35, 0.47, 0.6, 0.97)
    bins = []
    for place, hit in enumerate(hits):
        found = score(hit, VAL_N // 4, 0.0)
        low, high = edges[place], edges[place + 1]
        bins.append(
            {"low": low, "high": high, **{k: found[k] for k in ("n", "accuracy", "interval")}}
        )
    return {"name": name, "bins": bins, "p": p, "sentence": sentence}


def write_scorecard(path: Path) -> None:
    """Add what newer scorecards hold, for a winner that was trained once more."""
    twin = score(1_121, TEST_N, 0.35)
    found = {key: value for key, value in score(941, VAL_N, 0.0).items() if key != "loss"}
    edit_json(
        path,
        topk={"2": 0.9712, "5": 0.9952},
        calibration=calibrate(TEST_N),
        # The refitted model has seen the validation images, so only its twin stands beside them.
        val=None,
        p_vs_val=None,
        differs_from_val=None,
        refit=True,
        twin={**twin, "val": found, "differs_from_val": True, "p_vs_val": 0.0004},
    )
