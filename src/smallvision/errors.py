"""Errors that people can cause: one line each, and an exit code on the command line.

A message says what happened, what was expected and what to do. Anything that is not a
`UserError` is a bug of ours and keeps its traceback.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from importlib.util import find_spec

from smallvision.text import show_text


class UserError(Exception):
    """Something a person can put right; the message is the whole story, in one line.

    What it quotes of files and names is shown with escapes, whoever prints the message.

    >>> import smallvision as sv
    >>> try:
    ...     sv.load_data("digitz")
    ... except sv.UserError as error:
    ...     print(error)
    'digitz' is neither a known data set nor an existing file or folder; did you mean 'digits'?
    """

    exit_code = 2

    def __init__(self, message: str) -> None:
        super().__init__(show_text(" ".join(message.split())))


class DataError(UserError):
    """A data set is missing, damaged or not what was expected."""


class SettingError(UserError):
    """A recipe, an option or a name is not known or out of range."""


class FailedRunError(UserError):
    """A run was begun as asked and could not be finished: it diverged or ran out of memory."""

    exit_code = 1


class RecordError(UserError):
    """A run or study folder is missing, incomplete, damaged or somebody else's."""


# What a MemoryError is called elsewhere, in small letters: by torch, by oneDNN, by the C++ library,
# by the system, by the loader of libraries, and by Python where a class failed to say so.
MEMORY_WORDS = (
    "can't allocate memory",
    "not enough memory",
    "could not create a primitive",
    "bad_alloc",
    "cannot allocate",
    "failed to map segment",
    "cannot map zero-fill pages",
    "cannot change memory protections",
    "cannot create shared object descriptor",
    "error return without exception set",
    "unable to create type object",
)


ADDRESS = re.compile(r"(https?|ftp|s3|gs|hf):/", re.IGNORECASE)
USER = re.compile(r"^([\w+.-]+:/+).*@", re.DOTALL)  # of an address, perhaps with a password


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or what led to it, says that the memory of the machine ran out."""
    chain: BaseException | None = error
    while chain is not None:
        said = str(chain).lower()
        if isinstance(chain, MemoryError) or any(word in said for word in MEMORY_WORDS):
            return True
        chain = chain.__cause__ or chain.__context__
    return False


def refuse_address(place: object) -> None:
    """Refuse the address of something on the network: nothing that a person names is fetched.

    Args:
        place: text or a path, in which two slashes have become one.

    Raises:
        SettingError: it is one.
    """
    if ADDRESS.match(str(place)):
        shown = hide_user(str(place))
        raise SettingError(f"'{shown}' is an address; download it and name the file")


def hide_user(address: str) -> str:
    """An address without name and password.

    >>> hide_user("http://me:secret@host:5000/x")
    'http://***@host:5000/x'
    """
    return USER.sub(r"\1***@", address)


def check_importable(modules: Iterable[str], purpose: str, extra: str) -> None:
    """Say how to install what is missing.

    Args:
        modules: that are imported.
        purpose: what needs them.
        extra: of this package, which brings them.

    Raises:
        SettingError: a module is.
    """
    missing = [name for name in modules if find_spec(name) is None]
    if missing:
        raise SettingError(
            f"{purpose} needs {' and '.join(missing)}; pip install 'smallvision[{extra}]'"
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """Suggest the known word closest to a misspelt one.

    Returns: `"; did you mean 'x'?"`, or the list of known words when none is close.

    >>> nearest("wrn-agu", ["mlp", "wrn-aug"])
    "; did you mean 'wrn-aug'?"
    """
    known = list(known)
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(known)}"
