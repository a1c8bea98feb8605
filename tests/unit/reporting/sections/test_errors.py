from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import errors
from smallvision.reporting.view import StudyView


def test_the_widest_strip_sets_the_size_of_an_image(whole: StudyView) -> None:
    section = errors.gather(whole)
    assert section is not None
    assert section.widest == 8 * 13 - 1
    assert len(section.slices) == 2


def test_lost_strips_have_no_width(whole: StudyView) -> None:
    assert whole.errors is not None
    lost = replace(whole.errors, pictures=dict.fromkeys(whole.errors.pictures))
    section = errors.gather(replace(whole, errors=lost))
    assert section is not None
    assert section.widest == 1


def test_studies_without_an_analysis_have_no_section(study: StudyView) -> None:
    assert errors.gather(study) is None
