import json
import subprocess
from types import SimpleNamespace

import pytest

from benchmarks.gpu import race


def stub_peer(monkeypatch: pytest.MonkeyPatch, error: Exception | None = None) -> None:
    def run(_command, stdout, stderr, **_settings) -> None:
        stdout.write("epoch 1\n")
        for seconds, ended in ((40.0, 50.0), (3.0, 53.0), (5.0, 58.0)):
            run = {"accuracy": 0.94, "seconds": seconds, "ended": ended}
            stdout.write(json.dumps(run) + "\n")
        stderr.write("trouble")
        if error is not None:
            raise error

    errors = {name: getattr(subprocess, name) for name in ("TimeoutExpired", "CalledProcessError")}
    monkeypatch.setattr(race, "subprocess", SimpleNamespace(run=run, **errors))


def test_the_first_run_of_a_peer_only_warms_up(monkeypatch: pytest.MonkeyPatch) -> None:
    stub_peer(monkeypatch)
    entrant = race.run_peer([], 10)
    assert [run.seconds for run in entrant.runs] == [3.0, 5.0]
    assert entrant.besides_seconds == 50.0 - 4.0
    assert entrant.seconds is not None
    assert entrant.seconds.mean == 4.0
    assert entrant.error is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (subprocess.TimeoutExpired("peer", 10), "more than 10 s"),
        (subprocess.CalledProcessError(1, "peer"), "trouble"),
    ],
)
def test_what_a_peer_finished_is_kept(
    monkeypatch: pytest.MonkeyPatch, error: Exception, said: str
) -> None:
    stub_peer(monkeypatch, error)
    entrant = race.run_peer([], 10)
    assert len(entrant.runs) == 2
    assert entrant.error is not None
    assert said in entrant.error
