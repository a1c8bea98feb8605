"""Access inside folders of records that never goes through a link or waits for a special file.

A folder from a stranger may hold links that lead outside it, pipes that are never written to and
devices that never end. What a person names may be a link; what lies inside a folder of records may
not. So the outermost folder of records is opened as it is named, and each step below it by
descriptor and without following (`openat` with `O_NOFOLLOW`): nobody can put a link in between
what is checked and what is opened. Where the system has no such calls (Windows), each step is
looked at before the whole path is used.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from smallvision.errors import RecordError

# A folder that holds one of these is a folder of records, and so is all that lies inside it.
MARKERS = ("status.json", "study.json", "tune.json")
BY_DESCRIPTOR = os.open in os.supports_dir_fd
FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
# Without waiting for the other end of a pipe.
OPEN = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


def find_records(path: Path) -> list[Path]:
    """The folders of records that a path lies in, the outermost first."""
    parents = [*map(str, reversed(make_absolute(path).parents))]
    return [
        Path(parent)
        for parent in parents
        if any(os.path.lexists(os.path.join(parent, marker)) for marker in MARKERS)  # noqa: PTH118
    ]


def make_absolute(path: Path) -> Path:
    """A path from the root of the file system; only what leads to its last `..` is resolved."""
    parts = path.parts
    if ".." not in parts:
        return Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow links
    ups = len(parts) - parts[::-1].index("..")
    return Path(*parts[:ups]).resolve().joinpath(*parts[ups:])


@contextmanager
def enter(path: Path, below: Path | None = None) -> Iterator[tuple[int | None, str]]:
    """Reach the folder of a path without a link inside a folder of records.

    Args:
        path: of what lies in the folder.
        below: a folder around it, below which there may be no link either.

    Yields: a descriptor of the folder and the last part of the path; without such descriptors,
        None and the whole path.

    Raises:
        RecordError: a folder on the way is a link or a file.
        OSError: one is missing or cannot be opened.
    """
    absolute = make_absolute(path)
    named = absolute.parent if below is None else make_absolute(below)
    root = next(iter(find_records(absolute)), named)
    steps = absolute.parent.relative_to(root).parts
    if not BY_DESCRIPTOR:
        for i in range(1, len(steps) + 1):
            check_mode(root.joinpath(*steps[:i]).lstat().st_mode, root.joinpath(*steps[:i]))
        yield None, str(absolute)
        return
    descriptor = os.open(root, FOLDER)
    try:
        for i, step in enumerate(steps, start=1):
            try:
                inner = os.open(step, FOLDER | NO_FOLLOW, dir_fd=descriptor)
            except NotADirectoryError:
                mode = os.stat(step, dir_fd=descriptor, follow_symlinks=False).st_mode
                check_mode(mode, root.joinpath(*steps[:i]))
                raise
            os.close(descriptor)
            descriptor = inner
        yield descriptor, absolute.name
    finally:
        os.close(descriptor)


def refuse_link(path: str | Path) -> RecordError:
    """What is said of a link."""
    return RecordError(
        f"{path} is a link, and what lies here is not reached through links; put in its place what "
        "it leads to"
    )


def check_mode(mode: int, path: str | Path) -> None:
    """Refuse what is neither a file nor a folder.

    Raises:
        RecordError: it is a link, a pipe, a socket or a device.
    """
    if stat.S_ISLNK(mode):
        raise refuse_link(path)
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise RecordError(f"{path} is no regular file; replace or remove it")


def find_state(path: Path) -> os.stat_result | None:
    """The size, times and mode of a file or folder; None where there is none.

    Raises:
        RecordError: it, or a folder on the way, is a link or a special file, or it is unreadable.
    """
    try:
        with enter(path) as (folder, name):
            state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error
    check_mode(state.st_mode, path)
    return state


def find_mode(path: Path) -> int:
    """The mode of a file or folder; 0 where there is none. See `find_state` for what is refused."""
    state = find_state(path)
    return 0 if state is None else state.st_mode


def exists(path: Path) -> bool:
    """Whether a file or folder is there; see `find_mode` for what is refused."""
    return find_mode(path) != 0


def is_file(path: Path) -> bool:
    """Whether a regular file is there; see `find_mode` for what is refused."""
    return stat.S_ISREG(find_mode(path))


def is_folder(path: Path) -> bool:
    """Whether a folder is there; see `find_mode` for what is refused."""
    return stat.S_ISDIR(find_mode(path))


def list_folder(path: Path) -> list[str]:
    """The names in a folder, sorted; none where there is no such folder.

    Raises:
        RecordError: it is reached through a link, is a special file, or is unreadable.
    """
    try:
        with enter(path / "any") as (folder, _):
            return sorted(os.listdir(path if folder is None else folder))  # noqa: PTH208
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise RecordError(f"{path} cannot be read: {error.strerror or error}") from error


def make_folders(path: Path) -> bool:
    """Create a folder and its parents, none of them through a link inside a folder of records.

    Returns: whether anything had to be made.

    Raises:
        RecordError: a folder on the way is a link or a special file.
        OSError: one cannot be made.
    """
    absolute = make_absolute(path)
    root = next(iter(find_records(absolute)), None)
    if root is None:
        is_new = not absolute.is_dir()
        absolute.mkdir(parents=True, exist_ok=True)
        return is_new
    place, is_new = root, False
    for step in absolute.relative_to(root).parts:
        place /= step
        if not is_folder(place):
            with enter(place) as (folder, name), suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
            if not is_folder(place):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(place))
            is_new = True
    return is_new


def open_file(path: Path, flags: int = os.O_RDONLY, *, mode: int = 0o666) -> int:
    """Open a regular file, and never wait for it.

    Args:
        path: of the file.
        flags: of `os.open`.
        mode: of a file that is made.

    Returns: its descriptor.

    Raises:
        RecordError: it is no regular file, is reached through a link, or is to be written and has
            other names.
        OSError: it cannot be opened.
    """
    with enter(path) as (folder, name):
        with suppress(FileNotFoundError):  # before it is opened: devices act when they are
            check_regular(os.stat(name, dir_fd=folder, follow_symlinks=False), path)
        flags |= OPEN | NO_FOLLOW
        try:
            descriptor = os.open(name, flags, mode, dir_fd=folder)
        except OSError as error:
            if error.errno == errno.ELOOP:  # a link that was put there since
                raise refuse_link(path) from error
            raise
    try:
        state = os.fstat(descriptor)
        check_regular(state, path)
        if flags & (os.O_WRONLY | os.O_RDWR) and state.st_nlink > 1:
            raise RecordError(
                f"{path} has other names (hard links), and what they belong to would be changed; "
                "copy the file and remove this one"
            )
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def open_named(path: str | Path) -> tuple[int, os.stat_result]:
    """Open a regular file that a person named, or a link to one, and never wait for it.

    Returns: its descriptor, and its state.

    Raises:
        RecordError: it is no regular file.
        OSError: it cannot be opened.
    """
    # Before it is opened: devices act when they are.
    check_regular(os.stat(path), path)  # noqa: PTH116 -- paths are slow in thousands
    descriptor = os.open(path, os.O_RDONLY | OPEN)
    try:
        state = os.fstat(descriptor)
        check_regular(state, path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor, state


def check_regular(state: os.stat_result, path: str | Path) -> None:
    """Refuse what is no regular file.

    Raises:
        RecordError: it is none.
    """
    if not stat.S_ISREG(state.st_mode):
        check_mode(state.st_mode, path)
        raise RecordError(f"{path} is no regular file")


def replace_file(path: Path, temporary: str) -> None:
    """Rename a file of the same folder to this path, whatever file was there.

    Raises:
        OSError: it cannot be renamed.
    """
    with enter(path) as (folder, name):
        source = temporary if folder is not None else str(Path(name).with_name(temporary))
        os.replace(source, name, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def explain_removal(path: Path) -> Iterator[None]:
    """Let what is missing be removed already, and turn a refusal into one line."""
    try:
        yield
    except FileNotFoundError:
        pass
    except OSError as error:
        raise RecordError(f"{path} cannot be removed: {error.strerror or error}") from error


def remove_file(path: Path) -> None:
    """Remove a file, if it is there; of a link, the link itself.

    Raises:
        RecordError: it cannot be removed.
    """
    with explain_removal(path), enter(path) as (folder, name):
        os.unlink(name, dir_fd=folder)


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it, if it is there; links in it are not followed.

    Raises:
        RecordError: it is a link, or something cannot be removed.
    """
    if is_folder(path):
        with explain_removal(path), enter(path) as (folder, name):
            shutil.rmtree(name, dir_fd=folder)


def walk_files(root: Path) -> Iterator[Path]:
    """Every regular file below a folder; links and special files are left out."""
    for place, _, names in os.walk(root, followlinks=False):
        for name in names:
            path = Path(place, name)
            with suppress(OSError):
                if stat.S_ISREG(path.lstat().st_mode):
                    yield path
