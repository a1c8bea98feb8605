"""Pictures whose right class a person told, in one folder per class that `train` reads."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smallvision.data.decoding.image import find_suffix
from smallvision.errors import RecordError
from smallvision.records import nofollow
from smallvision.text import is_seen

MOST_KEPT = 10_000  # pictures
MOST_KEPT_BYTES = 4_000_000_000  # of all of them
MOST_FOLDER_BYTES = 240  # of the name of a folder; file systems allow 255
RACES = 100  # other servers that may take a number in between
# What some file system refuses, or what would lead to another folder.
REFUSED = frozenset('/\\:*?"<>|')
CODE = re.compile(r"%(?=[0-9A-Fa-f]{2})")
NUMBERED = re.compile(r"([0-9]{1,9})\.[a-z]+")


class KeptPictures:
    """A folder of class folders, to which pictures are added and in which nothing is changed.

    No link in it is followed. A picture is there whole or not at all, under a number that no other
    has. Several servers may share a folder.

    Args:
        root: the folder, which is made if missing.

    Raises:
        RecordError: it cannot be made, is a file, or lies in a folder of records.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._turn = threading.Lock()
        if around := nofollow.find_records(root / "any"):
            raise RecordError(
                f"{root} lies inside {around[0]}, which holds records; name another with --keep"
            )
        try:
            nofollow.make_folders(root)
        except OSError as error:
            raise RecordError(
                f"{root} cannot be a folder of pictures ({error.strerror}); name another with "
                "--keep"
            ) from error

    def add(self, class_name: str, content: bytes) -> str:
        """Keep a picture that has been decoded before.

        Args:
            class_name: the right class.
            content: bytes of the picture's file.

        Returns: its place in the folder, `cat/007.png`.

        Raises:
            RecordError: there are too many already, or it cannot be written.
        """
        suffix = find_suffix(content, "the picture")
        folder = name_folder(class_name)
        with self._turn:
            self._check_room(len(content))
            with explain_refusal(folder):
                self._make(folder)
                return f"{folder}/{self._write(folder, suffix, content)}"

    def _check_room(self, size: int) -> None:
        """Refuse one picture too many, or more bytes than may lie here."""
        number = 1
        for path in nofollow.walk_files(self.root):
            number += 1
            with suppress(OSError):  # somebody removed it
                size += path.lstat().st_size
            if number > MOST_KEPT or size > MOST_KEPT_BYTES:
                raise RecordError(
                    f"at most {MOST_KEPT:,} pictures and {MOST_KEPT_BYTES // 10**9} GB are kept, "
                    "and these are there; move some elsewhere"
                )

    def _make(self, folder: str) -> None:
        with (
            nofollow.enter(self.root / folder, below=self.root) as (above, name),
            suppress(FileExistsError),
        ):
            os.mkdir(name, dir_fd=above)

    def _write(self, folder: str, suffix: str, content: bytes) -> str:
        """Write a picture under a hidden name, which readers pass over, then give it its own."""
        inside = self.root / folder
        with nofollow.enter(inside / "any", below=self.root) as (place, _):

            def locate(name: str) -> str:
                return name if place is not None else str(inside / name)

            temporary = locate(f".{os.getpid()}.{secrets.token_hex(8)}.tmp")
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | nofollow.NO_FOLLOW | nofollow.OPEN
            descriptor = os.open(temporary, flags, 0o666, dir_fd=place)
            try:
                with os.fdopen(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(file.fileno())
                first = find_next(os.listdir(inside if place is None else place))  # noqa: PTH208
                for number in range(first, first + RACES):
                    name = f"{number:03d}{suffix}"
                    # Unlike a renamed file, a new link never takes the place of another.
                    with suppress(FileExistsError):
                        os.link(temporary, locate(name), src_dir_fd=place, dst_dir_fd=place)
                        return name
            finally:
                os.unlink(temporary, dir_fd=place)
        raise FileExistsError(errno.EEXIST, "too many others write to it")


@contextmanager
def explain_refusal(folder: str) -> Iterator[None]:
    """Turn a refusal into one line, which tells a stranger no path of the server."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise RecordError(f"{folder}/ cannot take a picture ({why})") from error
    except RecordError as error:
        raise RecordError(f"{folder} is a link or no folder; remove it") from error


def name_folder(class_name: str) -> str:
    """The folder of a class: its name, where any file system takes it.

    Other characters are written as in an address, so that `urllib.parse.unquote` gives the name
    back. A name that is too long ends in a part of its hash.

    >>> name_folder("great white shark"), name_folder("and/or"), name_folder("..")
    ('great white shark', 'and%2For', '%2E%2E')
    """
    # A sign that could be taken for the beginning of a code becomes one itself.
    text = CODE.sub("%25", class_name)
    around = zip(("", *text), text, (*text[1:], ""), strict=False)
    encoded = "".join(
        encode(here) if is_refused(before, here, after) else here for before, here, after in around
    )
    if len(encoded.encode()) <= MOST_FOLDER_BYTES:
        return encoded
    digest = hashlib.sha256(class_name.encode(errors="surrogatepass")).hexdigest()[:12]
    return encoded.encode()[: MOST_FOLDER_BYTES - 13].decode(errors="ignore") + f"~{digest}"


def is_refused(before: str, here: str, after: str) -> bool:
    """Whether a character between its neighbours may not be in the name of a folder."""
    if here in REFUSED or not is_seen(before, here, after):
        return True
    return here in ". " and not (before and after)


def encode(letter: str) -> str:
    """A character as in an address."""
    return "".join(f"%{byte:02X}" for byte in letter.encode(errors="surrogatepass"))


def find_next(names: list[str]) -> int:
    """The number after the highest that a file has as its name."""
    found = [int(match[1]) for match in map(NUMBERED.fullmatch, names) if match]
    return max(found, default=0) + 1
