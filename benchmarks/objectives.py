"""The training objectives that ``speed.py`` measures."""

from __future__ import annotations

import objectives_dense as dense
import objectives_relations as relations
from objective import Objective


def objectives(scale: float = 1.0) -> list[Objective]:
    """All of them; ``scale`` shrinks the longest axes."""
    makers = (
        dense.focal, relations.clip, dense.distillation, dense.dice, relations.dpo, dense.elbo, dense.mixture,
        relations.classmates, relations.barlow, relations.ctc,
    )  # fmt: skip
    models = [dense.language_model(dtype, scale) for dtype in ("float32", "bfloat16")]
    return [*models, *(make(scale) for make in makers)]
