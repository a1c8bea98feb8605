"""Examples of every command, which its help ends with, and where a newcomer begins."""

from __future__ import annotations

from collections.abc import Mapping

Example = tuple[str, str]  # what follows the name of the command, and what it does

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "study": (
        ("digits", "handwritten digits, in a few minutes"),
        ("path/to/images --budget 30m", "your own pictures, in half an hour"),
        ("cifar10 --rungs vgg10,wrn --seeds 3", "two rungs, three times each"),
        ("digits --resume", "go on with a study that was stopped"),
    ),
    "watch": (
        ("studies/digits-quick", "a page that grows with the study"),
        ("studies/digits-quick --terminal", "the same in this terminal"),
        ("runs/digits-mlp --no-open --port 8900", "a page for a browser elsewhere"),
    ),
    "explore": (
        ("digits", "what is in the training images"),
        ("path/to/images --json", "the same as one line of JSON"),
    ),
    "train": (
        ("digits mlp", "one recipe, into runs/digits-mlp"),
        ("digits wrn-aug --set epochs=6", "with another setting"),
        ("digits mlp --seeds 3", "with three seeds on one split"),
        ("digits wrn-aug --budget 5m --refit", "as large and long as five minutes allow"),
    ),
    "tune": (
        ("digits mlp --trials 6", "six trials, then a test of the gain"),
        ("digits wrn-aug --budget 10m", "as many as ten minutes allow"),
        ("digits mlp --trials 4 --seeds 0", "without the test of the gain"),
    ),
    "ensemble": (
        ("runs/digits-wrn", "average the snapshots of one run"),
        ("runs/digits-mlp runs/digits-wrn", "average the best weights of two runs"),
    ),
    "distill": (
        ("runs/digits-ensemble", "one network in place of an ensemble"),
        ("runs/digits-ensemble mlp", "a student of another recipe"),
    ),
    "evaluate": (
        ("runs/digits-mlp", "open the sealed test set, and enter that"),
        ("runs/digits-mlp --on val", "validation images: nothing is opened"),
    ),
    "classify": (
        ("cifar10 cat.png", "with the model that is included"),
        ("studies/digits-quick photos/", "with the winner of a study"),
        ("runs/digits-mlp photos/ --csv a.csv", "into a table"),
        ("runs/digits-mlp photos/ --sets 0.1", "the classes that it may be"),
    ),
    "show": (
        ("cifar10", "the model that is included"),
        ("studies/digits-quick --json", "the winner of a study, for programs"),
    ),
    "serve": (
        ("cifar10", "a page at http://127.0.0.1:8000"),
        ("studies/digits-quick --port 9000", "the winner of a study"),
    ),
    "explain": (
        ("studies/digits-quick/runs/mlp", "the errors of one rung"),
        ("runs/digits-mlp digits", "with images that lie elsewhere by now"),
    ),
    "compare": (
        ("runs/digits-mlp runs/digits-wrn", "two runs, image by image"),
        ("studies/digits-quick/runs/*", "all rungs of a study"),
    ),
    "export": (
        ("cifar10", "to ONNX, in one file"),
        ("runs/digits-mlp --to torch", "to a program of torch"),
    ),
    "report": (
        ("studies/digits-quick", "write its report.html anew"),
        ("runs/digits-mlp --out mlp.html", "the page of one run"),
    ),
    "runs": (
        ("", "all runs below this folder"),
        ("studies/digits-quick", "those of a study"),
    ),
    "track": (
        ("studies/digits-quick --to tensorboard", "tell TensorBoard of all its runs"),
        ("runs/digits-mlp --to mlflow --follow", "tell MLflow while it is trained"),
    ),
    "recipes": (
        ("", "all rungs with their questions"),
        ("wrn-aug", "one recipe as TOML"),
    ),
    "doctor": (
        ("", "what this machine can do"),
        ("--data-dir path/to/data", "where data sets are searched for"),
    ),
}
BEGIN: tuple[Example, ...] = (
    ("explore path/to/images", "what is understood of your pictures"),
    ("study path/to/images", "train, choose, test once, report"),
    ("classify cifar10 cat.png", "ask the model that is included"),
)
START = """smallvision {version}: from small images to a classifier you can defend.

To begin (digits in place of path/to/images takes images that are included):
{begin}

smallvision --help           all commands
smallvision COMMAND --help   the options of a command, and examples
"""


def write_epilog(name: str) -> str:
    r"""The examples of a command, as its help ends with them.

    A paragraph after `\b` keeps its lines.
    """
    spelt = [(f"smallvision {name} {rest}".rstrip(), what) for rest, what in EXAMPLES[name]]
    return "\b\nExamples:\n" + lay_out(spelt)


def write_start(version: str) -> str:
    """What `smallvision` alone prints: the commands that a newcomer wants, and where the rest is.

    Args:
        version: of the package.
    """
    spelt = [(f"smallvision {rest}", what) for rest, what in BEGIN]
    return START.format(version=version, begin=lay_out(spelt))


def lay_out(pairs: list[Example]) -> str:
    """Commands with what they do: beside them, or below where a line has no room for both."""
    width = max(len(command) for command, _ in pairs)
    room = max(len(what) for _, what in pairs)
    if 2 + width + 2 + room <= 78:
        return "\n".join(f"  {command:<{width}}  {what}" for command, what in pairs)
    return "\n".join(f"  {command}\n      {what}" for command, what in pairs)
