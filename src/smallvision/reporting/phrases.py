"""Records turned into phrases: the evidence of a verdict, a machine, an environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smallvision.reporting.view import Verdict
from smallvision.reporting.words import format_ratio, format_size, shorten_hash

METRICS = {"val_accuracy": "validation accuracy", "val_loss": "validation loss"}


def name_metric(name: str) -> str:
    """Give a metric's name as people say it."""
    return METRICS.get(name, name.replace("_", " "))


def describe_costs(verdict: Verdict) -> tuple[str, ...]:
    """Say what the step took, part by part; the verdict's sentence says what it gave."""
    parts = []
    if verdict.seconds_ratio is not None:
        parts.append(f"{format_ratio(verdict.seconds_ratio)} the training time")
    if verdict.parameters_ratio is not None:
        parts.append(f"{format_ratio(verdict.parameters_ratio)} the parameters")
    return tuple(parts)


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
