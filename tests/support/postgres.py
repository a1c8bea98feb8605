"""A PostgreSQL server of the tests' own, from Debian's package."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

PASSWORD = "s3cr@t:/?#"  # with what a URL has to escape
USER = "postgres"  # whom Debian's package makes; the server refuses to run as root


def find_binaries() -> Path | None:
    """The folder of the newest server that is installed."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    return max(found, key=lambda path: int(path.parent.name), default=None)


def explain_absence() -> str:
    """Why no server can be started here; empty where one can."""
    if find_binaries() is None:
        return "PostgreSQL is missing: apt-get install postgresql"
    if find_spec("psycopg") is None:
        return "psycopg is missing: pip install 'smallvision[postgres]'"
    return ""


@contextmanager
def run_server() -> Iterator[str]:
    """Run a server with an empty database; gives its URL, with a password."""
    binaries = find_binaries()
    assert binaries is not None, "explain_absence tells"
    # Not in a folder of pytest's, which nobody but its owner may enter.
    place = Path(tempfile.mkdtemp(prefix="postgres-"))
    try:
        (place / "password").write_text(PASSWORD)
        as_user: list[str] = []
        if os.getuid() == 0:
            shutil.chown(place, USER)
            shutil.chown(place / "password", USER)
            as_user = ["setpriv", "--reuid", USER, "--regid", str(pwd.getpwnam(USER).pw_gid)]
            as_user += ["--clear-groups"]
        data = str(place / "data")
        create = [*as_user, str(binaries / "initdb"), "-D", data, "-U", "sv", "-N"]
        create += ["--auth=scram-sha-256", f"--pwfile={place / 'password'}"]
        subprocess.run(create, check=True, stdout=subprocess.DEVNULL, cwd=place)
        port = find_port()
        serve = [*as_user, str(binaries / "postgres"), "-D", data, "-p", str(port), "-F"]
        serve += ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]
        server = subprocess.Popen(
            serve, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(port, server)
            yield f"postgresql+psycopg://sv:{quote(PASSWORD, safe='')}@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def find_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers."""
    for _ in range(300):
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("the server does not answer")
