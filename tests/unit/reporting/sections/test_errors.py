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


def test_why_errors_happen_is_one_sentence(whole: StudyView) -> None:
    assert whole.errors is not None
    record = whole.errors.record

    def tell(*within: float | None) -> str:
        slices = tuple(one.change(p_within=p) for one, p in zip(record.slices, within, strict=True))
        return errors.sum_up_causes(record.change(slices=slices))

    first, second = (one.name for one in record.slices)
    assert tell(None, None) == ""
    assert tell(0.3, 0.8).startswith(f"Why could not be shown: errors go with none of {first} and")
    linked = tell(0.3, 0.004)
    assert linked.startswith(f"Errors go with {second}: wrong are ")
    assert linked.endswith("(tested among images of one class, p = 0.004).")
    assert tell(0.01, 0.004).endswith(f"; also with {first}.")
    assert errors.sum_up_causes(record.change(errors=0)) == ""


def test_each_image_in_doubt_is_shown_once(whole: StudyView) -> None:
    assert whole.errors is not None
    record = whole.errors.record
    issues = record.label_issues
    worst = record.worst[0].change(index=issues.images[0].index)
    changed = record.change(worst=(worst, *record.worst[1:]))
    section = errors.gather_record(replace(whole.errors, record=changed))
    again = {one.index for one in section.find_doubted(again=True)}
    others = {one.index for one in section.find_doubted(again=False)}
    assert issues.images[0].index in again
    assert not again & others
    assert again | others == {one.index for one in issues.images if section.shows([one])}
