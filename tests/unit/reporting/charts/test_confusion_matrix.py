from __future__ import annotations

from smallvision.records.schema import TestRecord
from smallvision.reporting.charts import confusion_matrix
from smallvision.reporting.view import StudyView


def with_confusion(study: StudyView, rows: tuple[tuple[int, ...], ...]) -> TestRecord:
    assert study.test is not None
    names = tuple(f"class {number}" for number in range(len(rows)))
    return study.test.model_copy(update={"class_names": names, "confusion": rows})


def test_cells_are_shaded_by_their_share(study: StudyView) -> None:
    assert study.test is not None
    drawn = confusion_matrix.draw_matrix(study.test)
    assert drawn.is_table
    assert drawn.paths == ()
    assert {drawn.rows[i][i].css[:4] for i in range(10)} == {"hit-"}
    worst = max(drawn.pairs, key=lambda pair: pair.share)
    row = study.test.class_names.index(worst.true)
    column = study.test.class_names.index(worst.predicted)
    assert drawn.rows[row][column].css == "miss-9"
    assert drawn.errors == 1_250 - round(1_250 * study.test.accuracy)
    counts = [pair.count for pair in drawn.pairs]
    assert counts == sorted(counts, reverse=True)
    assert confusion_matrix.list_cells(study.test) == {}


def test_perfect_matrix_and_empty_rows(study: StudyView) -> None:
    drawn = confusion_matrix.draw_matrix(with_confusion(study, ((5, 0, 0), (0, 0, 0), (0, 0, 7))))
    assert drawn.pairs == ()
    assert drawn.rows[1][1].css == "zero"
    assert drawn.rows[0][0].css == "hit-9"


def test_a_large_matrix_is_a_few_paths(study: StudyView) -> None:
    K = 60
    rows = tuple(
        tuple(9 if i == j else 1 if j == (i + 1) % K else 0 for j in range(K)) for i in range(K)
    )
    record = with_confusion(study, rows)
    drawn = confusion_matrix.draw_matrix(record)
    assert not drawn.is_table
    assert [css for css, _ in drawn.paths] == ["hit-9", "miss-9"]
    assert drawn.paths[0][1].count("M") == K
    assert confusion_matrix.list_cells(record)["rows"][0] == [0, 9, 1, 1]
