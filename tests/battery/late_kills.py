"""`kill -9` within what comes after training, from `ensemble` to the rerun of a search's winner."""

from __future__ import annotations

from pathlib import Path

from smallvision.api import train
from smallvision.records import store
from smallvision.records.layout import TEST
from smallvision.records.ledger import read_openings
from smallvision.records.schema import TestRecord
from tests.battery.kills import Job, kill_all
from tests.battery.outcome import Outcome
from tests.battery.work import call, write_recipe

PROMISE = (
    "What comes after training, killed at any moment, is done by the same command to the same "
    "bits, and nothing stray is left; an opening of the test set that was written down counts, and "
    "none is lost."
)
# At such a learning rate another trial wins, so that a rerun has something to train.
SLOW = ("--preset", "quick", "--set", "epochs=2", "--set", "optimizer.lr=1e-4")
SLOW += ("--set", "compute.threads=1")


def run(place: Path, trials: int, seed: int, names: tuple[str, ...] = ()) -> Outcome:
    """Kill jobs, a third of the time at a named place; then run them again, and compare."""
    outcome = Outcome(PROMISE)
    jobs = [job for job in list_jobs(place, names) if not names or job.name in names]
    kill_all(jobs, place, trials, seed, outcome)
    for job in jobs:
        if job.name == "evaluate":
            for number in range(trials):
                count_openings(place / f"{number:03d}", outcome)
    return outcome


def list_jobs(place: Path, names: tuple[str, ...] = ()) -> list[Job]:
    """The commands after training, and the finished run or search that each needs."""
    recipe, made = write_recipe(place), place / "made"
    finished = made / "run"
    train("digits", recipe, out=finished)
    jobs = [
        Job("evaluate", ("evaluate",), weight=2, option=(), source=finished),
        Job("explain", ("explain",), option=(), source=finished),
        Job("report", ("report",), option=(), source=finished),
        Job("explore", ("explore", "digits", "--no-page")),
        Job("ensemble", ("ensemble", finished, "--members", "2"), weight=2),
        Job("distill", ("distill", finished, "--set", "epochs=2"), ("--resume",), 2),
    ]
    if not names or "rerun" in names:
        search = ("tune", "digits", "mlp", "--trials", "3", "--epochs", "2", *SLOW)
        call(*search, "--seeds", "0", "--out", made / "search", cache=place / "cache")
        again = (*search, "--seeds", "1", "--resume")
        jobs.append(Job("rerun", again, weight=3, source=made / "search"))
    return jobs


def count_openings(folder: Path, outcome: Outcome) -> None:
    """Compare what the last evaluation of a run says of its openings with the ledger."""
    if not (folder / TEST).exists():
        return
    said = store.read(folder / TEST, TestRecord).openings
    found = [entry.opening for entry in read_openings(folder)]
    outcome.expect(found == list(range(1, said + 1)), f"{folder.name}: {said} said, {found} listed")
    outcome.count("openings before the kill, counted", said - 1)
