"""The server as one process or several that share an address; what they count is added up."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from tempfile import TemporaryDirectory
from types import FrameType

from smallvision.errors import SettingError, UserError
from smallvision.serving.exports import ExportedFile
from smallvision.serving.options import ENDINGS, ServerOptions
from smallvision.serving.wire.address import is_loopback, listen
from smallvision.serving.wire.limits import COUNTS

PAUSE = 1.0  # seconds before a process that was killed is replaced


def serve(model: ExportedFile, options: ServerOptions) -> int:
    """Serve a model until a signal asks the server to end.

    Returns: the exit code: 0 where all that was under way was answered.

    Raises:
        SettingError: the address cannot be listened on, or there is no more than one process here.
        RecordError: the model is damaged.
    """
    if options.processes > 1 and not hasattr(os, "fork"):
        raise SettingError("this system has no fork; leave out --workers")
    listener = listen(options.host, options.port)
    with listener:
        if options.token is None and not is_loopback(listener):
            options.complain(
                f"whoever reaches {options.host} may use the model; --token-file FILE asks for a "
                "token"
            )
        if options.processes == 1:
            return run_one(model, options, listener, 0)
        return run_several(model, options, listener)


def run_one(
    model: ExportedFile, options: ServerOptions, listener: socket.socket, number: int
) -> int:
    """Serve in this process, the first of which says so; returns the exit code."""
    # Not before: a library looks once, when it is loaded, whether several processes count.
    from smallvision.serving.server import run_server

    return run_server(model, options, listener, announce=number == 0)


def run_several(model: ExportedFile, options: ServerOptions, listener: socket.socket) -> int:
    """Serve in several processes, each of which is replaced if it is killed."""
    with TemporaryDirectory(prefix="smallvision-") as folder:
        os.environ[COUNTS] = folder
        family = Family(partial(run_one, model, options, listener), options)
        return family.run(options.processes)


class Family:
    """Processes that do the same, until a signal asks their parent to end.

    Args:
        work: what each of them does, given its number; returns its exit code.
        options: how what goes wrong is told.
    """

    def __init__(self, work: Callable[[int], int], options: ServerOptions) -> None:
        self.work, self.options = work, options
        self.begun = 0
        self.living: set[int] = set()
        self.asked = False
        self.forced = 0
        self.errors = os.pipe()  # through which they say what is wrong, mostly the same

    def run(self, count: int) -> int:
        """Begin so many processes and wait for all to end.

        Returns: the largest exit code, or that of the signal that ended them at once.
        """
        for number in ENDINGS:
            signal.signal(number, self.end)
        for _ in range(count):
            self.fork()
        codes = [0]
        while self.living:
            pid, status = os.waitpid(-1, 0)
            code = os.waitstatus_to_exitcode(status)
            self.living.remove(pid)
            forget_counts(pid)
            if self.asked and code == -signal.SIGTERM:  # it had not begun to serve
                code = 0
            if self.asked or code >= 0:
                codes.append(code if code >= 0 else 128 - code)
            if not self.asked and code >= 0:  # it would come to the same end again
                self.end(signal.SIGTERM, None)
            elif not self.asked:  # killed, by the system for instance
                time.sleep(PAUSE)
                self.fork()
        self.tell_error()
        return 128 + self.forced if self.forced else max(codes)

    def tell_error(self) -> None:
        """Say what was wrong, once, when all have ended."""
        reading, writing = self.errors
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8", errors="replace") as errors:
            if first := errors.readline().rstrip():
                self.options.complain(first)

    def fork(self) -> None:
        """Begin one process, unless all are to end."""
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDINGS)  # until it is known who obeys them
        number = self.begun
        self.begun += 1
        pid = -1 if self.asked else os.fork()
        if pid > 0:
            self.living.add(pid)
        if pid:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
            return
        code = 1
        try:
            # Ctrl-C reaches all processes of a terminal; the parent passes it on.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
            code = self.work(number)
        except UserError as error:
            code = error.exit_code
            os.write(self.errors[1], f"error: {error}\n".encode())
        except Exception as error:
            self.options.report(error)
        finally:
            os._exit(code)

    def end(self, number: int, _: FrameType | None) -> None:
        """Ask all to end; asked again, end them."""
        how = signal.SIGTERM
        if self.asked:
            how, self.forced = signal.SIGKILL, number
        self.asked = True
        for pid in self.living:
            with suppress(ProcessLookupError):  # it has ended by itself
                os.kill(pid, how)


def forget_counts(pid: int) -> None:
    """Take a process that has ended out of what shows the present."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)  # type: ignore[no-untyped-call]
