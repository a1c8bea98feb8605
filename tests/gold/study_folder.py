"""A made-up study folder in the exact format of the contract, for tests of what reads it."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from smallvision.stats import intervals

NAMES = ("airplane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_N, VAL_N, TEST_N, SIZE = 4_000, 1_000, 1_250, 12
FINGERPRINTS = {"train": "sha256:" + "a1b2c3d4" * 8, "test": "sha256:" + "5e6f7a8b" * 8}
CREATED, FINISHED = "2026-11-22T14:40:00+00:00", "2026-11-22T15:52:00+00:00"
FAULT = "the loss was not a number in epoch 3; lower the rate"
COMMAND = "smallvision study made-up --preset quick"


class Rung(NamedTuple):
    """A made-up rung: hits of 1,000 validation and of 4,000 training images; none if it failed."""

    name: str
    question: str
    base: str | None
    val_hits: int
    train_hits: int
    parameters: int
    slot: str | None = None
    note: str | None = None


Ladder = tuple[Rung, ...]
Judged = dict[str, tuple[str, float, int | None]]  # rung -> verdict, p, needed n

LADDER: Ladder = (
    Rung(
        "mlp",
        "How far does a network get that ignores where pixels are?",
        None,
        548,
        2_710,
        841_226,
    ),
    Rung("vgg10", "Do convolutions see what the flat network missed?", "mlp", 861, 3_992, 301_514),
    Rung("vgg10-aug", "Do shifted and flipped images cure it?", "vgg10", 903, 3_811, 301_514),
    Rung(
        "wrn-aug",
        "Does a wider network with shortcuts see more?",
        "vgg10-aug",
        911,
        3_874,
        1_077_850,
    ),
    Rung("wrn-cutmix", "Does mixing images close the gap?", "wrn-aug", 0, 0, 1_077_850),
)
VERDICTS: Judged = {
    "vgg10": ("better", 0.0001, None),
    "vgg10-aug": ("better", 0.0004, None),
    "wrn-aug": ("cannot tell apart", 0.41, 9_400),
}
AGAINST_BEST: Judged = {
    "mlp": ("worse", 0.0001, None),
    "vgg10": ("worse", 0.0002, None),
    "vgg10-aug": ("cannot tell apart", 0.41, 9_400),
}


def score(hits: int, n: int, loss: float) -> dict[str, Any]:
    return {
        "accuracy": hits / n,
        "interval": list(intervals.wilson_interval(hits, n)),
        "n": n,
        "loss": loss,
    }


def save_json(path: Path, record: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"schema": 1, **record}), encoding="utf-8")


def save_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def edit_json(path: Path, **changes: Any) -> None:
    """Overwrite top-level fields of a record."""
    path.write_text(json.dumps(json.loads(path.read_text()) | changes), encoding="utf-8")


def share_out(total: int, K: int) -> list[int]:
    return [total // K + (index < total % K) for index in range(K)]


def build_study(folder: Path, names: tuple[str, ...] = NAMES, *, pictured: int = 100) -> Path:
    """Write every record of a finished study with five rungs, the last of which failed."""
    rng = np.random.default_rng(0)
    write_card(folder, names, LADDER, "wrn-aug")
    write_split(folder, len(names))
    write_exploration(folder / "exploration", names, min(pictured, len(names)), rng)
    for index, rung in enumerate(LADDER):
        write_run(folder / "runs" / rung.name, rung, index, rng)
    write_verdicts(folder, LADDER, "wrn-aug", VERDICTS, AGAINST_BEST)
    write_test(folder, names, "wrn-aug", rng)
    save_json(folder / "environment.json", ENVIRONMENT)
    return folder


ENVIRONMENT = {
    "smallvision": "0.1.0",
    "python": "3.11.7",
    "packages": {"torch": "2.12.0", "numpy": "2.4.6"},
    "processor": "Made-up CPU @ 3.0 GHz",
    "device": "cpu",
    "threads": 2,
    "git": {"commit": "3993e6d", "dirty": False},
}


def write_card(folder: Path, names: tuple[str, ...], ladder: Ladder, best: str) -> None:
    rungs = [
        {
            "name": rung.name,
            "question": rung.question,
            "weakness": f"The rung below {rung.name} is weak.",
            "builds_on": rung.base,
            "status": "done" if rung.val_hits else "failed",
            "error": None if rung.val_hits else FAULT,
            # Older studies have neither a slot nor a note.
            **({"slot": rung.slot, "note": rung.note} if rung.slot else {}),
        }
        for rung in ladder
    ]
    data = {
        "name": "made-up",
        "source": "a random number generator",
        "shape": [3, SIZE, SIZE],
        "class_names": list(names),
        "train_n": TRAIN_N + VAL_N,
        "test_n": TEST_N,
        "train_fingerprint": FINGERPRINTS["train"],
        "test_fingerprint": FINGERPRINTS["test"],
        "mirror_safe": True,
        "notes": ["The test images came as a part of their own and were sealed."],
    }
    card = {
        "name": "made-up-quick",
        "created": CREATED,
        "finished": FINISHED,
        "command": COMMAND,
        "preset": "quick",
        "seed": 7,
        "goal": {
            "maximise": "val_accuracy",
            "limits": {"gap": 0.1, "parameters": 2_000_000, "latency_seconds": 0.02},
        },
        "data": data,
        "rungs": rungs,
        "best": best,
        "best_reason": "highest validation accuracy among the rungs within every limit",
    }
    save_json(folder / "study.json", card)


def write_split(folder: Path, K: int) -> None:
    split = {
        "seed": 7,
        "val_fraction": 0.2,
        "subset": None,
        "train_n": TRAIN_N,
        "val_n": VAL_N,
        "counts": {"train": share_out(TRAIN_N, K), "val": share_out(VAL_N, K)},
        "train_hash": "sha256:" + "11223344" * 8,
        "val_hash": "sha256:" + "55667788" * 8,
        "data_fingerprint": FINGERPRINTS["train"],
        "duplicates": 3,
        "declared_val": False,
    }
    save_json(folder / "split.json", split)


def save_strip(path: Path, count: int, rng: np.random.Generator, columns: int = 12) -> None:
    """Coloured noise with a gap of one transparent pixel between images."""
    rows, columns = -(-count // columns), min(count, columns)
    sheet = np.zeros((rows * (SIZE + 1) - 1, columns * (SIZE + 1) - 1, 4), np.uint8)
    for index in range(count):
        top, left = (index // columns) * (SIZE + 1), (index % columns) * (SIZE + 1)
        tint = rng.integers(40, 216, 3)
        noise = rng.integers(-40, 40, (SIZE, SIZE, 3))
        sheet[top : top + SIZE, left : left + SIZE, :3] = tint + noise
        sheet[top : top + SIZE, left : left + SIZE, 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(sheet, "RGBA").save(path)


def write_exploration(
    folder: Path, names: tuple[str, ...], pictured: int, rng: np.random.Generator
) -> None:
    K = len(names)
    save_strip(folder / "random.png", 60, rng)
    for index in range(pictured):
        save_strip(folder / f"class-{index:03d}.png", 10, rng)
        save_strip(folder / f"average-{index:03d}.png", 1, rng)
    for name in ("normalization-before", "normalization-after", "augment-flip", "augment-crop"):
        save_strip(folder / f"{name}.png", 10, rng)
    bins = np.linspace(-1, 1, 64)
    channels = []
    for name, mean in (("red", 0.49), ("green", 0.48), ("blue", 0.45)):
        heights = np.exp(-((bins - 2 * (mean - 0.5)) ** 2) * 3) + 0.05 * rng.random(64)
        histogram = list(heights / heights.sum())
        channels.append({"name": name, "mean": mean, "std": 0.25, "histogram": histogram})
    record = {
        "n": TRAIN_N,
        "shape": [3, SIZE, SIZE],
        "class_names": list(names),
        "counts": share_out(TRAIN_N, K),
        "imbalance": 1.0,
        "channels": channels,
        "duplicates": {"groups": 2, "images": 5},
        "implications": [
            "The classes are balanced (1.0 to 1), so accuracy is a fair metric.",
            f"The images are small ({SIZE} pixels), so no large receptive field is needed.",
        ],
        "pictures": {
            "random": "random.png",
            "classes": [f"class-{index:03d}.png" for index in range(pictured)],
            "averages": [f"average-{index:03d}.png" for index in range(pictured)],
            "normalization": {
                "before": "normalization-before.png",
                "after": "normalization-after.png",
            },
            "augmentations": [
                {"name": "flip", "sentence": "Mirror half of them.", "file": "augment-flip.png"},
                {"name": "crop", "sentence": "Shift by up to 2.", "file": "augment-crop.png"},
            ],
        },
    }
    save_json(folder / "exploration.json", record)


CYCLES, STEPS = (2, 6, 14), 32


def find_rate(step: int) -> float:
    """Cosine annealing with warm restarts, as of the start of a step."""
    ends = [0, *(cycle * STEPS for cycle in CYCLES)]
    start, end = next((a, b) for a, b in itertools.pairwise(ends) if step < b)
    return float(0.05 * (1 + np.cos(np.pi * (step - start) / (end - start))))


def write_run(folder: Path, rung: Rung, index: int, rng: np.random.Generator) -> None:
    name, _, _, val_hits, train_hits, parameters, _, _ = rung
    failed = val_hits == 0
    epochs, best = (3, None) if failed else (14, 13)
    steps = sorted({*range(0, CYCLES[-1] * STEPS, 4), *(c * STEPS - 1 for c in CYCLES)})
    schedule = {
        "kind": "sgdr",
        "steps_per_epoch": STEPS,
        "epochs": CYCLES[-1],
        "lr": 0.1,
        "step": steps,
        "value": [find_rate(step) for step in steps],
        "cycle_ends": [cycle * STEPS - 1 for cycle in CYCLES],
    }
    save_json(folder / "schedule.json", schedule)
    top = (val_hits or 400) / VAL_N, (train_hits or 1_700) / TRAIN_N
    save_lines(folder / "metrics.jsonl", list_epochs(epochs, best, top, rng))
    recipe = f'seed = 7\n\n[model]\nname = "{name.partition("-")[0]}"\ndepth = 10\n'
    (folder / "recipe.toml").write_text(recipe, encoding="utf-8")
    (folder / "recipe.diff.toml").write_text("[model]\ndepth = 10\n", encoding="utf-8")
    val = None if failed else score(val_hits, VAL_N, 0.31)
    train = None if failed else score(train_hits, TRAIN_N, 0.04)
    gap = None if failed else train_hits / TRAIN_N - val_hits / VAL_N
    status = {
        "name": name,
        "status": "failed" if failed else "done",
        "error": FAULT if failed else None,
        "epochs_planned": CYCLES[-1],
        "epochs_done": epochs,
        "best_epoch": best,
        "stopped": "the loss was not a number" if failed else "reached the planned end",
        "seconds": 61.2 * (index + 1),
        "parameters": parameters,
        "size_bytes": parameters * 4,
        "latency_seconds": None if failed else 0.0011 * (index + 1),
        "images_per_second": 820.0 / (index + 1),
        "train": train,
        "val": val,
        "gap": gap,
        "within_limits": None if gap is None else gap <= 0.1,
        "machine": {"device": "cpu", "precision": "bf16", "compiled": False, "threads": 2},
        "notes": [],
    }
    save_json(folder / "status.json", status)


def list_epochs(
    epochs: int, best: int | None, top: tuple[float, float], rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Curves that rise towards `top` and dip after each restart."""
    lines = []
    for epoch in range(1, epochs + 1):
        cycle = next(number for number, end in enumerate(CYCLES, start=1) if epoch <= end)
        start = 0 if cycle == 1 else CYCLES[cycle - 2]
        done = (epoch - start) / (CYCLES[cycle - 1] - start)
        level = 0.55 + 0.13 * cycle + 0.06 * done - 0.07 * (done < 0.3)
        val, train = (min(1.0, end * level + rng.normal(0, 0.004)) for end in top)
        if epoch == best:
            val, train = top
        lines.append(
            {
                "epoch": epoch,
                "step": epoch * STEPS,
                "cycle": cycle,
                "lr": find_rate(epoch * STEPS - 1),
                "loss": None if best is None and epoch == epochs else 2.4 - 2.2 * train,
                "train_loss": 2.2 - 2.15 * train,
                "train_accuracy": train,
                "val_loss": 2.3 - 2.1 * val,
                "val_accuracy": val,
                "best": epoch == best,
                "seconds": 4.4 * epoch,
                "images_per_second": 820.0,
            }
        )
    return lines


