"""Where a server listens."""

from __future__ import annotations

import errno
import ipaddress
import re
import socket
import sys

from smallvision.errors import SettingError

BACKLOG = 512  # connections that wait to be accepted


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens on an address.

    Raises:
        SettingError: it is taken, forbidden or none of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # Where the protocol is named, asyncio sends small answers at once; else they wait 40 ms.
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise SettingError(
            f"{host} is no address of this machine; choose another --host"
        ) from error
    try:
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise SettingError(explain_address(host, port, error)) from error
    listener.setblocking(False)
    return listener


def explain_address(host: str, port: int, error: OSError) -> str:
    """Why an address cannot be listened on, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another --port, or 0 for any that is free"
    if error.errno == errno.EACCES:
        return f"port {port} is not allowed here; choose a --port from 1024 on"
    return f"{host} cannot be listened on ({error.strerror}); choose another --host"


def spell_address(listener: socket.socket) -> str:
    """The address of a socket, as a browser takes it."""
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def names_loopback(host: str) -> bool:
    """Whether the header `Host` of a request names this machine as it names itself."""
    name = re.sub(r":[0-9]{0,5}$", "", host).strip("[]")
    if name.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_loopback(listener: socket.socket) -> bool:
    """Whether only this machine itself reaches a socket."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback
