"""Masks of boxes, one box per image."""

from __future__ import annotations

import torch
from torch import Tensor


def mask_boxes(
    top: Tensor, left: Tensor, height: Tensor, width: Tensor, size: torch.Size
) -> Tensor:
    """Mask the pixels inside each image's box; a box may reach over the border of the image.

    Args:
        top, left: first row and column of the box, int64 `(N,)`; negative outside the image.
        height, width: of the box in pixels, int64 `(N,)`; 0 for an empty mask.
        size: `(H, W)`.

    Returns: bool `(N, 1, H, W)`, true inside the box.
    """
    rows, columns = (torch.arange(side, device=top.device) for side in size)
    in_rows = (rows >= top.unsqueeze(1)) & (rows < (top + height).unsqueeze(1))
    in_columns = (columns >= left.unsqueeze(1)) & (columns < (left + width).unsqueeze(1))
    return (in_rows.unsqueeze(2) & in_columns.unsqueeze(1)).unsqueeze(1)