def compare(
    ladder: Ladder, rung: str, against: str, verdict: tuple[str, float, int | None]
) -> dict[str, Any]:
    hits = {rung.name: rung.val_hits for rung in ladder}
    difference = (hits[rung] - hits[against]) / VAL_N
    word, p, needed = verdict
    return {
        "rung": rung,
        "against": against,
        "n": VAL_N,
        "difference": difference,
        "interval": [difference - 0.019, difference + 0.019],
        "p": p,
        "verdict": word,
        "needed_n": needed,
        "gap_change": -0.021,
        "seconds_ratio": 1.7,
        "parameters_ratio": 0.4,
        "sentence": f"{rung} against {against} on {VAL_N} images: {word}.",
    }


def write_verdicts(
    folder: Path, ladder: Ladder, best: str, verdicts: Judged, against_best: Judged
) -> None:
    bases = {rung.name: rung.base or "" for rung in ladder}
    steps = [compare(ladder, rung, bases[rung], found) for rung, found in verdicts.items()]
    rest = [compare(ladder, rung, best, found) for rung, found in against_best.items()]
    save_json(folder / "verdicts.json", {"steps": steps, "against_best": rest})


def draw_confusion(K: int, rng: np.random.Generator) -> list[list[int]]:
    """About nine hits in ten; neighbours are confused most."""
    matrix = np.zeros((K, K), int)
    for true, support in enumerate(share_out(TEST_N, K)):
        for _ in range(support):
            slip = int(rng.geometric(0.5)) if rng.random() > 0.905 else 0
            matrix[true, (true + slip) % K] += 1
    return [[int(count) for count in row] for row in matrix]


