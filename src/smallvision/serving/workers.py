"""Threads that decode pictures and answer them, and the bounds of what waits for them.

Pictures of very many pixels take a thousand times as long as small ones. They have a thread of
their own, which gives way to the others, so that a few of them do not hold up all the rest.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallvision.data.decoding.image import read_size
from smallvision.errors import DataError, RecordError
from smallvision.serving.runner import PictureAnswer, Runner
from smallvision.serving.wire.body import UploadedPicture
from smallvision.serving.wire.limits import ServerLimits
from smallvision.serving.wire.metrics import ServerMetrics
from smallvision.serving.wire.problems import busy

LARGE_PIXELS, LARGE_BYTES = 500_000, 1_000_000  # of a picture that has to wait with its like
# Formats of which some forms, text and run lengths, are decoded in Python.
PLAIN, LARGE_PLAIN_PIXELS = (b"P", b"BM"), 20_000
# Niceness of the thread for large pictures, on Linux. More of it starves them on a busy machine.
YIELDING = 5


@dataclass(frozen=True, eq=False)
class Refusal:
    """A picture that is not answered.

    Attributes:
        name: of the picture.
        reason: in one line.
    """

    name: str
    reason: str


class Workers:
    """Threads of one process.

    Args:
        runner: the model.
        limits: of the server.
        metrics: that count.
        threads: for pictures that are not large.
    """

    def __init__(
        self, runner: Runner, limits: ServerLimits, metrics: ServerMetrics, threads: int
    ) -> None:
        self.runner = runner
        self.threads = threads
        self._limits, self._metrics = limits, metrics
        self._waiting = self._large = 0
        self._pool = ThreadPoolExecutor(threads, "answers")
        self._large_pool = ThreadPoolExecutor(1, "large", initializer=give_way)

    def warm_up(self) -> None:
        """Answer an image of zeros, since the first answer takes longer than all others."""
        self.runner.predict(np.zeros((1, *self.runner.about.shape), np.uint8))

    @contextmanager
    def admit(self) -> Iterator[None]:
        """Take a request among those that wait, for as long as the context lasts.

        Raises:
            ProblemError: too many wait.
        """
        if self._waiting >= self._limits.waiting + self.threads:
            raise busy("too many requests wait for an answer")
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    async def answer(self, picture: UploadedPicture) -> PictureAnswer | Refusal:
        """Decode and answer a picture.

        Raises:
            ProblemError: it is large, and too many of its like wait.
        """
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._pool, self._answer_small, picture)
        if found is None:
            if self._large > self._limits.large_waiting:
                raise busy("too many large pictures wait for an answer")
            self._large += 1
            try:
                found = await loop.run_in_executor(self._large_pool, self._answer, picture)
            finally:
                self._large -= 1
        if isinstance(found, Refusal):
            outcome = "refused"
        else:
            outcome = "unlike" if found.is_unlike else "answered"
        self._metrics.pictures.labels(outcome).inc()
        return found

    async def work(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a function that takes long, with the bytes of a picture among its arguments.

        Raises:
            ProblemError: too many requests wait.
        """
        content = next((one for one in arguments if isinstance(one, bytes)), b"")
        pool = self._large_pool if len(content) > LARGE_BYTES else self._pool
        with self.admit():
            return await asyncio.get_running_loop().run_in_executor(pool, function, *arguments)

    def close(self) -> None:
        """Begin nothing more."""
        for pool in (self._pool, self._large_pool):
            pool.shutdown(wait=False, cancel_futures=True)

    def _change(self, number: int) -> None:
        self._waiting += number
        self._metrics.waiting.set(self._waiting)

    def _answer_small(self, picture: UploadedPicture) -> PictureAnswer | Refusal | None:
        """The answer, or None where the picture is large."""
        try:
            width, height = read_size(picture.content, picture.name)
        except DataError as error:
            return Refusal(picture.name, str(error))
        plain = picture.content.startswith(PLAIN)
        most = LARGE_PLAIN_PIXELS if plain else LARGE_PIXELS
        if width * height > most or len(picture.content) > LARGE_BYTES:
            return None
        return self._answer(picture)

    def _answer(self, picture: UploadedPicture) -> PictureAnswer | Refusal:
        began = time.perf_counter()
        try:
            image = self.runner.read(picture.content, picture.name)
            found = next(self.runner.describe(image, [picture.name]))
        except DataError as error:
            return Refusal(picture.name, str(error))
        except RecordError:  # whose message names a file of this machine
            return Refusal(picture.name, "the model has no finite answer to this picture")
        self._metrics.picture_seconds.observe(time.perf_counter() - began)
        return found


def give_way() -> None:
    """Let the other threads go first, where the system has priorities of threads."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), YIELDING)
