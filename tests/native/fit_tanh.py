"""Finds the coefficients of tanh in native/vectors.h: x P(x x) / Q(x x), with the least relative error on [-9, 9].

Run by hand, with mpmath: python tests/native/fit_tanh.py. Multiplied by Q, the fraction is linear in its coefficients;
so least squares find it, weighted by the last Q, and more where the last error was large (Lawson's method).
"""

from __future__ import annotations

from typing import Any

import numpy as np

REACH, POINTS, DEGREE, ROUNDS = 9.0, 400, 4, 60


def main() -> None:
    """Prints the coefficients, lowest power first, and the largest relative error."""
    import mpmath

    mpmath.mp.dps = 40
    x = [REACH * (1 - mpmath.cos(mpmath.pi * (i + 0.5) / POINTS)) / 2 for i in range(POINTS)]
    y = np.array([float((value / REACH) ** 2) for value in x])
    target = np.array([float(mpmath.tanh(value) / value) for value in x])
    error, above, below = fit(y, target)
    powers = REACH ** (-2.0 * np.arange(DEGREE + 1))
    print("P:", *(f"{value:.16g}" for value in above * powers))
    print("Q:", *(f"{value:.16g}" for value in below * powers))
    print(f"largest relative error: {error:.2g}")


def fit(y: Any, target: Any) -> tuple[float, Any, Any]:
    """Returns the least of the largest relative errors found, and both polynomials in y."""
    powers = y[:, None] ** np.arange(DEGREE + 1)
    weights, last = np.full(len(y), 1 / len(y)), np.ones(len(y))
    best: tuple[float, Any, Any] = (np.inf, None, None)
    for _ in range(ROUNDS):
        scale = np.sqrt(weights) / (target * last)
        columns = np.hstack([powers, -target[:, None] * powers[:, 1:]]) * scale[:, None]
        sizes = np.linalg.norm(columns, axis=0)
        found = np.linalg.lstsq(columns / sizes, target * scale, rcond=None)[0] / sizes
        above, below = found[: DEGREE + 1], np.append(1.0, found[DEGREE + 1 :])
        last = powers @ below
        errors = np.abs(powers @ above / last / target - 1)
        best = min(best, (errors.max(), above, below), key=lambda fit: fit[0])
        weights = weights * (errors / errors.max() + 1e-3)
        weights /= weights.sum()
    return best


if __name__ == "__main__":
    main()