def write_test(folder: Path, names: tuple[str, ...], model: str, rng: np.random.Generator) -> None:
    confusion = draw_confusion(len(names), rng)
    called = [sum(column) for column in zip(*confusion, strict=True)]
    rows = []
    for index, name in enumerate(names):
        hits, support = confusion[index][index], sum(confusion[index])
        precision, recall = hits / max(1, called[index]), hits / max(1, support)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        rows.append(
            {"name": name, "precision": precision, "recall": recall, "f1": f1, "support": support}
        )
    measures = ("precision", "recall", "f1")
    total = score(sum(confusion[i][i] for i in range(len(names))), TEST_N, 0.33)
    card = {
        "model": model,
        "time": FINISHED,
        **total,
        "openings": 1,
        "data_fingerprint": FINGERPRINTS["test"],
        "class_names": list(names),
        "per_class": rows,
        "macro": {key: float(np.mean([row[key] for row in rows])) for key in measures},
        "confusion": confusion,
        "val": {key: value for key, value in score(911, VAL_N, 0.0).items() if key != "loss"},
        "differs_from_val": False,
    }
    save_json(folder / "test.json", card)
    save_lines(folder / "ledger.jsonl", [opening(1)])


def opening(number: int) -> dict[str, Any]:
    return {
        "opening": number,
        "time": FINISHED,
        "command": COMMAND,
        "study": "made-up-quick",
        "model": "wrn-aug",
        "n": TEST_N,
        "data_fingerprint": FINGERPRINTS["test"],
    }
