import pytest

from benchmarks.throughput import timing


def test_jobs_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, called = [0.0], []
    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock[0])

    def job(name: str, seconds: list[float]) -> timing.Job:
        def work() -> int:
            called.append(name)
            clock[0] += seconds.pop(0)
            return 12

        return work

    measured = timing.measure_in_turns(
        {"a": job("a", [9, 1, 3, 2]), "b": job("b", [9, 4, 4, 6])}, rounds=3
    )
    assert called == ["a", "b", "a", "b", "a", "b", "a", "b"]
    assert measured["a"] == timing.Throughput(images_per_second=6, rounds=(12, 4, 6))
    assert measured["b"] == timing.Throughput(images_per_second=3, rounds=(3, 3, 2))
