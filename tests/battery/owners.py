"""Two processes that want one folder, and eight that share a study's."""

from __future__ import annotations

import time
from pathlib import Path

from smallvision.records.layout import is_finished
from smallvision.records.ledger import read_openings
from smallvision.records.locks import claim_folder
from tests.battery.outcome import Outcome
from tests.battery.work import finish, start, write_recipe

PROMISE = (
    "Of two processes in one folder one goes on, and the other leaves within two seconds and names "
    "it; a killed owner leaves no lock, and a folder of something else is not taken. Eight runs "
    "side by side in one folder lose no record."
)


def run(place: Path, trials: int, seed: int, many: int = 8) -> Outcome:
    """Contests for a folder, `trials` of them, and many runs at once, if any; nothing is drawn."""
    outcome = Outcome(PROMISE)
    refuse_taken(place / "taken", outcome)
    recipe = write_recipe(place)
    cache = place / "cache"
    for number in range(trials):
        with outcome.trial(f"contest {number}"):
            contest(recipe, place / f"contest-{number}", cache, outcome, number)
    if many:
        with outcome.trial(f"{many} at once"):
            crowd(recipe, place / "crowd", cache, outcome, many)
    return outcome


def refuse_taken(place: Path, outcome: Outcome) -> None:
    """What is no folder for results, or holds something already, is nobody's to take."""
    (place / "held").mkdir(parents=True)
    (place / "file").write_text("mine")
    (place / "other").mkdir()
    (place / "other" / "mine.txt").write_text("mine")
    (place / "held" / "status.json").write_text("{}")
    for name, reason in (
        ("file", "is a file; name a folder"),
        ("other", "is not empty and holds no status.json"),
        ("held", "already holds results"),
    ):
        with outcome.trial(name, reason):
            with claim_folder(place / name, "status.json", resume=False):
                pass
            outcome.expect(False, f"{name}: was taken")
        left = sorted(path.name for path in place.rglob("*"))
        outcome.expect(
            left == ["file", "held", "mine.txt", "other", "status.json"], f"{name}: left {left}"
        )


def contest(recipe: Path, folder: Path, cache: Path, outcome: Outcome, number: int) -> None:
    """One process owns a folder, another wants it, the first is killed, the second may."""
    job = ("train", "digits", recipe, "--set", "epochs=400", "--out", folder)
    owner = start(*job, cache=cache)
    while not (folder / ".lock").exists() or not (folder / ".lock").read_text():
        time.sleep(0.02)
        if owner.poll() is not None:
            raise RuntimeError(f"the owner ended: {owner.stdout.read() if owner.stdout else ''}")
    began = time.perf_counter()
    code, out = finish(start(*job, *(["--resume"] if number % 2 else []), cache=cache))
    seconds = time.perf_counter() - began
    outcome.most("seconds until the other leaves, at most", round(seconds, 2))
    outcome.expect(code == 2 and f"process {owner.pid} on" in out, f"{number}: {code} {out}")
    outcome.expect(seconds < 2, f"contest {number}: left after {seconds:.1f} s")
    owner.kill()
    finish(owner)
    successor = start(
        "train", "digits", recipe, "--set", "epochs=400", "--out", folder, "--resume", cache=cache
    )
    while successor.poll() is None and f"process {successor.pid} on" not in read_lock(folder):
        time.sleep(0.02)
    outcome.expect(successor.poll() is None, f"contest {number}: the lock outlived its process")
    successor.kill()
    finish(successor)


def read_lock(folder: Path) -> str:
    """What the lock says."""
    return (folder / ".lock").read_text(encoding="utf-8")


def crowd(recipe: Path, folder: Path, cache: Path, outcome: Outcome, many: int) -> None:
    """Many runs in one folder, then as many evaluations of one of them, all at once."""
    jobs = [
        start(
            "train",
            "digits",
            recipe,
            "--set",
            f"seed={n}",
            "--out",
            folder / "runs" / str(n),
            cache=cache,
        )
        for n in range(many)
    ]
    codes = [finish(job)[0] for job in jobs]
    outcome.expect(codes == [0] * many, f"side by side: exit {codes}")
    finished = [is_finished(folder / "runs" / str(n)) for n in range(many)]
    outcome.expect(all(finished), f"side by side: finished {finished}")
    tests = [start("evaluate", folder / "runs" / "0", "digits", cache=cache) for _ in range(many)]
    codes = [finish(test)[0] for test in tests]
    opened = sum(code == 0 for code in codes)
    entries = read_openings(folder / "runs" / "0")
    outcome.expect(len(entries) == opened, f"{opened} openings, {len(entries)} in the ledger")
    outcome.figures["evaluations at once, each a line in the ledger"] = opened
