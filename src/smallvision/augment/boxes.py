"""Boxes on images, one each, as masks."""

from __future__ import annotations

import torch
from torch import Tensor


def cover_boxes(
    top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: torch.Size
) -> Tensor:
    """Mark the pixels inside each image's box; what hangs over the border is cut off.

    Args:
        top, left: the box's first row and column, int64 `(N,)`, negative above and left of it.
        height, width: its sides in pixels, int64 `(N,)`; 0 marks nothing.
        size: `(H, W)`.

    Returns: bool `(N, 1, H, W)`.
    """
    rows, columns = (torch.arange(side, device=top.device) for side in size)
    in_rows = (rows >= top.unsqueeze(1)) & (rows < (top + height).unsqueeze(1))
    in_columns = (columns >= left.unsqueeze(1)) & (columns < (left + width).unsqueeze(1))
    return (in_rows.unsqueeze(2) & in_columns.unsqueeze(1)).unsqueeze(1)
