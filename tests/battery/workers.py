"""Searches that several processes share on a real PostgreSQL, some of which are killed."""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path
from urllib.parse import quote

from smallvision.records import store
from smallvision.records.layout import TUNE
from smallvision.records.schema import TuningRecord
from tests.battery.outcome import Outcome
from tests.battery.work import finish, start
from tests.support.postgres import PASSWORD, explain_absence, run_server

PROMISE = (
    "Workers that share a search, begun at any moment, of which some are killed, make exactly the "
    "trials that were asked for, each with other settings, and one rerun; those that are left have "
    "the same record, and none shows the password."
)
WORKERS, TRIALS = 4, 6
RECIPE = """
name = "shared"
epochs = 3
batch_size = 256
stopping = {patience = 0}
compute = {threads = 1}
[model]
name = "mlp"
hidden = [8]
"""


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Rounds of four workers on an empty database each, of which up to two are killed."""
    outcome = Outcome(PROMISE, untried=explain_absence())
    if outcome.untried:
        return outcome
    recipe = place / "shared.toml"
    recipe.write_text(RECIPE, encoding="utf-8")
    with run_server() as server:
        for number in range(trials):
            draw = random.Random(f"{seed} {number}")
            with outcome.trial(f"round {number}"):
                share(server, number, recipe, place, draw, outcome)
    return outcome


def share(
    server: str, number: int, recipe: Path, place: Path, draw: random.Random, outcome: Outcome
) -> None:
    """One round."""
    name, cache = f"round {number}", place / "cache"
    url = f"{server}?options={quote(f'-c search_path=round{number}')}"
    make_schema(server, f"round{number}")
    folders = [place / f"{number}-{worker}" for worker in range(WORKERS)]
    jobs = []
    for folder in folders:
        job = ("tune", "digits", recipe, "--trials", str(TRIALS), "--epochs", "2", "--seeds", "1")
        jobs.append(start(*job, "--storage", url, "--out", folder, fault="hasty", cache=cache))
        time.sleep(draw.choice((0.0, 0.0, draw.uniform(0, 5))))
    killed = draw.sample(range(WORKERS), draw.choice((0, 1, 2, 2)))
    for worker in killed:
        time.sleep(draw.uniform(0, 8))
        if jobs[worker].poll() is None:
            jobs[worker].send_signal(signal.SIGKILL)
            outcome.count("killed")
    records = []
    for worker, (job, folder) in enumerate(zip(jobs, folders, strict=True)):
        code, said = finish(job)
        outcome.expect(
            PASSWORD not in said and quote(PASSWORD, safe="") not in said,
            f"{name}: shows the password",
        )
        if code == -signal.SIGKILL:
            continue
        outcome.expect(code == 0, f"{name}: worker {worker} ended with {code}: {said[-400:]}")
        if code == 0:
            records.append(store.read(folder / TUNE, TuningRecord))
    for record in records:
        tried = {tuple(sorted(trial.values.items())) for trial in record.trials}
        outcome.expect(len(record.trials) == TRIALS, f"{name}: {len(record.trials)} trials")
        outcome.expect(len(tried) == TRIALS, f"{name}: settings were tried twice")
        outcome.expect(record.trials == records[0].trials, f"{name}: other trials")
        outcome.expect(record.best == records[0].best, f"{name}: another winner")
        outcome.expect(record.rerun == records[0].rerun, f"{name}: another rerun")
    whole = [folder for folder in folders if len(list(folder.glob("rerun/*/model"))) == 2]
    lost = sum(job.returncode == -signal.SIGKILL for job in jobs)
    rerun = bool(records) and records[0].rerun is not None and records[0].rerun.trial > 0
    outcome.expect(len(whole) <= 1 + lost, f"{name}: {len(whole)} reruns")
    outcome.expect(bool(whole) == rerun, f"{name}: no rerun of a winner")
    outcome.count("trials", len(records[0].trials) if records else 0)


def make_schema(url: str, name: str) -> None:
    """A part of the database without tables."""
    import psycopg

    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as database:
        database.execute(f"create schema {name}")  # type: ignore[call-overload]
