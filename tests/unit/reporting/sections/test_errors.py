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
    assert linked.startswith(
        f"Errors go with {second}, also among images of one class (p = 0.004): "
    )
    assert ": of all images, wrong are " in linked, "the shares are not those within classes"
    assert tell(0.01, 0.004).endswith(f"; also with {first}.")
    assert errors.sum_up_causes(record.change(errors=0)) == ""


def test_each_image_in_doubt_is_shown_once(whole: StudyView) -> None:
    assert whole.errors is not None
    record = whole.errors.record
    issues = record.label_issues
    worst = record.worst[0].change(index=issues.images[0].index)
    changed = record.change(worst=(worst, *record.worst[1:]))
    section = errors.gather_record(replace(whole.errors, record=changed))
    others = {one.index for one in section.further_doubted}
    assert issues.images[0].index in section.doubted
    assert not section.doubted & others
    assert section.doubted | others >= {one.index for one in issues.images if section.shows([one])}


def test_a_confident_error_in_doubt_counts_without_a_picture_of_its_own(whole: StudyView) -> None:
    assert whole.errors is not None
    record = whole.errors.record
    issue = record.label_issues.images[0].change(file=None)
    changed = record.change(
        worst=(record.worst[0].change(index=issue.index), *record.worst[1:]),
        label_issues=record.label_issues.change(images=(issue, *record.label_issues.images[1:])),
    )
    section = errors.gather_record(replace(whole.errors, record=changed))
    assert issue.index in section.doubted


def test_what_was_not_shown_is_not_told_as_absent(whole: StudyView) -> None:
    assert whole.errors is not None
    record = whole.errors.record
    slices = tuple(
        one.change(p_within=p) for one, p in zip(record.slices, (0.3, 0.004), strict=True)
    )
    words = errors.describe_causes(record.change(slices=slices))
    assert "not with" not in words
    assert words.endswith(f"Of {slices[0].name} no such link was shown.")
