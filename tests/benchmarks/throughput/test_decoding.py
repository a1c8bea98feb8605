import subprocess
from pathlib import Path

import pytest

from benchmarks.throughput.decoding import JOBS, draw_pictures, measure_decoding, run_alone


def test_all_jobs_read_the_same_pictures(tmp_path: Path) -> None:
    folder = draw_pictures(tmp_path, 100)
    assert len([*folder.rglob("*.png")]) == len([*folder.rglob("*.jpg")]) == 50
    record = measure_decoding(folder, 100, 1)
    assert set(record.jobs) == set(JOBS)
    assert all(job.median > 0 and job.megabytes > 10 for job in record.jobs.values())
    (table,) = record.tables
    assert table.rows[-1][3] == "1.00 times"


def test_a_job_that_fails_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError):
        run_alone([*JOBS["explore"], str(tmp_path / "nothing")])
