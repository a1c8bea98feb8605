"""A folder of records kept in a store as well while it grows, to go on from on another machine.

The store has the content of each file once, under the name of its hash, and an index for each
state of the folder, which is written when all that it names is there. So whatever moment a machine
goes away at, the newest whole index is a state that the folder had.
"""

from __future__ import annotations

import hashlib
import io
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from smallvision.errors import RecordError, SettingError, UserError, check_importable, hide_user
from smallvision.records import nofollow, store
from smallvision.records.files import make_folder, open_bytes, open_new
from smallvision.records.locks import is_passing
from smallvision.records.schema import MirroredFile, MirrorIndex

MIRROR, OBJECTS = "mirror.json", "objects"
EMPTY = hashlib.sha256().hexdigest()
INDEX = re.compile(r"index-(\d{9})\.json")
PERIOD = 5.0  # seconds between looks at the folder
SMALL = 1_000_000  # bytes of a file that is held in memory until it is sent
TRIES, PAUSE = 20, 0.1  # to see the folder at one moment; seconds between
MOST_MESSAGE = 300  # characters of what a library says
DATABASE, BESIDE = ".sqlite3", ("-journal", "-wal", "-shm")


class Stamp(NamedTuple):
    """What tells whether a file has changed."""

    size: int
    mtime_ns: int
    inode: int


class Seen(NamedTuple):
    """A folder at one moment.

    Attributes:
        stamps: path below it -> what tells whether the file has changed.
        contents: path -> content, of the files that were not known.
    """

    stamps: dict[str, Stamp]
    contents: dict[str, BinaryIO]


