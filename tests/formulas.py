"""Keras 2's numbers for losses, metrics, updates and schedules, as `golden/make_keras2_formulas.py` recorded them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

FORMULAS: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "keras2_formulas.json").read_text())


def recorded_rows(kind: str) -> tuple[jax.Array, jax.Array]:
    """The recorded targets and predictions of one kind of targets."""
    y, p = FORMULAS["data"][kind]
    return jnp.asarray(y, jnp.int32 if kind == "classes" else jnp.float32), jnp.asarray(p, jnp.float32)
