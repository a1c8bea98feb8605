"""Records turned into phrases: the evidence of a verdict, a machine, an environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from smallvision.format import (
    NONE,
    format_count,
    format_duration,
    format_fraction,
    format_latency,
    format_ratio,
    format_size,
    join_words,
    shorten_hash,
)
from smallvision.reporting.scores import Seeds
from smallvision.reporting.view import Rung

METRICS = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}


def name_metric(name: str) -> str:
    """Give a metric's name as people say it."""
    return METRICS.get(name, name.replace("_", " "))


def describe_costs(rung: Rung) -> tuple[str, ...]:
    """Say what a rung costs, part by part, each beside the rung it is compared with."""
    step, out = rung.step, rung.outcome
    ratios = (step.seconds_ratio, step.parameters_ratio, step.latency_ratio) if step else ()
    searched = f", after {format_duration(out.search_seconds)} of search"
    figures = (
        f"{format_duration(out.seconds)} of training{searched if out.search_seconds else ''}",
        f"{format_count(out.parameters)} parameters",
        f"{format_latency(out.latency_seconds)} an image",
    )
    pairs = zip_longest(figures, ratios)
    return tuple(
        figure if ratio is None else f"{figure} ({format_ratio(ratio)})"
        for figure, ratio in pairs
        if not figure.startswith(NONE)
    )


def describe_help(rung: Rung) -> str:
    """Say in plain words whether a rung did any good; nothing where it was not compared."""
    if rung.is_adopted:
        return (
            "Tuning found nothing better than the recipe's own settings; this rung is the very run "
            f"of {rung.plan.builds_on}."
        )
    if rung.is_repeat:
        return (
            "Tuning found nothing better than the recipe's own settings; this rung is a repeat of "
            "it with another seed."
        )
    if rung.step is None:
        return ""
    return {"better": "Helped.", "worse": "Did not help: it did harm."}.get(
        rung.step.verdict, "Did not help as far as these images can tell."
    )


def describe_seeds(seeds: Seeds) -> str:
    """Say how an accuracy varies with the seed, `91.0 ± 0.3 % over 3 seeds (seed 4 failed)`."""
    mean, std = (format_fraction(value, seeds.n) for value in (seeds.mean, seeds.std))
    spread = "" if seeds.std is None else f" ± {std}"
    count = "1 seed" if len(seeds.seeds) == 1 else f"{len(seeds.seeds)} seeds"
    failed = f" ({name_seeds(seeds.failed)} failed)" if seeds.failed else ""
    return f"{mean}{spread} % over {count}{failed}"


def name_seeds(seeds: Sequence[int]) -> str:
    """Name seeds, `seed 4` or `seeds 4 and 5`."""
    return f"{'seed' if len(seeds) == 1 else 'seeds'} {join_words([str(seed) for seed in seeds])}"


def describe_machine(machine: Mapping[str, Any]) -> str:
    """Where a run trained: `cpu, bf16, 2 threads, channels last`."""
    words = [str(machine[key]) for key in ("device", "precision") if machine.get(key)]
    threads = machine.get("threads")
    if threads:
        words.append(f"{threads} thread{'' if threads == 1 else 's'}")
    words += [key.replace("_", " ") for key, value in machine.items() if value is True]
    return ", ".join(words) or "–"


def flatten_record(record: Mapping[str, Any], prefix: str = "") -> tuple[tuple[str, str], ...]:
    """List a nested record as rows of name and text; what is null or a schema is left out."""
    rows: list[tuple[str, str]] = []
    for key, value in record.items():
        name = f"{prefix} {key}".strip()
        if value is None or name == "schema":
            continue
        if isinstance(value, Mapping):
            # "versions torch" says no more than "torch".
            rows += flatten_record(value, "" if key in {"packages", "versions"} else name)
        else:
            rows.append(describe_entry(name, value))
    return tuple(rows)


def describe_entry(name: str, value: object) -> tuple[str, str]:
    """One entry of a record in words."""
    if isinstance(value, bool):
        text = "yes" if value else "no"
    elif name.endswith("_bytes") and isinstance(value, int):
        name, text = name.removesuffix("_bytes"), format_size(value)
    elif name == "git commit":
        text = shorten_hash(str(value))
    else:
        text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return name.replace("_", " "), text
