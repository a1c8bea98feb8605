from __future__ import annotations

from dataclasses import replace

from smallvision.records.schema import SeedSummary
from smallvision.reporting.sections import phrases
from smallvision.reporting.view import StudyView
from tests.support.study_folder import ENVIRONMENT, SEEDS
from tests.support.views import change_record


def test_environment_in_words() -> None:
    assert phrases.describe_environment(ENVIRONMENT) == (
        ("python", "3.11.7"),
        ("torch", "2.12.0"),
        ("platform", "Linux"),
        ("processor", "Made-up CPU @ 3.0 GHz"),
        ("instructions", "AVX2"),
        ("memory", "25.3 GB"),
        ("git commit", "16d425b74855…"),
    )
    assert phrases.describe_environment(None) == ()


def test_changed_files_are_told() -> None:
    assert ENVIRONMENT.git is not None
    git = ENVIRONMENT.git.model_copy(update={"changed": True})
    rows = dict(phrases.describe_environment(ENVIRONMENT.model_copy(update={"git": git})))
    assert rows["git commit"] == "16d425b74855…, with changed files"


def test_seeds_in_words() -> None:
    assert phrases.describe_seeds(SEEDS) == "91.8 ± 0.4 % over 3 seeds"
    one = SeedSummary(
        seeds=(7,), accuracies=(0.921,), failed=(8, 9), mean=0.921, std=None, interval=None, n=1_000
    )
    assert phrases.describe_seeds(one) == "92.1 % over 1 seed (seeds 8 and 9 failed)"


def test_how_many_of_the_training_images_were_used(study: StudyView) -> None:
    def tell(given: int, **fields: object) -> str:
        assert study.split is not None
        data = study.record.data.change(train_n=given)
        split = study.split.change(**fields)
        return phrases.describe_use(replace(change_record(study, data=data), split=split))

    assert tell(5_000) == "4,000 to fit on, 1,000 to validate on"
    assert tell(9_000) == ("5,000 training images used, 4,000 to fit on, 1,000 to validate on")
    assert tell(4_000, declared_val=True) == "4,000 to fit on, 1,000 others to validate on"
    assert phrases.describe_use(change_record(study, folds=5)).endswith(
        "cross-validated in 5 folds"
    )
    assert phrases.describe_use(replace(study, split=None)) == ""
