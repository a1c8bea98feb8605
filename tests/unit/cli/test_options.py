"""What commands are called, in records and hints."""

from __future__ import annotations

import pytest

from smallvision.cli.options import hide_password, spell_command, spell_resumption

URL = "postgresql+psycopg://sv:s3cr%40t@host:5432/trials"


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        (URL, "postgresql+psycopg://sv:***@host:5432/trials"),
        (f"--storage={URL}", "--storage=postgresql+psycopg://sv:***@host:5432/trials"),
        ("mysql://a:b:c/d@host/x", "mysql://a:***@host/x"),
        (
            "postgresql://host/x?user=a&password=b&ssl=1",
            "postgresql://host/x?user=a&password=***&ssl=1",
        ),
        ("postgresql://sv@host/x", "postgresql://sv@host/x"),
        ("sqlite:///a:b.sqlite3", "sqlite:///a:b.sqlite3"),
        ("https://host:80/x", "https://host:80/x"),
        ("lr=0.1", "lr=0.1"),
    ],
)
def test_passwords_are_not_shown(word, shown):
    assert hide_password(word) == shown


def test_neither_records_nor_hints_hold_a_password(monkeypatch):
    monkeypatch.setattr("sys.argv", ["smallvision", "tune", "digits", "--storage", URL])
    for said in (spell_command(), spell_resumption()):
        assert "s3cr" not in said
        assert "sv:***@host" in said
