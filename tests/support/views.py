"""Views of studies and runs with some fields changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from smallvision.reporting.view import RungView, RunView, StudyView


def change_record(study: StudyView, **fields: Any) -> StudyView:
    """The study with other fields in `study.json`."""
    return replace(study, record=study.record.model_copy(update=fields))


def change_test(study: StudyView, **fields: Any) -> StudyView:
    """The study with other fields in `test.json`."""
    assert study.test is not None
    return replace(study, test=study.test.model_copy(update=fields))


def change_rungs(study: StudyView, change: Callable[[RungView], RungView]) -> StudyView:
    """The study with every rung changed."""
    return replace(study, rungs=tuple(change(rung) for rung in study.rungs))


def change_status(run: RunView, **fields: Any) -> RunView:
    """The run with other fields in `status.json`."""
    assert run.status is not None
    return replace(run, status=run.status.model_copy(update=fields))


def change_rung_record(rung: RungView, **fields: Any) -> RungView:
    """The rung with other fields in `study.json`."""
    return replace(rung, record=rung.record.model_copy(update=fields))


def change_step(rung: RungView, **fields: Any) -> RungView:
    """The rung with other fields in the verdict on its step, if it has one."""
    return replace(rung, step=rung.step and rung.step.model_copy(update=fields))
