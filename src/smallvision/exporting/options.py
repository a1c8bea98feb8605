"""What an export is asked for, and what must be installed for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import get_args

from smallvision.errors import SettingError, check_importable, nearest
from smallvision.records.schema import ExportTarget, Layout, WeightType

MOST_LICENCE = 1_000
NEEDED = ("onnx", "onnxruntime", "onnxscript")
# As the Hub names a repository: an account and a name.
REPOSITORY = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}", re.ASCII)


@dataclass(frozen=True)
class ExportOptions:
    """How a model is exported.

    Attributes:
        target: `onnx`, `torch` or `hub`.
        layout: order of the dimensions of the input, `nhwc` or `nchw`.
        weights: type that the weights are stored as, `fp32`, `fp16` or `int8`.
        tolerance: accuracy on validation that `fp16` and `int8` may lose, a fraction.
        licence: under which the model is passed on.
        push: the repository of the Hub that the folder is sent to, or None.
    """

    target: ExportTarget = "onnx"
    layout: Layout = "nhwc"
    weights: WeightType = "fp32"
    tolerance: float = 0.005
    licence: str = ""
    push: str | None = None

    def __post_init__(self) -> None:
        for name, value, kind in (
            ("target", self.target, ExportTarget),
            ("layout", self.layout, Layout),
            ("type of weights", self.weights, WeightType),
        ):
            known = get_args(kind)
            if value not in known:
                raise SettingError(f"there is no {name} '{value}'{nearest(str(value), known)}")
        if not 0 <= self.tolerance <= 1:
            raise SettingError(f"tolerance is {self.tolerance}; expected a fraction, such as 0.005")
        if self.target == "torch" and self.weights != "fp32":
            raise SettingError(
                f"{self.weights} is made for ONNX, and a torch program keeps its float32; leave "
                "one of the two out"
            )
        if len(self.licence) > MOST_LICENCE:
            raise SettingError(
                f"the licence has {len(self.licence):,} characters; name it, or where its text is, "
                f"in at most {MOST_LICENCE:,}"
            )
        if self.push is not None:
            self._check_push(self.push)

    def _check_push(self, repository: str) -> None:
        if self.target != "hub":
            raise SettingError("only what is made for the Hub can be pushed; add --to hub")
        if not REPOSITORY.fullmatch(repository):
            raise SettingError(
                f"'{repository}' is no repository of the Hub; expected ACCOUNT/NAME, of letters, "
                "digits, '.', '_' and '-'"
            )

    def check_installed(self) -> None:
        """Leave before any work where a library is missing.

        Raises:
            SettingError: one is.
        """
        if self.target != "torch":
            check_importable(NEEDED, "an ONNX file", "export")
        if self.push is not None:
            check_importable(("huggingface_hub",), "--push", "hub")
