"""A model as a torch program, which plain torch runs without this package."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from smallvision.exporting.network import ServedNetwork
from smallvision.exporting.quiet import quiet
from smallvision.predict import SavedModel
from smallvision.records.schema import Layout

if TYPE_CHECKING:
    from torch.export import ExportedProgram

PROGRAM = "model.pt2"
ABOUT_FILE = "smallvision.json"  # inside the program
# What tracing notes of a node beside what it computes: lines of source, with paths of this machine.
TRACES = ("stack_trace", "nn_module_stack", "source_fn_stack")


def trace(model: SavedModel, layout: Layout) -> ExportedProgram:
    """The graph of a model for batches of any size N, without a trace of where it was made."""
    C, H, W = model.shape
    sides = (H, W, C) if layout == "nhwc" else (C, H, W)
    network = ServedNetwork(model, layout).eval()
    with quiet(), torch.no_grad():
        program = torch.export.export(
            network,
            (torch.zeros(2, *sides, dtype=torch.uint8),),
            dynamic_shapes=({0: torch.export.Dim("N")},),
        )
    for node in program.graph.nodes:
        for name in TRACES:
            node.meta.pop(name, None)
    return program


def write_program(program: ExportedProgram, about: str) -> bytes:
    """The content of a `.pt2` file.

    Args:
        program: of the model.
        about: the text of `smallvision.json` inside it.
    """
    buffer = io.BytesIO()
    with quiet():
        torch.export.save(program, buffer, extra_files={ABOUT_FILE: about})
    return buffer.getvalue()


class LoadedProgram:
    """A torch program, read from its bytes.

    Args:
        content: of the file.
    """

    def __init__(self, content: bytes) -> None:
        with quiet():
            self._module = torch.export.load(io.BytesIO(content)).module()

    @torch.inference_mode()
    def predict(self, images: Tensor) -> Tensor:
        """Probabilities `(N, K)` after one look at images in the layout of the program."""
        probabilities: Tensor = self._module(images)[0]
        return probabilities
