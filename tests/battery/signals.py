"""Ctrl-C, SIGTERM and SIGHUP, in every phase of a command."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from smallvision.records.layout import STATUS, is_finished
from smallvision.training.checkpoints import read_state
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, each, finish, read_bits, start, write_recipe

PROMISE = (
    "Asked to stop, a command keeps what it has, says how to go on, and leaves within ten seconds "
    "with 130, 143 or 129; asked twice, it leaves at once. What goes on has the same bits."
)
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Signals at random times from the first line of Python on, every fifth time twice."""
    outcome = Outcome(PROMISE)
    recipe = write_recipe(place)
    jobs: dict[str, tuple[Any, ...]] = {
        "train": ("train", "digits", recipe, "--set", "epochs=8"),
        "tune": ("tune", "digits", recipe, "--trials", "3", "--epochs", "2", "--seeds", "0"),
        "study": (
            "study",
            "digits",
            "--rungs",
            "mlp",
            "--folds",
            "1",
            "--set",
            "compute.threads=1",
            "--set",
            "epochs=20",
        ),
        "explore": ("explore", "digits", "--no-page"),
    }
    jobs = {name: job for name, job in jobs.items() if not names or name in names}
    seconds: dict[str, float] = {}
    expected: dict[str, dict[str, Any]] = {}
    for name, job in jobs.items():
        began = time.perf_counter()
        finish(start(*job, *out(name, place / f"whole-{name}"), cache=place / "cache"))
        seconds[name] = time.perf_counter() - began
        expected[name] = read_bits(place / f"whole-{name}")

    def attempt(number: int) -> None:
        draw = random.Random(f"{seed} {number}")
        name = draw.choice(list(jobs))
        kind, twice = draw.choice(list(CODES)), number % 5 == 4
        label = f"{number} {name} {kind.name}{' twice' if twice else ''}"
        folder = place / str(number)
        with outcome.trial(label):
            process = start(
                *jobs[name], *out(name, folder), cache=place / "cache", start_new_session=True
            )
            time.sleep(draw.uniform(0.05, 1.0) * seconds[name])
            began = time.perf_counter()
            process.send_signal(kind)
            if twice:
                process.send_signal(kind)
            code, said = finish(process)
            took = time.perf_counter() - began
            outcome.most("seconds until it left, at most", round(took, 1))
            outcome.expect(not is_session_alive(process.pid), f"{label}: left an orphan")
            outcome.expect(took < 10, f"{label}: left after {took:.0f} s")
            if code == 0:
                outcome.count("was done before the signal")
                return
            # Before its own handlers are set, Python's start is ended by the system.
            early = code == -kind
            outcome.count("before the command began" if early else "in the command")
            outcome.expect(early or code == CODES[kind], f"{label}: exit {code}: {said[-200:]}")
            outcome.expect("Traceback" not in said or early, f"{label}: traceback: {said[-300:]}")
            if name == "train" and (folder / STATUS).exists() and not (early or twice):
                # The plan is written when training begins, before a signal is waited for.
                begun = (folder / "schedule.json").exists()
                hint = "go on with: smallvision train" if begun else "stopped before training began"
                outcome.expect(hint in said or is_finished(folder), f"{label}: {said[-200:]}")
                metrics = folder / "metrics.jsonl"
                epochs = metrics.read_bytes().count(b"\n") if metrics.exists() else 0
                paused = folder / "checkpoints" / "paused"
                if (paused / "state.json").exists():
                    outcome.count("paused amid an epoch")
                    outcome.expect(read_state(paused).epoch == epochs, f"{label}: stale pause")
            if name != "explore":
                again = (*jobs[name], *out(name, folder), "--resume")
                code, said = finish(start(*again, cache=place / "cache"))
                outcome.expect(code == 0, f"{label}: resumed with {code}: {said[-200:]}")
                differences = compare_bits(read_bits(folder), expected[name])
                outcome.expect(not differences, f"{label}: {differences[:3]}")

    each(trials, attempt)
    return outcome


def is_session_alive(leader: int) -> bool:
    """Whether any process of a session is left."""
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True


def out(name: str, folder: Path) -> tuple[str | Path, ...]:
    """Where a command shall write."""
    return ("--out", folder / "page.html") if name == "explore" else ("--out", folder)
