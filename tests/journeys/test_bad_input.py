"""What a command refuses: one line that says what was expected, and exit code 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import Outcome, assert_refused

Call = Callable[..., Outcome]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "cifar11"], "did you mean 'cifar10'"),
        (["study", "digits", "--resume"], "there is no studies/digits-quick to resume"),
        (["tune", "digits", "mlp", "--epochs", "200000"], "epochs is 200000"),
        (["study", "nowhere/at/all"], "neither"),
        (["study", "digits", "--preset", "quik"], "did you mean 'quick'"),
        (["study", "digits", "--set", "epoch=1"], "did you mean 'epochs'"),
        (["study", "digits", "--set", "epochs=-1"], "greater than or equal to 1"),
        (["study", "digits", "--set", "name=x"], "leave out name="),
        (["study", "digits", "--set", "model.wdth=3"], "did you mean 'model.width'"),
        (
            ["train", "digits", "mlp", "--set", "augment=[{name='crop', padding=40}]"],
            "allow at most 7",
        ),
        (
            ["train", "digits", "mlp", "--set", "random_crop_phase=[{until=0.5, side=8}]"],
            "of one size",
        ),
        (["train", "digits", "mlp", "--resume"], "to resume"),
        (["train", "digits", "wrn-agu"], "did you mean 'wrn-aug'"),
        (["train", "digits", "absent.toml"], "absent.toml"),
        (["train", "digits", "mlp", "--set", "compute.device=cuda"], "not available"),
        (["tune", "digits", "mlp", "--budget", "soon"], "like 90s, 10m or 1h30m"),
        (["tune", "digits", "mlp", "--budget", "0m"], "like 90s, 10m or 1h30m"),
        (["tune", "digits", "mlp", "--storage", "foo://x"], "storage for trials cannot be used"),
        (["tune", "digits", "mlp", "--out", "absent/../new", "--storage", "x"], "storage"),
        (["tune", "digits", "mpl"], "did you mean 'mlp'"),
        (["study", "digits", "--budget", "5m", "--set", "epochs=2"], "give one of them"),
        (["train", "digits", "speednet", "--start", "nowhere"], "nowhere holds no model"),
        (["train", "digits", "speednet", "--start", "cifar10"], "for images of 1x8x8"),
        (["train", "digits", "mlp", "--start", "cifar10"], "both must be of one family"),
        (
            ["train", "digits", "speednet", "--target", "0.94", "--start", "cifar10"],
            "leave out --start",
        ),
        (["train", "digits", "transfer"], "with --start"),
        (["study", "digits", "--start", "nowhere"], "nowhere holds no model"),
        (["study", "digits", "--start", "cifar10"], "for images of 1x8x8"),
        (["study", "digits", "--set", f"start.model=sha256:{'0' * 64}"], "with --start"),
        (["evaluate", "nowhere", "digits"], "nowhere"),
        (["evaluate", "nowhere", "--on", "vall"], "did you mean 'val'"),
        (["ensemble", "nowhere"], "nowhere"),
        (["distill", "nowhere"], "nowhere"),
        (["classify", "nowhere", "picture.png"], "nowhere"),
        (["explain", "nowhere", "digits"], "nowhere"),
        (["report", "nowhere"], "nowhere"),
        (["runs", "nowhere"], "nowhere"),
        (["explore", "cifar10", "--data-dir", "nowhere"], "holds no cifar10"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    smallvision: Call,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert_refused(smallvision(*arguments), said)
    left = [path for path in tmp_path.rglob("*") if "cache" not in path.parts]
    assert left == [], "nothing half-written may stay behind"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["study", "--max-gap=-1"], "'--max-gap'"),
        (["train", "--seeds", "many"], "'--seeds'"),
        (["studdy"], "'study'"),
        (["train", "--sed", "1"], "--sed"),
        (["compare"], "RUN"),
    ],
)
def test_a_mistaken_option_is_one_line(smallvision: Call, arguments: list[str], said: str) -> None:
    assert_refused(smallvision(*arguments), said)
