"""Where the tests put tensors: on the device that LOSSLANG_TEST_DEVICE names, or on the CPU.

``conftest.py`` makes it PyTorch's default, so that ``torch.tensor`` and its like need nothing. JAX puts arrays on
the first GPU that it finds (JAX_PLATFORMS=cpu forbids that).
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

DEVICE = os.environ.get("LOSSLANG_TEST_DEVICE", "cpu")


def on_host(value: Any) -> NDArray[Any]:
    """An array of any framework as NumPy's."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)
