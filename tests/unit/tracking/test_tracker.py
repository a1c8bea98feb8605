from __future__ import annotations

from pathlib import Path

import pytest

from smallvision.errors import SettingError, UserError
from smallvision.tracking.tracker import (
    TrackerPlace,
    explain_failures,
    hide_secrets,
    import_library,
)

SECRET = "hunter2"
ADDRESSES = [
    f"http://me:{SECRET}@host:5000/x",
    f"https://me:{SECRET}/more@host/x",
    f"postgresql+psycopg2://me:{SECRET}@host/db",
    f"mysql://me:p@ss{SECRET}@host/db?charset=utf8",
    f"http://host/x?token={SECRET}",
    f"http://host/x#{SECRET}",
]


@pytest.mark.parametrize("uri", ADDRESSES)
def test_no_message_holds_a_secret(uri: str) -> None:
    place = TrackerPlace(Path("x"), uri)
    assert SECRET not in place.shown
    assert "host" in place.shown
    with pytest.raises(UserError) as raised, explain_failures("mlflow", place):
        raise ConnectionError(f"no answer from {uri}, that is from {SECRET}")
    assert SECRET not in str(raised.value)
    assert raised.value.__cause__ is None
    assert "ConnectionError" in str(raised.value)


def test_an_address_without_secrets_is_told_with_the_reason() -> None:
    with (
        pytest.raises(UserError, match=r"at http://host:5000 .ConnectionError: no answer here"),
        explain_failures("mlflow", TrackerPlace(Path("x"), "http://host:5000")),
    ):
        raise ConnectionError("no answer\nhere")


def test_errors_of_ours_stay_as_they_are() -> None:
    with (
        pytest.raises(SettingError, match=r"^mine$"),
        explain_failures("mlflow", TrackerPlace(Path("x"))),
    ):
        raise SettingError("mine")


def test_a_library_that_is_not_installed_is_named_with_its_extra() -> None:
    with pytest.raises(SettingError, match=r"needs the package no_such; pip install 'smallvision"):
        import_library("no_such.library", "mlflow")


def test_what_is_no_secret_stays() -> None:
    assert hide_secrets("sqlite:////tmp/mlflow.db") == "sqlite:////tmp/mlflow.db"
    assert hide_secrets("http://host:5000/x") == "http://host:5000/x"
