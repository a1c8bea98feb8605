"""Disks that are full, read-only or limited, at every place that writes."""

from __future__ import annotations

import errno
import os
import random
import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smallvision.api import evaluate, train
from smallvision.errors import UserError
from smallvision.predict import load_model
from tests.battery.outcome import Outcome
from tests.battery.work import compare_bits, read_bits, write_recipe

PROMISE = (
    "A write that fails is one line that names the file, its size and the reason; what was there "
    "before stays whole, and with room again the job goes on to the same bits."
)
REASONS = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.EIO)


class Refusal:
    """Counts the writes of a job, and lets one of them, and all after it, fail.

    Attributes:
        last: the number of writes that succeed; -1 for all.
        passed: writes so far.
        sites: what was written.
    """

    def __init__(self, last: int, reason: int) -> None:
        self.last, self.reason = last, reason
        self.passed = 0
        self.sites: list[str] = []

    def write(self, name: str) -> None:
        """One write: counted, or refused."""
        self.sites.append(name)
        self.passed += 1
        if 0 <= self.last < self.passed:
            raise OSError(self.reason, os.strerror(self.reason))


@contextmanager
def refuse(refusal: Refusal) -> Iterator[None]:
    """Let files be written as long as the refusal allows; those that fail are half done."""
    opened = os.fdopen

    def fdopen(descriptor: int, mode: str = "r", *arguments: Any, **options: Any) -> Any:
        file = opened(descriptor, mode, *arguments, **options)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if mode in ("wb", "a+b") and "cache" not in path.parts:
            try:
                refusal.write(path.name)
            except OSError:
                file.write(b"half")
                file.close()
                raise
        return file

    os.fdopen = fdopen  # type: ignore[assignment]
    try:
        yield
    finally:
        os.fdopen = opened


def run(place: Path, trials: int, seed: int) -> Outcome:
    """Let every write of a run and its evaluation fail in turn, then go on; all if trials allow."""
    outcome, draw = Outcome(PROMISE), random.Random(seed)
    recipe = write_recipe(place)
    whole = place / "whole"
    counting = Refusal(-1, errno.ENOSPC)
    with refuse(counting):
        work(recipe, whole, resume=False)
    expected = read_bits(whole)
    sites = list(range(counting.passed))
    outcome.figures["write sites"] = len(sites)
    for number, last in enumerate(sorted(draw.sample(sites, min(trials, len(sites))))):
        reason = REASONS[number % len(REASONS)]
        name = f"write {last + 1} ({counting.sites[last]}), {errno.errorcode[reason]}"
        folder = place / "failing"
        with outcome.trial(name):
            message = fail(recipe, folder, Refusal(last, reason))
            outcome.expect(message is not None, f"{name}: nothing was said")
            told = message or ""
            outcome.expect(os.strerror(reason) in told and " bytes)" in told, f"{name}: {told}")
            work(recipe, folder, resume=True)
            differences = compare_bits(read_bits(folder), expected)
            outcome.expect(not differences, f"{name}: {differences[:3]}")
            stray = list(folder.rglob("*.tmp"))
            outcome.expect(not stray, f"{name}: stray {stray}")
        shutil.rmtree(folder, ignore_errors=True)
    limit_size(recipe, place, outcome)
    return outcome


def work(recipe: Path, folder: Path, *, resume: bool) -> None:
    """A run, and its evaluation."""
    done = train("digits", recipe, out=folder, resume=resume)
    evaluate(done, "digits")


def fail(recipe: Path, folder: Path, refusal: Refusal) -> str | None:
    """What a job says whose writes are refused."""
    try:
        with refuse(refusal):
            work(recipe, folder, resume=False)
    except UserError as error:
        return str(error)
    return None


def limit_size(recipe: Path, place: Path, outcome: Outcome) -> None:
    """The system's own limit on the size of files, which no checkpoint fits into."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    folder = place / "limited"
    with outcome.trial("limit on the size of files"):
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
        try:
            message = fail(recipe, folder, Refusal(-1, 0))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        outcome.expect(message is not None and " bytes)" in message, f"limited: {message}")
        work(recipe, folder, resume=True)
        load_model(folder)
