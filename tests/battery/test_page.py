"""What the page says of a family that this machine does not allow."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.battery import full_disks, mounts
from tests.battery.__main__ import describe_family
from tests.battery.outcome import Outcome


def test_nothing_is_claimed_of_what_was_not_tried(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(mounts, "why_not", lambda: "nothing can be mounted")
    outcome = full_disks.run(tmp_path, 2, 0, names=("report",))
    assert (outcome.trials, outcome.failures) == (0, [])
    row = describe_family("real disks", vars(outcome))
    assert "not tried here: nothing can be mounted" in row
    assert "| 0 |" not in row


def test_a_family_that_was_tried_has_its_figures() -> None:
    outcome = replace(Outcome("It holds."), trials=50, figures={"slowest, seconds": 2})
    row = describe_family("kills", vars(outcome))
    assert row == "| kills | It holds. | 50 | 0 | 5.8% | slowest, seconds: 2 |"
