"""`smallvision watch`: a study or a run followed while it is written."""

from __future__ import annotations

import os
import sys
import threading
import time
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallvision.cli.output import say
from smallvision.errors import SettingError

if TYPE_CHECKING:
    from smallvision.watching.server import SharedWatcher, WatchServer

PORT = 8900
EVERY = 1.0  # seconds from one look at the records to the next


def watch(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY",
            help="The folder of a study, a run or a search, also before its first record.",
        ),
    ],
    host: Annotated[
        str | None,
        typer.Option(
            help="The address to listen on. Default: 127.0.0.1, which this machine alone reaches.",
            show_default=False,
        ),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help=f"The port to listen on; 0 for any that is free. Default: {PORT}, or any.",
            show_default=False,
        ),
    ] = None,
    is_opened: Annotated[
        bool,
        typer.Option(
            "--open/--no-open",
            help="Open the page in a browser, or only print its address.",
        ),
    ] = True,
    terminal: Annotated[
        bool,
        typer.Option("--terminal", help="Show it here instead of on a page, until the work ends."),
    ] = False,
) -> None:
    """Follow a study or a run on a page that grows with it, or in the terminal.

    Only records are read: any number of people may watch, and the work takes no notice. Where no
    browser can be opened, the terminal is taken, unless --no-open, --host or --port asks for the
    page. Ctrl-C ends the watching and nothing else.
    """
    from smallvision.watching.watcher import Watcher

    watcher = Watcher(folder)
    wants_page = not is_opened or host is not None or port is not None
    if terminal and wants_page:
        raise SettingError("--terminal shows no page; leave out --host, --port and --no-open")
    if not terminal and not wants_page and not has_browser():
        say("no browser can be opened here; --no-open serves the page all the same", err=True)
        terminal = True
    if terminal:
        from smallvision.cli.render.watching import follow

        follow(watcher, EVERY)
        return
    from smallvision.watching.server import SharedWatcher

    serve_page(SharedWatcher(watcher), host or "127.0.0.1", port, is_opened=is_opened)


def has_browser() -> bool:
    """Whether a browser with windows can be opened, by somebody who sits at a terminal."""
    if not sys.stdout.isatty():
        return False
    shown = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    if sys.platform not in ("win32", "darwin") and not any(map(os.environ.get, shown)):
        return False  # what there is would be one of text, which takes this terminal
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def serve_page(watcher: SharedWatcher, host: str, port: int | None, *, is_opened: bool) -> None:
    """Serve the page until a signal comes, and say what becomes of the work."""
    from smallvision.serving.wire.address import spell_address
    from smallvision.watching.words import tell_state

    server = open_server(watcher, host, port)
    threading.Thread(target=server.serve_forever, args=(0.2,), daemon=True).start()
    address = f"{spell_address(server.socket)}/"
    say(f"{watcher.watcher.folder} is shown at {address} (Ctrl-C ends this)")
    if not server.is_local:
        say("everybody who reaches this machine can read it", err=True)
    if is_opened and has_browser():
        webbrowser.open(address)
    told = ""
    try:
        while True:
            snapshot = watcher.look()
            if snapshot.state != told:
                say(tell_state(snapshot))
                told = snapshot.state
                if snapshot.state == "finished":
                    say(f"Its report: {address}report")
            time.sleep(EVERY)
    except (KeyboardInterrupt, SystemExit):
        return  # a server that a signal ends is done
    finally:
        server.shutdown()
        server.server_close()


def open_server(watcher: SharedWatcher, host: str, port: int | None) -> WatchServer:
    """A server on the port that was asked for, or on the usual one, or on any that is free.

    Raises:
        SettingError: nobody can listen there.
    """
    from smallvision.watching.server import WatchServer

    if port is not None:
        return WatchServer(watcher, host, port)
    try:
        return WatchServer(watcher, host, PORT)
    except SettingError:
        return WatchServer(watcher, host, 0)
