from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.reporting import draw_report
from smallvision.reporting.reader import read_study
from smallvision.reporting.view import StudyView
from tests.support.page import Page
from tests.support.study_folder import build_study, build_whole_study


@pytest.fixture(scope="session")
def short_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of five rungs with few pictures; not to be touched."""
    return build_study(tmp_path_factory.mktemp("short") / "study", pictured=2)


@pytest.fixture(scope="session")
def whole_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of the whole ladder; not to be touched."""
    return build_whole_study(tmp_path_factory.mktemp("whole") / "study")


@pytest.fixture
def folder(short_folder: Path, tmp_path: Path) -> Path:
    """A copy of the short study, free to be changed."""
    return Path(shutil.copytree(short_folder, tmp_path / "study"))


@pytest.fixture
def whole_copy(whole_folder: Path, tmp_path: Path) -> Path:
    """A copy of the whole study, free to be changed."""
    return Path(shutil.copytree(whole_folder, tmp_path / "whole"))


@pytest.fixture(scope="session")
def study(short_folder: Path) -> StudyView:
    return read_study(short_folder)


@pytest.fixture(scope="session")
def whole(whole_folder: Path) -> StudyView:
    return read_study(whole_folder)


@pytest.fixture(scope="session")
def html(whole_folder: Path) -> str:
    return draw_report(whole_folder).html


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)
