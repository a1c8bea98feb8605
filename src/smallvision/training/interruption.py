"""Signals that ask a run to end, obeyed where its state is whole."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

from smallvision.training.callbacks import Callback

# Ctrl-C, a polite kill, a terminal that was closed; Windows lacks the last.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Interruption(Callback):
    """A callback that ends a run after the step under way, when a signal asks for it.

    As a context it takes the place of the handlers of Ctrl-C, SIGTERM and SIGHUP, and puts them
    back. The first signal ends the run after the step, with `KeyboardInterrupt` or with
    `SystemExit` and the usual code; the caller then writes what there is. A second signal ends
    the process at once, which harms no file either, since all are written whole. A signal that is
    ignored (`nohup`) stays ignored. Outside the main thread nothing is changed.
    """

    def __init__(self) -> None:
        self.asked: int | None = None
        self.waits = True
        self.before: dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self.before[number] = signal.signal(number, self.receive)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
        if kind is None:
            self.obey()  # a signal during the last lines of a run ends what comes after it

    def receive(self, number: int, _frame: FrameType | None) -> None:
        """Remember a signal, or obey it where nothing is under way."""
        if self.asked is not None:
            os._exit(128 + number)
        self.asked = number
        if not self.waits:
            self.obey()

    def obey(self) -> None:
        """End the run if a signal asked for it.

        Raises:
            KeyboardInterrupt: it was Ctrl-C.
            SystemExit: it was another signal.
        """
        if self.asked == signal.SIGINT:
            raise KeyboardInterrupt
        if self.asked is not None:
            raise SystemExit(128 + self.asked)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Where nothing changes, as in measuring, a signal is obeyed without waiting."""
        self.obey()
        self.waits = False
        try:
            yield
        finally:
            self.waits = True

    def on_train_start(self, *_: object) -> None:
        """End the run for a signal that came before the first step."""
        self.obey()

    def on_step(self, *_: object) -> None:
        """End the run after a step."""
        self.obey()

    def on_epoch(self, *_: object) -> None:
        """End the run after an epoch."""
        self.obey()