@contextmanager
def mirrored(
    folder: str | Path,
    url: str | None,
    *,
    resume: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[None]:
    """Keep a folder of records in a store as well, as long as this lasts.

    Every few seconds what is new in the folder is copied, and once more at the end. A store that
    cannot be reached for a while disturbs nobody: it is told, and tried again.

    Args:
        folder: of a run, a study or a search, which is worked on meanwhile.
        url: where the store is, for fsspec: `s3://bucket/name`, `gs://…`, a mounted folder. None
            for no store.
        resume: take the work up from the store if the folder is missing or empty.
        tell: called with a sentence.

    Raises:
        SettingError: there is no such store, or its library is not installed.
        RecordError: the store holds other or newer work, or is damaged, or could not be written at
            the end.

    >>> import smallvision as sv
    >>> with sv.mirrored("runs/mirrored", "store"):  # a mounted folder; or s3://bucket/name
    ...     run = sv.train("digits", "linear", settings=["epochs=1"], out="runs/mirrored")
    """
    if url is None:
        yield
        return
    mirror = Mirror.open(Path(folder), url)
    mirror.begin(resume=resume, tell=tell)
    over = threading.Event()
    thread = threading.Thread(target=mirror.follow, args=(over, tell), daemon=True)
    thread.start()
    try:
        try:
            yield
        finally:
            over.set()
            thread.join()
    except BaseException:
        try:
            mirror.push()
        except UserError as error:
            tell(str(error))
        raise
    mirror.push()


@dataclass(eq=False)
class Mirror:
    """A folder and its store.

    Attributes:
        folder: on this machine.
        shown: the URL of the store, without secrets.
        system: fsspec's file system of the store.
        root: the place of the store in it.
        known: path -> what told that the file was this one, and its entry in the index.
        there: hashes of what the store has.
        index: the last one that was written or taken up; None if there is none.
    """

    folder: Path
    shown: str
    system: Any
    root: str
    known: dict[str, tuple[Stamp, MirroredFile]] = field(default_factory=dict)
    there: set[str] = field(default_factory=set)
    index: MirrorIndex | None = None

    @classmethod
    def open(cls, folder: Path, url: str) -> Mirror:
        """Find a store.

        Raises:
            SettingError: there is none, it lies in the folder or around it, or its library is not
                installed.
        """
        check_importable(("fsspec",), "--checkpoint-to", "cloud")
        from fsspec.core import url_to_fs

        shown = hide_user(url)
        try:
            system, root = url_to_fs(url, use_listings_cache=False)
        except ImportError as error:
            raise SettingError(
                f"{shown} needs another package ({error}); pip install 'smallvision[cloud]'"
            ) from error
        except Exception as error:
            raise SettingError(f"'{shown}' is no place that fsspec knows ({error})") from error
        if "file" in system.protocol:
            own, kept = folder.resolve(), Path(root).resolve()
            if own.is_relative_to(kept) or kept.is_relative_to(own):
                raise SettingError(f"{shown} and {folder} lie in each other; name another place")
        return cls(folder, shown, system, root.rstrip("/"))

    def begin(self, *, resume: bool, tell: Callable[[str], None]) -> None:
        """Compare folder and store, and take up the work from the store where the folder is new.

        Raises:
            RecordError: they hold different work, or the store cannot be read or written.
        """
        self.take_up(resume=resume, tell=tell)
        # Sooner than after an hour of training; an empty file is left out of the index, and goes.
        with self.explain("written"):
            self.system.makedirs(f"{self.root}/{OBJECTS}", exist_ok=True)
            self.system.pipe_file(f"{self.root}/{OBJECTS}/{EMPTY}", b"")
            self.there.add(EMPTY)

    def take_up(self, *, resume: bool, tell: Callable[[str], None]) -> None:
        """Read the store, and make the folder from it where that is new.

        Raises:
            RecordError: they hold different work, or the store cannot be read.
        """
        with self.explain("read"):
            newest = self.find_index()
            if self.system.exists(f"{self.root}/{OBJECTS}"):
                found = self.system.ls(f"{self.root}/{OBJECTS}", detail=False, refresh=True)
                self.there = {path.rpartition("/")[2] for path in found}
        is_new = not nofollow.exists(self.folder) or all(
            map(is_passing, nofollow.list_folder(self.folder))
        )
        if newest is None:
            return
        if not resume:
            raise RecordError(
                f"{self.shown} already holds results; add --resume to go on with them, or name "
                "another place"
            )
        if is_new:
            self.pull(newest)
            tell(f"{self.folder} was taken up from {self.shown}: {len(newest.files):,} files.")
            return
        own = store.read_if_there(self.folder / MIRROR, MirrorIndex)
        if own is None or own.pushes < newest.pushes:
            raise RecordError(
                f"{self.shown} holds {'other' if own is None else 'newer'} work than "
                f"{self.folder}; name another --out to go on with that, or another place"
            )
        self.index = own

    def find_index(self) -> MirrorIndex | None:
        """The newest index of the store that is whole; None if there is none.

        Raises:
            RecordError: there are some, and none is whole.
        """
        if not self.system.exists(self.root):
            return None
        fault: RecordError | None = None
        for name in sorted(self.list_indexes(), reverse=True):
            try:
                fields = store.parse(self.system.cat_file(f"{self.root}/{name}").decode())
                return store.check(fields, MirrorIndex, Path(name))
            except ValueError as error:
                fault = RecordError(f"{name} is damaged ({error})")
            except RecordError as error:
                fault = error
        if fault is not None:
            raise RecordError(f"{self.shown}: {fault}")
        return None

    def list_indexes(self) -> list[str]:
        """The names of the indexes in the store."""
        found = self.system.ls(self.root, detail=False, refresh=True)
        names = [path.rpartition("/")[2] for path in found]
        return [name for name in names if INDEX.fullmatch(name)]

    def pull(self, index: MirrorIndex) -> None:
        """Make the folder from the store, whole or not at all.

        Raises:
            RecordError: the store lacks a file or holds a damaged one, or the disk is full.
        """
        place = self.folder.with_name(f".{self.folder.name}.pulled")
        with suppress(FileNotFoundError):
            nofollow.remove_folder(place)
        make_folder(place)
        for file in index.files:
            target = place / file.path
            make_folder(target.parent)
            digest = hashlib.sha256()
            with (
                self.explain("read"),
                self.system.open(f"{self.root}/{OBJECTS}/{file.sha256}", "rb") as source,
                open_new(target, file.size) as copy,
            ):
                while chunk := source.read(SMALL):
                    digest.update(chunk)
                    copy.write(chunk)
            if digest.hexdigest() != file.sha256:
                raise RecordError(f"{self.shown}: {OBJECTS}/{file.sha256} is damaged; restore it")
        store.write(place / MIRROR, index)
        if nofollow.exists(self.folder):  # an empty folder, perhaps with an old lock
            nofollow.remove_folder(self.folder)
        make_folder(self.folder.parent)
        place.rename(self.folder)
        self.index = index

    def follow(self, over: threading.Event, tell: Callable[[str], None]) -> None:
        """Copy what is new, every few seconds, until it is over."""
        is_told = False
        while not over.wait(PERIOD):
            try:
                self.push()
                is_told = False
            except UserError as error:
                if not is_told:
                    tell(f"{error}; it is tried again.")
                is_told = True

    def push(self) -> None:
        """Copy what is new to the store.

        Raises:
            RecordError: the store cannot be written; it keeps its last state.
        """
        with ExitStack() as files:
            seen = self.look(files)
            if seen is None:  # it changes all the time; there is a next time
                return
            entries = {path: self.known[path][1] for path in seen.stamps if path in self.known}
            for path, content in seen.contents.items():
                digest, size = hashlib.sha256(), 0
                while chunk := content.read(SMALL):
                    digest.update(chunk)
                    size += len(chunk)
                entries[path] = MirroredFile(path=path, sha256=digest.hexdigest(), size=size)
                content.seek(0)
            listed = tuple(entries[path] for path in sorted(entries))
            known = {path: (stamp, entries[path]) for path, stamp in seen.stamps.items()}
            if not listed or (self.index is not None and listed == self.index.files):
                self.known = known
                return
            with self.explain("written"):
                self.system.makedirs(f"{self.root}/{OBJECTS}", exist_ok=True)
                for path, content in seen.contents.items():
                    name = entries[path].sha256
                    if name not in self.there:
                        with self.system.open(f"{self.root}/{OBJECTS}/{name}", "wb") as copy:
                            shutil.copyfileobj(content, copy, SMALL)
                        self.there.add(name)
            self.known = known
            self.enter(listed)

    def enter(self, files: tuple[MirroredFile, ...]) -> None:
        """Write a new index, and remove what it does not name.

        Raises:
            RecordError: the store or the folder cannot be written.
        """
        pushes = 1 if self.index is None else self.index.pushes + 1
        index = MirrorIndex(pushes=pushes, bytes=sum(file.size for file in files), files=files)
        name = f"index-{pushes:09d}.json"
        with self.explain("written"):
            older = self.list_indexes()
        if any(other >= name for other in older):
            raise RecordError(f"{self.shown} has newer work by another machine, and is left to it")
        store.write(self.folder / MIRROR, index)
        with self.explain("written"), open_bytes(self.folder / MIRROR) as file:
            self.system.pipe_file(f"{self.root}/{name}", file.read())
            self.index = index
            for other in older:
                self.system.rm_file(f"{self.root}/{other}")
            for unnamed in self.there - {file.sha256 for file in files}:
                self.system.rm_file(f"{self.root}/{OBJECTS}/{unnamed}")
                self.there.discard(unnamed)

    def look(self, files: ExitStack) -> Seen | None:
        """See the folder at one moment, while others write in it; None where it never rests.

        Files are replaced or appended to, so what is open keeps its content; databases are read as
        they were between two changes.

        Args:
            files: closes what stays open.
        """
        for _ in range(TRIES):
            stamps = self.list_stamps()
            new = [
                path
                for path, stamp in stamps.items()
                if path not in self.known or self.known[path][0] != stamp
            ]
            with suppress(OSError, RecordError, sqlite3.Error):  # it was removed meanwhile
                contents = {
                    path: files.enter_context(read(self.folder / path, stamps[path].size))
                    for path in new
                }
                if self.list_stamps() == stamps:
                    return Seen(stamps, contents)
            time.sleep(PAUSE)
        return None

    def list_stamps(self) -> dict[str, Stamp]:
        """What tells whether files have changed, by path."""
        stamps = {}
        for path in nofollow.walk_files(self.folder):
            if not (is_passing(path.name) or path.name == MIRROR or path.name.endswith(BESIDE)):
                with suppress(OSError):
                    state = path.lstat()
                    name = path.relative_to(self.folder).as_posix()
                    stamps[name] = Stamp(state.st_size, state.st_mtime_ns, state.st_ino)
        return stamps

    @contextmanager
    def explain(self, done: str) -> Iterator[None]:
        """Turn whatever a library of a store raises into one line.

        Raises:
            RecordError: it raised something.
        """
        try:
            yield
        except UserError:
            raise
        except Exception as error:
            reason = hide_user(" ".join(f"{error or type(error).__name__}".split()))
            raise RecordError(
                f"{self.shown} cannot be {done} ({reason:.{MOST_MESSAGE}})"
            ) from error


def read(path: Path, size: int) -> BinaryIO:
    """Open the content of a file as it is now, up to a size; a small one, or a database, is read.

    Raises:
        RecordError, OSError, sqlite3.Error: it is gone, or cannot be read.
    """
    if path.suffix == DATABASE:
        return io.BytesIO(copy_database(path))
    file = open_bytes(path)
    if size > SMALL:
        return file
    with file:
        return io.BytesIO(file.read(size))


def copy_database(path: Path) -> bytes:
    """The content of an SQLite database between two changes."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(uri, uri=True)) as database,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        database.backup(copy)
        return copy.serialize()
