"""Which storages may be named, and what the file of one must be before SQLite opens it.

Optuna keeps trials as numbers and JSON, and unpickles nothing of its tables. SQLite itself does
more than read: it follows links, waits for pipes, runs what a schema defines, and at the end of an
interrupted transaction over several databases it deletes the file that the journal names.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote, quote_plus

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from smallvision.errors import SettingError, nearest
from smallvision.records.nofollow import check_regular, open_file

DATABASE = "tune.sqlite3"
EXAMPLES = "expected a URL such as sqlite:///tune.sqlite3 or postgresql://user@host/name"
LONGEST_URL = 2_000

# How each driver is told to give up a server that does not answer, in seconds. A dialect that is
# not listed is not loaded: SQLAlchemy would import whatever a package registered under the name.
SQLITE = {"timeout": 5}
CONNECT = {"connect_timeout": 10}
DRIVERS: dict[str, dict[str, int]] = {
    "sqlite": SQLITE,
    "sqlite+pysqlite": SQLITE,
    "postgresql": CONNECT,
    "postgresql+psycopg": CONNECT,
    "postgresql+psycopg2": CONNECT,
    "postgresql+pg8000": {"timeout": 10},
    "mysql": CONNECT,
    "mysql+mysqldb": CONNECT,
    "mysql+pymysql": CONNECT | {"read_timeout": 60},
    "mysql+mysqlconnector": {"connection_timeout": 10},
    "mariadb": CONNECT,
    "mariadb+mysqldb": CONNECT,
    "mariadb+pymysql": CONNECT | {"read_timeout": 60},
    "mariadb+mariadbconnector": CONNECT,
}

MAX_DATABASE_BYTES = 256_000_000
BESIDE = ("", "-journal", "-wal", "-shm")  # the files of one SQLite database
# A journal that ends in these bytes names another file, which SQLite deletes after the rollback.
# Only a transaction over several databases has one, and a search has none.
JOURNAL_OF_SEVERAL = bytes.fromhex("d9d505f920a163d7")


def default_storage(folder: Path) -> str:
    """The SQLite file in a tuning folder."""
    return URL.create("sqlite", database=str(folder / DATABASE)).render_as_string()


def parse_storage(text: str) -> URL:
    """The URL of a storage, of a kind that is known.

    Raises:
        SettingError: it is no such URL; a password in it is not shown.
    """

    def refuse_url(reason: str) -> SettingError:
        return refuse(f"{reason}; {EXAMPLES}")

    if len(text) > LONGEST_URL or not text.isprintable():
        raise refuse_url("it is longer than 2,000 characters or has one that cannot be printed")
    scheme = text.partition("://")[0]
    if scheme == text:
        raise refuse_url("it has no scheme")
    if scheme not in DRIVERS:
        named = scheme if len(scheme) <= 40 and "@" not in scheme else "its scheme"
        raise refuse_url(f"{named!r} is no kind of database that is known{nearest(named, DRIVERS)}")
    if text.count("@") > 1 and not is_sqlite(scheme):
        raise refuse_url("it has more than one @; write %40 for one in a name or password")
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # the second of a port that is no number, and quotes it
        raise refuse_url("it cannot be parsed; is the port a number?") from None
    if is_sqlite(url.drivername):
        path = url.database or ""
        if url.host or url.query or path in ("", ":memory:"):
            raise refuse_url("of SQLite it takes the path of a file and nothing else")
    return url


def is_sqlite(scheme: str) -> bool:
    """Whether a scheme is that of SQLite."""
    return scheme.partition("+")[0] == "sqlite"


def name_place(url: URL) -> str:
    """What messages call a storage: its file, or where it is, without names and passwords."""
    return str(url.database) if is_sqlite(url.drivername) else f"the {url.drivername} storage"


def connect_options(url: URL) -> dict[str, int]:
    """What a driver is told beyond the URL: when to give up a server that does not answer."""
    return {
        name: seconds for name, seconds in DRIVERS[url.drivername].items() if name not in url.query
    }


def refuse(reason: str) -> SettingError:
    """One line for a storage that cannot be used."""
    return SettingError(f"the storage for trials cannot be used: {reason}")


def refuse_storage(error: Exception, url: URL) -> SettingError:
    """One line for a storage that failed us, without the secrets of its URL."""
    reason = str(error.__cause__ or error).partition("\n")[0]  # the lines after it quote SQL
    secrets = [url.password or "", *(str(value) for value in url.query.values())]
    for secret in filter(None, map(str, secrets)):
        for spelling in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
            reason = reason.replace(spelling, "***")
    return refuse(f"{name_place(url)}: {reason or type(error).__name__}")


def check_database(path: Path, *, may_be_link: bool) -> None:
    """Refuse a file that SQLite should not open: it may come from a stranger.

    Args:
        path: of the database, which need not exist.
        may_be_link: whether a person named it, rather than us.

    Raises:
        SettingError: it, or a file that SQLite would open beside it, is no regular file or too
            large; its journal names a file to delete; it is no database, is damaged, or defines
            more than tables and indexes.
    """
    path = Path(os.path.realpath(path)) if may_be_link else path
    if not path.parent.is_dir():
        raise refuse(f"{path.parent} is no folder")
    sizes = [size_of(path.with_name(path.name + end)) for end in BESIDE]
    if end_of(path.with_name(f"{path.name}-journal")) == JOURNAL_OF_SEVERAL:
        raise refuse(f"{path}-journal names another file, which SQLite would delete; remove it")
    if sizes[0]:
        check_content(path)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if it is missing.

    Raises:
        RecordError: it is no regular file.
        SettingError: it is too large to be the trials of a search.
    """
    try:
        state = path.lstat()
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise refuse(f"{path} cannot be read: {error.strerror}") from error
    check_regular(state, path)
    if state.st_size > MAX_DATABASE_BYTES:
        raise refuse(
            f"{path} has {state.st_size:,} bytes, where at most {MAX_DATABASE_BYTES:,} are expected"
        )
    return state.st_size


def end_of(path: Path) -> bytes:
    """The last 8 bytes of a regular file; none if it is missing."""
    try:
        descriptor = open_file(path)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 8))
        return file.read()


def check_content(path: Path) -> None:
    """Refuse a damaged database, and one with views, triggers, or columns that are computed.

    These run when a table is read or written: a view named `trials` may never end.

    Raises:
        SettingError: it is one of these.
    """
    place = f"file:{quote(str(path.absolute()))}?mode=rw"  # so that no file is made
    try:
        with closing(sqlite3.connect(place, uri=True, timeout=SQLITE["timeout"])) as database:
            database.execute("pragma trusted_schema = off")
            foreign = database.execute(
                "select type, name from sqlite_master where not "
                "(sql is null or sql like 'create table %' or sql like 'create index %' "
                "or sql like 'create unique index %')"
            ).fetchone()
            computed = (
                foreign
                or database.execute(
                    "select 'column', t.name || '.' || c.name from sqlite_master t, "
                    "pragma_table_xinfo(t.name) c where t.type = 'table' and c.hidden"
                ).fetchone()
            )
            if computed:
                raise refuse(f"{path} holds the {computed[0]} {computed[1]!r:.80}, not just trials")
            (report,) = database.execute("pragma integrity_check(1)").fetchone()
    except (sqlite3.Error, UnicodeError) as error:
        raise refuse(f"{path}: {error}") from error
    if report != "ok":
        raise refuse(f"{path} is damaged ({report!r:.80}); restore it")
