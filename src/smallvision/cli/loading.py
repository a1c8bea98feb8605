"""The options of every command that reads images: how the source is to be understood.

A command takes `loading: Loading` and is decorated with `reads_images`; the command line then has
all of these options in its place.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from smallvision.cli.options import DataDir
from smallvision.errors import RecordError

if TYPE_CHECKING:
    from smallvision.data.dataset import DataSet


@dataclass(frozen=True)
class Loading:
    """How a command reads its images.

    Attributes:
        data_dir: the only folder that is searched for a named data set.
        options: arguments of `load_data` that were given, by name.
    """

    data_dir: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def load(self, data: str | None, begun: Path | None = None) -> DataSet:
        """Load the data set that a command works on.

        Args:
            data: what was named; None for what `begun` was made from, for the folder of `--train`,
                or, where nothing is resumed, for `digits`.
            begun: the folder of a study, a run or a search that is resumed, or None.

        Raises:
            UserError: it is unknown, missing or damaged, or there is nothing to resume.
        """
        from smallvision.data.loading.load import choose_source, load_data

        if data is None and begun is not None and "train" not in self.options:
            from smallvision.data.loading.origin import find_begun, load_again

            if (known := find_begun(begun)) is None:
                raise RecordError(
                    f"{begun} holds nothing to resume; to begin there, name the data set"
                )
            options = {"mirror_safe": known.mirror_safe, **self.options}
            return load_again(begun, known.name, known.origin, None, self.data_dir, options)
        source = choose_source(data, self.options.get("train"))
        return load_data(source, data_dir=self.data_dir, **self.options)

    def load_for(self, run: Path, data: str | None) -> DataSet | str | None:
        """The data set that a finished run was trained on, as the public functions take it.

        Args:
            run: a run or a study.
            data: what was named; None for what the run remembers.

        Raises:
            UserError: options were given, and it is unknown, missing or damaged.
        """
        if not self.options:
            return data
        from smallvision.data.loading.origin import load_again
        from smallvision.runs.finished_run import find_finished

        folder, status = find_finished(run)
        options = self.options
        return load_again(folder, status.data, status.origin, data, self.data_dir, options)

    def name(self, data: str | None) -> str:
        """What a data set will be called, before it is loaded."""
        from smallvision.data.loading.load import check_name, choose_source, name_data

        if (name := self.options.get("name")) is not None:
            return check_name(name)
        return name_data(choose_source(data, self.options.get("train")))


NOTHING_ASKED = Loading()


# The parameters of this function are the options; those of `load_data` have its names.
def _options(
    data_dir: DataDir = None,
    train: Annotated[
        Path | None,
        typer.Option(
            "--train",
            metavar="DIR",
            help="The folder of the training images, where their place does not tell it.",
            show_default=False,
        ),
    ] = None,
    val: Annotated[
        Path | None,
        typer.Option(
            "--val", metavar="DIR", help="The folder of validation images.", show_default=False
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(
            "--test", metavar="DIR", help="The folder of the test images.", show_default=False
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=8,
            max=224,
            help="Resize pictures to this many pixels a side, 8 to 224. Default: their own size "
            "where all have one, else chosen from the sizes found.",
            show_default=False,
        ),
    ] = None,
    fit: Annotated[
        Literal["crop", "pad", "stretch"] | None,
        typer.Option(
            help="What becomes of pictures of another shape: crop cuts the longer side, pad adds "
            "a border, stretch distorts.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="The configuration to read of a Parquet folder that has several.",
            show_default=False,
        ),
    ] = None,
    image_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The column of a table that holds images.", show_default=False
        ),
    ] = None,
    label_column: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="The column of a table that holds classes.", show_default=False
        ),
    ] = None,
    label_from: Annotated[
        str | None,
        typer.Option(
            metavar="PATTERN",
            help="Find the class in file names by a regular expression with one group, such as "
            r"'^(\w+)\.' for cat.0.png.",
            show_default=False,
        ),
    ] = None,
    group_by: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT",
            help="Keep pictures that belong together on one side of each split: folder, the name "
            "of a column, or a regular expression with one group for file names.",
            show_default=False,
        ),
    ] = None,
    min_per_class: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Leave out classes with fewer training images.",
            show_default=False,
        ),
    ] = None,
    suffixes: Annotated[
        list[str] | None,
        typer.Option(
            "--suffix",
            metavar="ENDING",
            help="Read files with this ending as pictures too, such as .dat, or * for any. Repeat "
            "it for more.",
            show_default=False,
        ),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Refuse a source with any unreadable picture, even a single one."
        ),
    ] = False,
    name: Annotated[
        str | None,
        typer.Option(
            "--name",
            metavar="NAME",
            help="What to call the data set. Default: its own name.",
            show_default=False,
        ),
    ] = None,
    mirror_safe: Annotated[
        bool | None,
        typer.Option(
            "--mirror/--no-mirror",
            help="Whether a mirror image has the same class, so that models may be trained on it. "
            "Default: yes, but for classes that are letters or grey digits.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """The options; see `reads_images`."""


OPTIONS = inspect.signature(_options, eval_str=True).parameters


def gather(values: Mapping[str, Any]) -> Loading:
    """What was asked for, of the values of all options."""
    flags = {"strict"}  # that can only be switched on
    given = {
        name: value
        for name, value in values.items()
        if value not in (None, [], ()) and not (name in flags and not value)
    }
    return Loading(given.pop("data_dir", None), given)


def reads_images(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of this file in place of its parameter `loading`."""
    own = inspect.signature(command, eval_str=True)
    parameters: list[inspect.Parameter] = []
    for parameter in own.parameters.values():
        parameters += OPTIONS.values() if parameter.name == "loading" else [parameter]

    @wraps(command)
    def with_options(**values: Any) -> None:
        asked = {name: values.pop(name) for name in OPTIONS}
        command(loading=gather(asked), **values)

    del with_options.__wrapped__
    kept = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    with_options.__signature__ = own.replace(parameters=kept)  # type: ignore[attr-defined]
    with_options.__annotations__ = {one.name: one.annotation for one in kept} | {"return": None}
    return with_options
