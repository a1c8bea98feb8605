"""Signals end a run where its state is whole, and give the handlers back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from smallvision.training import Interruption


@pytest.fixture(autouse=True)
def _as_in_a_terminal() -> Iterator[None]:
    """Handlers as they are in a terminal; where tests run in the background, some are ignored."""
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in usual.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_signal_waits_for_the_step() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
        interruption.on_step()
    assert reached
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_other_signals_leave_by_their_code(number: int, code: int) -> None:
    with pytest.raises(SystemExit) as stop, Interruption() as interruption:  # noqa: PT012
        os.kill(os.getpid(), number)
        interruption.on_epoch()
    assert stop.value.code == code


def test_a_measurement_is_left_at_once() -> None:
    reached = False
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption, interruption.at_once():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert not reached


def test_a_signal_after_the_last_step_counts() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        os.kill(os.getpid(), signal.SIGINT)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interruption() as interruption:
            os.kill(os.getpid(), signal.SIGHUP)
            interruption.on_step()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_changed() -> None:
    handlers = []

    def work() -> None:
        with Interruption():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [signal.getsignal(signal.SIGINT)]
