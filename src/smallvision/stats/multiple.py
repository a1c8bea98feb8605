"""Several tests at once: p-values corrected for how many were looked at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def holm(p_values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Adjust p-values so that the chance of any false alarm among them stays at the level.

    The smallest is multiplied by m, the next by m - 1 and so on, and none may end up below one
    that was smaller before. Uniformly more powerful than Bonferroni; assumes no independence.

    Args:
        p_values: m numbers in [0, 1].

    Returns: float64 `(m,)`, in the order given; compare each with the level itself.

    Source: Holm, Scand. J. Stat. 6 (1979) 65-70.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
