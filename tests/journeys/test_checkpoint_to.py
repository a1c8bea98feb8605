"""What cannot be kept in a store; the battery's family `stores` kills machines that keep work."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.battery.work import finish, start


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--checkpoint-to", "STORE"), "add --out"),
        (("--checkpoint-to", "nowhere://me:s3cr3t@x", "--out", "OUT"), "no place that fsspec"),
        (("--checkpoint-to", "STORE", "--out", "OUT"), "STORE: index-000000001.json"),
        (("--checkpoint-to", "FILE/below", "--out", "OUT"), "cannot be written"),
    ],
)
def test_what_cannot_be_kept_is_one_line(
    tmp_path: Path, options: tuple[str, ...], reason: str
) -> None:
    (tmp_path / "STORE" / "objects").mkdir(parents=True)
    (tmp_path / "STORE" / "index-000000001.json").write_text("{}")
    (tmp_path / "FILE").touch()
    given = [word if "-" in word or ":" in word else str(tmp_path / word) for word in options]
    short = ("--set", "epochs=1", "--set", "compute.threads=1")
    code, said = finish(start("train", "digits", "linear", *short, *given, cache=tmp_path / "c"))
    assert code == 2, said
    assert reason in said
    assert "Traceback" not in said
    assert "s3cr3t" not in said
