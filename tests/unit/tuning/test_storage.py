"""Which storages may be named; what is said of them never shows a password."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url
from sqlalchemy.dialects import registry

from smallvision.errors import SettingError
from smallvision.tuning.search import check_storage
from smallvision.tuning.storage import DRIVERS, connect_options, parse_storage, refuse_storage


@pytest.mark.parametrize("scheme", DRIVERS)
def test_every_driver_is_told_to_give_up(scheme: str) -> None:
    options = connect_options(parse_storage(f"{scheme}:///x"))
    assert any("timeout" in name for name in options)


def test_a_timeout_that_the_url_names_is_kept() -> None:
    assert connect_options(parse_storage("postgresql://host/x?connect_timeout=3")) == {}


@pytest.mark.parametrize(
    "url", ["postgresql://me:p%40ss%2Fword@host/x", "mysql+pymysql://host/x?password=p%40ss%2Fword"]
)
@pytest.mark.parametrize("told", ["p@ss/word", "p%40ss%2Fword", "p%40ss/word"])
def test_what_a_driver_says_is_shown_without_the_password(url: str, told: str) -> None:
    error = refuse_storage(RuntimeError(f"no login for {told} here"), make_url(url))
    assert "no login for *** here" in str(error)


def test_a_dialect_that_is_not_known_is_not_loaded() -> None:
    """A package can register any name; nothing of it runs."""

    def run() -> None:
        raise AssertionError("it ran")

    registry.impls["sqlite.evil"] = run
    try:
        with pytest.raises(SettingError, match="no kind of database"):
            check_storage("sqlite+evil:///x")
    finally:
        del registry.impls["sqlite.evil"]
