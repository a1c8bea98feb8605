from __future__ import annotations

from dataclasses import replace

from smallvision.reporting.sections import summary
from smallvision.reporting.view import Goal, Limits, Outcome, Study, Unseen
from smallvision.reporting.view import Opening as Look


def look(number: int) -> Look:
    return Look(number, "2026-11-22T14:40:00+00:00", "c", "s", "wrn-aug", 1_250, "sha256:x")


def with_states(study: Study, *states: str) -> Study:
    """The study without a winner, its rungs in other states."""
    rungs = tuple(
        replace(rung, plan=replace(rung.plan, status=state))  # type: ignore[arg-type]
        for rung, state in zip(study.rungs, states, strict=True)
    )
    card = replace(study.card, best=None, best_reason=None)
    return replace(study, card=card, rungs=rungs, scorecard=None, openings=())


def test_headline_of_a_finished_study(study: Study) -> None:
    line = summary.write_headline(study)
    assert line.before == "wrn-aug classifies"
    assert line.after == "of unseen images correctly."
    assert "1,250 test images" in line.support


def test_headline_before_the_test(study: Study) -> None:
    line = summary.write_headline(replace(study, scorecard=None))
    assert (line.before, line.figure) == ("wrn-aug leads with", "91.1 %")
    assert "expect slightly less on new images" in line.support


def test_headline_without_a_winner(study: Study) -> None:
    running = with_states(study, "done", "done", "running", "pending", "pending")
    line = summary.write_headline(running)
    assert (line.before, line.figure) == ("No winner yet:", "2 of 5")
    assert "So far wrn-aug leads" in line.support


def test_headline_when_all_failed(study: Study) -> None:
    failed = with_states(study, *["failed"] * 5)
    failed = replace(failed, rungs=tuple(replace(r, outcome=Outcome()) for r in failed.rungs))
    assert summary.write_headline(failed).support.startswith("No rung finished.")


def test_seal(study: Study) -> None:
    assert summary.describe_seal(study).tone == "good"
    twice = replace(study, openings=(look(1), look(2)))
    fact = summary.describe_seal(twice)
    assert (fact.value, fact.tone) == ("opened twice", "alert")
    sealed = summary.describe_seal(replace(study, openings=(), scorecard=None))
    assert sealed.value == "still sealed"


def test_protocol_claims_only_what_holds(study: Study) -> None:
    assert "until one model had been chosen" in summary.describe_protocol(study)
    twice = replace(study, openings=(look(1), look(2)))
    assert "opened 2 times" in summary.describe_protocol(twice)
    sealed = replace(study, openings=(), scorecard=None)
    assert "still sealed" in summary.describe_protocol(sealed)


def test_other_openings_on_the_machine_are_told_up_front(study: Study) -> None:
    assert study.scorecard is not None
    seen = replace(study, scorecard=replace(study.scorecard, openings_on_machine=10))
    assert "had been opened 9 times before on that machine" in summary.describe_protocol(seen)
    fact = summary.describe_seal(seen)
    assert (fact.value, fact.tone) == ("opened once", "plain")
    assert "opened 9 times on that machine" in fact.details[-1]


def test_copies_of_training_images_are_told_up_front(study: Study) -> None:
    assert study.scorecard is not None
    card = replace(study.scorecard, lookalikes=Unseen("2 of 1,250 are copies.", copies=2))
    line = summary.write_headline(replace(study, scorecard=card))
    assert line.after == "of the test images correctly."
    assert line.support.endswith("2 of 1,250 are copies.")


def test_rival_is_the_best_of_the_others(study: Study) -> None:
    fact = summary.describe_rival(study)
    assert fact.value == "cannot be told apart"
    assert fact.details[0].startswith("vgg10-aug against wrn-aug")


def test_rival_that_was_told_apart(study: Study) -> None:
    for word, value, tone in (
        ("worse", "clearly behind", "good"),
        ("better", "more accurate", "alert"),
    ):
        rungs = tuple(
            replace(
                rung, against_best=rung.against_best and replace(rung.against_best, verdict=word)
            )  # type: ignore[arg-type]
            for rung in study.rungs
        )
        fact = summary.describe_rival(replace(study, rungs=rungs))
        assert (fact.value, fact.tone) == (value, tone)


def test_rival_without_verdict_or_winner(study: Study) -> None:
    bare = tuple(replace(rung, against_best=None) for rung in study.rungs)
    assert "not compared" in summary.describe_rival(replace(study, rungs=bare)).details[1]
    alone = replace(study, rungs=study.rungs[3:4])
    assert summary.describe_rival(alone).value == "none"
    nobody = replace(study, card=replace(study.card, best=None))
    assert summary.describe_rival(nobody).value == "not yet known"


def test_limits(study: Study) -> None:
    fact = summary.describe_goal(study)
    assert (fact.value, fact.tone) == ("all satisfied", "good")
    assert fact.details[1] == "parameters 1,077,850, limit 2,000,000"
    goal = Goal("val_accuracy", Limits())
    free = replace(study, card=replace(study.card, goal=goal))
    assert summary.describe_goal(free).value == "none set"
    broken = tuple(
        replace(rung, outcome=replace(rung.outcome, within_limits=False)) for rung in study.rungs
    )
    assert summary.describe_goal(replace(study, rungs=broken)).tone == "alert"
    nobody = replace(study, card=replace(study.card, best=None))
    assert summary.describe_goal(nobody).value == "not yet known"


def test_alerts_name_contradictions(study: Study) -> None:
    assert summary.list_alerts(study) == ()
    assert study.scorecard is not None
    other = replace(study, scorecard=replace(study.scorecard, model="mlp", data_fingerprint="x"))
    assert len(summary.list_alerts(other)) == 2
    assert "no ledger" in summary.list_alerts(replace(study, openings=()))[0]
    more = replace(study, scorecard=replace(study.scorecard, openings=2))
    assert "one of the two records was changed" in summary.list_alerts(more)[1]


def test_test_beside_validation(study: Study) -> None:
    assert "is within chance" in (summary.compare_val(study) or "")
    assert study.scorecard is not None
    far = replace(study, scorecard=replace(study.scorecard, differs_from_val=True))
    assert "more than chance explains" in (summary.compare_val(far) or "")
    alone = replace(study, scorecard=replace(study.scorecard, val=None))
    assert summary.compare_val(alone) is None
