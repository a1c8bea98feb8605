"""What a study does not show: what a reader must not conclude from it."""

from __future__ import annotations

from collections.abc import Iterator

from smallvision.format import format_count, format_percent, join_words
from smallvision.records.schema import NearDuplicates
from smallvision.reporting.sections.phrases import describe_seeds, tell_lift
from smallvision.reporting.view import StudyView

OTHERS = (
    "The interval tells how far chance in drawing these images may have moved the accuracy. It "
    "says nothing of other pictures: of another camera, another place or a later time, or of "
    "things that are none of these classes."
)


def list_caveats(study: StudyView) -> tuple[str, ...]:
    """What this study leaves open, a sentence or two each; nothing without a winner."""
    winner = study.winner
    if winner is None or winner.run.val is None:
        return ()
    return (
        OTHERS,
        *tell_seeds(study),
        *tell_budget(study),
        *tell_selection(study),
        *tell_look_alikes(study.test.near_duplicates if study.test else None),
    )


def tell_seeds(study: StudyView) -> Iterator[str]:
    """Whether training was repeated."""
    winner, folds = study.winner, study.record.folds
    assert winner is not None, "it was chosen"
    if winner.run.seeds is not None and len(winner.run.seeds.seeds) > 1:
        yield (
            f"With several seeds {winner.name} reached {describe_seeds(winner.run.seeds)} on "
            "validation; the model in use is that of the first seed."
        )
    elif folds > 1:
        yield (
            f"Every rung was trained once in each of {folds} folds, with one seed: the folds tell "
            "of other training images, not of other seeds."
        )
    else:
        repeated = any(rung.run.seeds is not None for rung in study.climbed)
        which = "Rungs without a spread beside their accuracy were" if repeated else "Each rung was"
        yield (
            f"{which} trained once, with seed {study.record.seed}: with other seeds, rungs that "
            "are close may change places."
        )


def tell_budget(study: StudyView) -> Iterator[str]:
    """Which rungs might do better after more epochs, and which were not trained."""
    courses = {
        rung.name: rung.run.validated.course
        for rung in study.climbed
        if rung.run.validated is not None
    }
    rising = [
        name
        for name, course in courses.items()
        if course is not None and (course.rising or course.fit == "too short to judge")
    ]
    if rising:
        yield (
            f"More epochs may change the order: {join_words(rising)} "
            f"{'was' if len(rising) == 1 else 'were'} still rising at the end of training, or "
            "trained too briefly to level off. That such a rung is worse here does not mean that "
            "its idea is."
        )
    absent = [*study.left_out, *(rung.name for rung in study.cut)]
    if absent:
        yield f"Nothing is known here of {join_words(absent)}, which had no turn."


def tell_selection(study: StudyView) -> Iterator[str]:
    """What choosing on validation images did to figures on them."""
    winner, choice = study.winner, study.choice
    assert winner is not None
    assert winner.run.val is not None
    if choice is not None:
        lift = tell_lift(choice, winner.run.val.n)
        searched = any(rung.tuning is not None for rung in study.climbed)
        chosen = ["epochs", *(["settings"] if searched else []), "the winner"]
        yield (
            f"Validation images chose {join_words(chosen)}, so that accuracies on them flatter: in "
            f"the case of {winner.name} "
            f"{f'by about {lift}' if lift else 'by too little to be seen'}."
        )
    if winner.ensemble is not None and len(winner.ensemble.members) > 1:
        yield (
            "The members of the ensemble were chosen on validation images as well, which flatters "
            "its gain there."
        )


def tell_look_alikes(found: NearDuplicates | None) -> Iterator[str]:
    """Whether test images resemble training images."""
    if found is None:
        return
    if found.alike is None:
        yield (
            "Whether test images look much like training images was not searched; if many do, the "
            "accuracy on truly new ones is lower."
        )
    elif found.alike:
        without = (
            f": without them it is {format_percent(found.accuracy, found.n)} of "
            f"{format_count(found.n)}"
            if found.accuracy is not None
            else ""
        )
        yield (
            f"{format_count(found.alike)} test images look much like a training image, which "
            f"makes them easier{without}."
        )
