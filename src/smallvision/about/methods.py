"""A finished model and its training in words, every figure from its records.

The report and `smallvision show` print the same paragraph, which a section on methods can use.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from smallvision.about.facts import ModelFacts, tell_other_openings
from smallvision.about.techniques import (
    KINDS,
    count,
    describe_augmentations,
    describe_average,
    describe_loss,
    describe_network,
    describe_optimizer,
    describe_schedule,
    list_sources,
)
from smallvision.format import (
    MANY,
    METRIC_WORDS,
    describe_class_means,
    format_accuracy,
    format_count,
    format_interval,
    format_times,
    join_words,
)
from smallvision.recipes.settings.recipe import Recipe, TtaSettings
from smallvision.records.schema import (
    EnsembleRecord,
    FinishedRun,
    Rate,
    SplitRecord,
    TechniqueSource,
    TtaRecord,
)
from smallvision.records.schema.settings.networks import (
    EnsembleSettings,
    NetworkSettings,
    list_networks,
)

SELECTIONS = {
    "greedy": "chosen one by one among {} on validation images, while one helped",
    "last": "the last of {}",
    "all": "all of {}",
}
MOST_NAMED = 8  # epochs of members


def write_methods(facts: ModelFacts) -> tuple[str, ...]:
    """The model and its training, as far as its records tell, sentence by sentence."""
    sentences = [
        describe_model(facts),
        *describe_training(facts),
        *describe_choice(facts),
        *describe_predictions(facts),
        *describe_accuracy(facts),
    ]
    return tuple(filter(None, sentences))


def find_sources(facts: ModelFacts) -> tuple[TechniqueSource, ...]:
    """The papers of what the paragraph names."""
    return list_sources(tuple(list_networks(facts.model.model)), facts.recipe)


def name_design(model: NetworkSettings) -> str:
    """A network in words, or an ensemble with its members."""
    designs = Counter(map(describe_network, list_networks(model)))
    members = designs.total()
    if members == 1:
        return next(iter(designs))
    if len(designs) == 1:
        return f"an ensemble of {members} networks, each {next(iter(designs))}"
    each = join_words([f"{number} times {design}" for design, number in designs.items()])
    return f"an ensemble of {members} networks: {each}"


def name_kind(model: NetworkSettings) -> str:
    """What a network is, in a word or two."""
    members = list_networks(model)
    kind = KINDS[members[0].name]
    if len(members) == 1:
        return kind
    kinds = {member.name for member in members}
    one = kind.removeprefix("a ") if len(kinds) == 1 and kind.startswith("a ") else "network"
    return f"an ensemble of {len(members)} {one}s"


def describe_model(facts: ModelFacts) -> str:
    """What the model is and what it takes."""
    words = name_design(facts.model.model)
    if isinstance(facts.model.model, EnsembleSettings):
        words += ", whose probabilities are averaged"
    channels, height, width = facts.model.shape
    classes = format_count(len(facts.model.class_names))
    colour = "grey" if channels == 1 else "colour"
    sentence = (
        f"The final model is {words}. It sorts {colour} images of {width} × {height} pixels into "
        f"{classes} classes"
    )
    if facts.network is None:
        return f"{sentence}."
    products = facts.network.multiplications
    words = f"{products / MANY:,.1f} million" if products >= MANY else format_count(products)
    return (
        f"{sentence} and has {format_count(facts.network.parameters)} parameters; one look at an "
        f"image takes {words} multiplications."
    )


def describe_training(facts: ModelFacts) -> Iterator[str]:
    """What the model was trained on, and how."""
    if facts.status is None:
        return
    if facts.split is not None:
        yield describe_images(facts, facts.status, facts.split)
    recipe = facts.recipe
    if recipe is None:
        return
    yield describe_length(recipe, facts)
    yield f"The learning rate {describe_schedule(recipe.schedule)}."
    yield describe_loss(recipe)
    yield describe_augmentations(recipe)
    yield describe_average(recipe.averaging)
    yield describe_weights(recipe, facts.status, facts.ensemble)
    if facts.is_refit:
        both = "" if facts.split is None else format_count(facts.split.train_n + facts.split.val_n)
        yield (
            f"At last it was trained once more in the same way on all {both} training and "
            "validation images together; the weights are those at the end."
        )


def describe_images(facts: ModelFacts, status: FinishedRun, split: SplitRecord) -> str:
    """Which images the model was trained on, and which were left out."""
    train, val = split.train_n, split.val_n
    if facts.is_of_all_images:
        return (
            f"It was trained on all {format_count(train + val)} labelled images of {status.data}, "
            "without any to validate it on."
        )
    if facts.folds is not None:
        return (
            f"It was cross-validated on {format_count(facts.folds.val.n)} images of {status.data} "
            f"in {facts.folds.num_folds} stratified folds, drawn with seed {split.seed}."
        )
    kept = (
        "those that the data set gives for that"
        if split.declared_val
        else f"drawn class by class with seed {split.seed}"
    )
    return (
        f"It was trained on {format_count(train)} images of {status.data} and validated on "
        f"{format_count(val)} others, {kept}."
    )


def describe_length(recipe: Recipe, facts: ModelFacts) -> str:
    """How long training took, in which steps, and on what."""
    status = facts.status
    of_passes = f" of {recipe.passes} passes each" if recipe.passes > 1 else ""
    is_first = facts.ensemble is not None and len({m.run for m in facts.ensemble.members}) > 1
    ended = status is not None and facts.ensemble is None and status.epochs_done < recipe.epochs
    words = (
        f"Training {'of its first member ' if is_first else ''}"
        f"{'was planned for' if ended else 'took'} "
        f"{count(recipe.epochs, 'epoch')}{of_passes} in batches of {recipe.batch_size:,} images, "
        f"by {describe_optimizer(recipe.optimizer)}"
    )
    compute = status.compute if status else None
    if compute is not None:
        threads = f", {count(compute.threads, 'thread')}" if compute.device == "cpu" else ""
        words += f" ({compute.device}, {compute.precision}{threads})"
    if status and ended:
        words += f"; it ended after {count(status.epochs_done, 'epoch')}: {status.stopped}"
    return f"{words}."


def describe_weights(recipe: Recipe, status: FinishedRun, ensemble: EnsembleRecord | None) -> str:
    """Which weights were kept."""
    if ensemble is not None:
        return describe_members(ensemble)
    if status.kind in ("all_images", "refit"):
        return "The weights are those at the end."
    figure = METRIC_WORDS[recipe.metric]
    return (
        f"The weights are those of epoch {status.best_epoch} of {status.epochs_done}, the best by "
        f"validation {figure}."
    )


def describe_members(ensemble: EnsembleRecord) -> str:
    """Where the members of an ensemble come from."""
    members, offered = ensemble.members, len(ensemble.candidates)
    runs = len({member.run for member in members})
    epochs = [str(member.epoch) for member in members[:MOST_NAMED]]
    if len(members) > MOST_NAMED:
        epochs.append(f"{len(members) - MOST_NAMED} others")
    of_runs = "one run" if runs == 1 else f"{runs} runs"
    after = f"{'epoch' if len(epochs) == 1 else 'epochs'} {join_words(epochs)}"
    chosen = SELECTIONS[ensemble.select].format(count(offered, "network"))
    return f"The members are the weights of {of_runs} after {after}, {chosen}."


def describe_choice(facts: ModelFacts) -> Iterator[str]:
    """Among how many rungs it was chosen, and by what."""
    study = facts.study
    if study is None or study.best is None:
        return
    rungs = sum(rung.is_done for rung in study.rungs)
    if rungs > 1:
        yield f"It was chosen among {rungs} rungs: {study.best_reason}."


def describe_looks(tta: TtaRecord | TtaSettings) -> str:
    """With what other looks at an image its logits are averaged; empty where it is one look."""
    copies = ["its mirror image"] if tta.mirror else []
    if tta.shift:
        copies.append(
            f"copies shifted by {count(tta.shift, 'pixel')} along the diagonal, where the "
            "answer is uncertain"
        )
    others = join_words(copies)
    return f"The logits of an image are averaged with those of {others}." if copies else ""


def describe_predictions(facts: ModelFacts) -> Iterator[str]:
    """What becomes of the logits of an image."""
    if looks := describe_looks(facts.model.tta):
        yield looks
    if facts.model.temperature != 1:
        yield (
            f"Logits are divided by a temperature of {facts.model.temperature:.3g}, fitted on "
            "validation images."
        )


def describe_accuracy(facts: ModelFacts) -> Iterator[str]:
    """What it reaches on validation images, and on test images where these were opened."""
    val, test = facts.val, facts.test
    if val is not None:
        subject = "Trained without the validation images, it" if facts.is_refit else "It"
        images = "validation images" if facts.folds is None else "images that folds left out"
        yield (
            f"{subject} classifies {format_accuracy(val)} of {format_count(val.n)} {images} "
            f"correctly ({tell_interval(val)})."
        )
    if test is not None:
        yield (
            f"On {format_count(test.n)} test images, opened {format_times(facts.openings)}, it "
            f"classifies {format_accuracy(test)} correctly ({tell_interval(test.rate)})."
        )
        yield from tell_other_openings(facts.openings, test.openings_on_machine)


def tell_interval(rate: Rate) -> str:
    """The interval of an accuracy, and what counts every class alike where they are uneven."""
    means = describe_class_means(rate.by_class, rate.n)
    return f"95 % interval {format_interval(rate)}{f'; {means}' if means else ''}"
