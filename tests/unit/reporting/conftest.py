from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallvision.reporting.reader import read_study
from smallvision.reporting.view import Study
from tests.gold.story_folder import build_story
from tests.gold.study_folder import build_study


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of ten classes with few pictures; not to be touched."""
    return build_study(tmp_path_factory.mktemp("finished") / "study", pictured=2)


@pytest.fixture
def folder(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, free to be damaged."""
    return Path(shutil.copytree(finished, tmp_path / "study"))


@pytest.fixture(scope="session")
def study(finished: Path) -> Study:
    return read_study(finished)


@pytest.fixture(scope="session")
def climbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished study of the whole ladder; not to be touched."""
    return build_story(tmp_path_factory.mktemp("climbed") / "story")


@pytest.fixture
def story_folder(climbed: Path, tmp_path: Path) -> Path:
    """A copy of it, free to be damaged."""
    return Path(shutil.copytree(climbed, tmp_path / "story"))


@pytest.fixture(scope="session")
def story(climbed: Path) -> Study:
    return read_study(climbed)
