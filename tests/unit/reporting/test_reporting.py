"""`draw_report` and `write_report`: what they write, and what they need."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from smallvision.errors import SettingError
from smallvision.reporting import Report, write_report


def test_write_report_writes_whole_files(whole_folder: Path, html: str, tmp_path: Path) -> None:
    out = write_report(whole_folder, tmp_path / "page.html").path
    assert out is not None
    assert out.read_text(encoding="utf-8") == html
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


def test_write_report_writes_into_the_folder(folder: Path) -> None:
    assert write_report(folder).path == folder / "report.html"
    assert write_report(folder / "runs/mlp").path == folder / "runs/mlp/report.html"


def test_notebook_shows_a_frame() -> None:
    shown = Report('<p class="a">&amp;</p>')._repr_html_()
    assert shown.startswith('<iframe srcdoc="&lt;p class=&quot;a&quot;&gt;&amp;amp;')
    assert repr(Report("abc")) == "Report(3 characters)"


def test_sections_can_be_shown_alone(folder: Path) -> None:
    report = write_report(folder)
    alone = report.section("ladder").html
    assert '<section id="ladder"' in alone
    assert '<section id="training"' not in alone
    assert '<header class="bar">' not in alone
    assert '<section id="summary"' in report.section("summary").html
    with pytest.raises(SettingError, match="no section 'laddr'; it has summary, data"):
        report.section("laddr")


def test_the_command_loads_nothing_heavy(folder: Path) -> None:
    """Torch alone takes longer to load than the whole report takes to draw."""
    code = (
        f"import sys; sys.argv = ['smallvision', 'report', {str(folder)!r}]\n"
        "from smallvision.cli.main import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        "heavy = {'torch', 'scipy', 'sklearn', 'optuna'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == str(folder / "report.html")
