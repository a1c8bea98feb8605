"""`make dist-check`: what is too much or missing in an sdist or a wheel is named."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.check_dist import check_sdist, check_wheel

TRACKED = {"README.md", "LICENSE", "src/smallvision/__init__.py", "src/smallvision/py.typed"}
ABOUT = "smallvision-0.2.0.dist-info"
METADATA = "Name: smallvision\nVersion: {version}\nLicense-Expression: MIT\n"
SCRIPTS = "[console_scripts]\nsmallvision = smallvision.cli.main:main\n"


def write_wheel(place: Path, names: set[str], version: str = "0.2.0") -> Path:
    path = place / "smallvision-0.2.0-py3-none-any.whl"
    files = dict.fromkeys(names, "")
    files |= {f"{ABOUT}/{name}": "" for name in ("WHEEL", "RECORD", "licenses/LICENSE")}
    files[f"{ABOUT}/METADATA"] = METADATA.format(version=version)
    files[f"{ABOUT}/entry_points.txt"] = SCRIPTS
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def write_sdist(place: Path, names: set[str]) -> Path:
    path = place / "smallvision-0.2.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"smallvision-0.2.0/{name}"), io.BytesIO())
    return path


WHOLE = {"smallvision/__init__.py", "smallvision/py.typed"}


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (WHOLE, ""),
        (WHOLE - {"smallvision/py.typed"}, "lacks smallvision/py.typed"),
        (WHOLE | {"tests/test_one.py"}, "holds tests/test_one.py, which is not expected"),
    ],
)
def test_a_wheel_holds_the_package_and_no_more(tmp_path: Path, names: set[str], fault: str) -> None:
    said = check_wheel(write_wheel(tmp_path, names), TRACKED, "0.2.0")
    assert len(said) == bool(fault)
    assert fault in "".join(said)


def test_a_wheel_is_of_its_version(tmp_path: Path) -> None:
    said = check_wheel(write_wheel(tmp_path, WHOLE, "0.1.0"), TRACKED, "0.2.0")
    assert len(said) == 1
    assert "version is '0.1.0', expected '0.2.0'" in said[0]


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        (set[str](), ""),
        ({"runs/digits/status.json"}, "holds runs/digits/status.json"),
        ({"LICENSE"}, "lacks LICENSE"),
    ],
)
def test_an_sdist_holds_the_repository(tmp_path: Path, changed: set[str], fault: str) -> None:
    said = check_sdist(write_sdist(tmp_path, (TRACKED | {"PKG-INFO"}) ^ changed), TRACKED)
    assert len(said) == bool(fault)
    assert fault in "".join(said)
