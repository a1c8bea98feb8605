"""`python -m tests.battery [FAMILY …]`: all trials, `results/reliability.json`, the table."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from queue import Queue
from tempfile import TemporaryDirectory
from typing import Any

from smallvision.compute.environment import describe_environment
from smallvision.records import store
from smallvision.records.files import make_folder, now, write_text
from tests.battery.families import FAMILIES

SEED = 0
CORES = 2
ROOT = Path(__file__).parents[2]
RECORD = ROOT / "results" / "reliability.json"
PAGE = ROOT / "docs" / "RELIABILITY.md"


def main() -> None:
    """Run the families named, or all, each on one of two cores; keep the record after each."""
    if sys.argv[1:2] == ["--family"]:
        run_family(sys.argv[2], Path(sys.argv[3]))
        return
    wanted = sys.argv[1:] or list(FAMILIES)
    families: dict[str, Any] = {}
    if sys.argv[1:] and RECORD.exists():
        families = json.loads(RECORD.read_text(encoding="utf-8"))["families"]
    began, failed = time.perf_counter(), False
    with TemporaryDirectory() as place, ThreadPoolExecutor(CORES) as pool:
        cores: Queue[int] = Queue()
        for core in range(CORES):
            cores.put(core)
        running = [pool.submit(run_apart, name, Path(place), cores) for name in wanted]
        for done in as_completed(running):
            name, found = done.result()
            families[name] = found
            failed = failed or bool(found["failures"])
            print(
                f"{name}: {found['trials']} trials, {len(found['failures'])} failures, "
                f"{found['seconds']} s",
                flush=True,
            )
            if found["untried"]:
                print(f"  not tried here: {found['untried']}")
            for failure in found["failures"][:20]:
                print(f"  {failure}")
            ordered = {name: families[name] for name in FAMILIES if name in families}
            write_table(write_json(RECORD, "reliability", {"seed": SEED, "families": ordered}))
    print(f"{(time.perf_counter() - began) / 60:.0f} minutes")
    sys.exit(1 if failed else 0)


def run_apart(name: str, place: Path, cores: Queue[int]) -> tuple[str, dict[str, Any]]:
    """Run one family in a process of its own, on the next core that is free."""
    core, found = cores.get(), place / f"{name}.json"
    command = [sys.executable, "-m", "tests.battery", "--family", name, str(found)]
    if shutil.which("taskset"):
        command = ["taskset", "--cpu-list", str(core), *command]
    try:
        subprocess.run(command, cwd=ROOT, check=True)
        return name, json.loads(found.read_text(encoding="utf-8"))
    finally:
        cores.put(core)


def run_family(name: str, found: Path) -> None:
    """Run one family here, and write what it found."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # what is mounted goes
    family, began = FAMILIES[name], time.perf_counter()
    with TemporaryDirectory() as place:
        os.environ["SMALLVISION_CACHE"] = str(Path(place) / "cache")
        outcome = family.run(Path(place), family.trials, SEED)
    seconds = round(time.perf_counter() - began)
    found.write_text(json.dumps({**vars(outcome), "seconds": seconds}), encoding="utf-8")


def write_json(path: Path, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write what was found, with where and when; returns the record."""
    record = {
        store.SCHEMA: store.VERSION,
        "kind": kind,
        "created": now(),
        "environment": describe_environment().model_dump(mode="json"),
        **content,
    }
    text = json.dumps(store.add_sum(record), indent=1, ensure_ascii=False) + "\n"
    write_text(make_folder(path.parent) / path.name, text)
    return record


def write_table(record: dict[str, Any]) -> None:
    """Draw the record into the page, between its marks."""
    rows = [describe_family(name, family) for name, family in record["families"].items()]
    versions = record["environment"]["versions"]
    minutes = sum(family["seconds"] for family in record["families"].values()) / 60
    head = [
        f"{record['created'][:10]}, {record['environment']['processor']}, "
        f"{record['environment']['platform']}, torch {versions['torch']}, seed {record['seed']}; "
        f"{minutes:.0f} minutes of one core, two families at a time.",
        "",
        "| family | promise | trials | failures | failure rate below (95 %) | measured |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    write_part("battery", [*head, *rows])


def write_part(name: str, lines: Sequence[str]) -> None:
    """Write lines into the page, between the marks of a part."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    text = "\n".join([begin, *lines, end])
    page = PAGE.read_text(encoding="utf-8")
    write_text(PAGE, re.sub(f"{begin}.*{end}", lambda _: text, page, flags=re.DOTALL))


def describe_family(name: str, family: dict[str, Any]) -> str:
    """A row of the table; nothing is claimed of what was not tried."""
    trials, failures = family["trials"], len(family["failures"])
    measured = [describe(family["figures"])] if family["figures"] else []
    if family.get("untried"):
        measured.append(f"not tried here: {family['untried']}")
    counts = f"{trials:,} | {failures} | {bound(trials, failures)}" if trials else "none | – | none"
    return f"| {name} | {family['promise']} | {counts} | {'; '.join(measured)} |"


def bound(trials: int, failures: int) -> str:
    """The failure rate that so few failures in so many trials exclude, one-sided (exact)."""
    from scipy.stats import beta

    if failures >= trials:
        return "none"
    return f"{beta.ppf(0.95, failures + 1, trials - failures):.1%}"


def describe(figures: dict[str, Any]) -> str:
    """Figures in words."""
    return "; ".join(f"{name}: {value:g}" for name, value in figures.items())


if __name__ == "__main__":
    main()
