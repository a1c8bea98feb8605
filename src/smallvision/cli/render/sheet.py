"""All that is known of a model in the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table

from smallvision.cli.render.console import PlainConsole, styled
from smallvision.cli.render.tables import new_table
from smallvision.format import (
    describe_class_means,
    format_accuracy,
    format_count,
    format_interval,
    format_latency,
    format_share,
    format_short_count,
    format_size,
    format_times,
    join_words,
)
from smallvision.records.schema import (
    ModelSheet,
    NetworkPart,
    PredictionSetsRecord,
    Rate,
    UnlikeRecord,
)
from smallvision.text import show_name

FITTED = {
    "crop": "resized and cropped",
    "pad": "resized and padded",
    "stretch": "stretched",
}
KINDS = {
    "trained": "trained on the training split",
    "ensemble": "an ensemble",
    "refit": "trained once more, on training and validation images",
    "all_images": "trained on all images",
    "saved": "a saved model without records of its training",
}


def print_sheet(sheet: ModelSheet, console: PlainConsole) -> None:
    """Print the layers, then the figures, then the model and its training in words."""
    console.print(styled((show_name(sheet.name), "bold"), f": {KINDS[sheet.kind]}"))
    for part in sheet.network.parts:
        print_layers(part, console)
    figures = Table.grid(padding=(0, 2, 0, 0))
    figures.add_column(no_wrap=True)
    figures.add_column(overflow="fold")
    for name, text in list_figures(sheet):
        figures.add_row(styled((name, "bold")), styled(text))
    console.print(figures)
    console.print()
    console.print(styled(*(f"{sentence} " for sentence in sheet.methods)))
    if sheet.sources:
        console.print()
        console.print(styled(("Sources", "bold"), "  smallvision recipes explains the names"))
    for source in sheet.sources:
        console.print(f"{source.technique}: {source.source}")


def print_layers(part: NetworkPart, console: PlainConsole) -> None:
    """Print the layers of one network, and how many there are of it."""
    title = f"{part.count} networks of these layers" if part.count > 1 else None
    table = new_table("layer", "kind", "output", "parameters", "multiplications", title=title)
    table.columns[1].justify = "left"
    for layer in part.layers:
        table.add_row(
            layer.name,
            layer.kind,
            " × ".join(map(str, layer.output)),
            format_count(layer.parameters),
            format_short_count(layer.multiplications),
        )
    total = sum(layer.parameters for layer in part.layers)
    products = sum(layer.multiplications for layer in part.layers)
    table.add_row("total", "", "", format_count(total), format_short_count(products), style="bold")
    console.print(table)


def list_figures(sheet: ModelSheet) -> Iterator[tuple[str, str]]:
    """Each figure with its name."""
    network, latency = sheet.network, sheet.latency
    if len(network.parts) > 1 or network.parts[0].count > 1:
        products = format_short_count(network.multiplications)
        yield "all networks", f"{format_count(network.parameters)} parameters, {products} products"
    yield "size", f"{format_size(sheet.size_bytes)} on disk"
    how = "just measured on random patterns" if latency.measured else "as its run measured it"
    yield "time", f"{format_latency(latency.seconds)} for an image, {how} ({latency.computed_on})"
    channels, height, width = sheet.shape
    colour = "grey" if channels == 1 else "colour"
    yield (
        "input",
        f"{width} × {height} pixels, {colour}; pictures of another shape are {FITTED[sheet.fit]}",
    )
    yield "mean", ", ".join(f"{value:.4f}" for value in sheet.mean)
    yield "deviation", ", ".join(f"{value:.4f}" for value in sheet.std)
    names = [show_name(name) for name in sheet.class_names]
    yield "classes", f"{len(names):,}: {', '.join(names)}"
    yield "temperature", f"{sheet.temperature:.3g}"
    yield "classified too", describe_views(sheet)
    yield "unlike limit", describe_unlike(sheet.unlike)
    yield "prediction sets", describe_sets(sheet.sets)
    if sheet.data is not None:
        data = sheet.data
        yield (
            "training data",
            f"{data.name}: {data.train_n:,} images to train on, {data.val_n:,} for validation, "
            f"{data.split}",
        )
    yield "training", tell_rate(sheet.train, "clean training images")
    yield "validation", tell_rate(sheet.val, "images")
    yield "test", describe_test(sheet)
    yield "licence", sheet.licence or "unknown: no record says it"
    yield "fingerprint", sheet.fingerprint


def describe_views(sheet: ModelSheet) -> str:
    """What is classified of an image besides itself."""
    views = ["its mirror image"] if sheet.tta.mirror else []
    if sheet.tta.shift:
        views.append(f"shifts by {sheet.tta.shift} where the answer is uncertain")
    return join_words(views) or "nothing but the image itself"


def describe_unlike(unlike: UnlikeRecord | None) -> str:
    """From which energy on a picture is called unlike those of training."""
    if unlike is None:
        return "none: it cannot tell which pictures are unlike what it was trained on"
    return f"energy above {unlike.limit:.4g}, from {unlike.n:,} validation images"


def describe_sets(sets: PredictionSetsRecord | None) -> str:
    """From which probability on a class belongs to a prediction set."""
    if sets is None:
        return "none: it was saved without them"
    pairs = zip(sets.error_rates, sets.least_probabilities, strict=True)
    each = [f"{least:.3g} at {format_share(rate)} errors" for rate, least in pairs]
    return f"classes of probability {', '.join(each)}; from {sets.n:,} validation images"


def tell_rate(rate: Rate | None, images: str) -> str:
    """An accuracy with its interval and n."""
    if rate is None:
        return "no record of it"
    means = describe_class_means(rate.by_class, rate.n)
    return (
        f"{format_accuracy(rate)} of {rate.n:,} {images} (95 % interval {format_interval(rate)})"
        f"{f', {means}' if means else ''}"
    )


def describe_test(sheet: ModelSheet) -> str:
    """The test accuracy, and how often the test set was opened."""
    test = sheet.test
    if test is None:
        return "not opened for these weights"
    others = max(0, (test.openings_on_machine or 0) - test.openings)
    besides = f", and {format_times(others)} by others on that machine" if others else ""
    return (
        f"{format_accuracy(test)} of {test.n:,} images (95 % interval {format_interval(test)}), "
        f"opened {format_times(test.openings)}{besides}"
    )
