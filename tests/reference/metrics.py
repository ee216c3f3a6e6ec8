"""Scores of a confusion matrix, written from their formulas.

A confusion matrix ``C`` has the true class in its rows and the predicted class
in its columns; ``s`` is the sum of its elements, ``c`` its trace, ``t_k`` its
row sums and ``p_k`` its column sums.

Conventions where a formula has no value:

- Matthews correlation: a zero denominator gives 0, so nMCC gives 0.5.
- Cohen's kappa: agreement by chance of 1 gives 0.
- Balanced accuracy averages over the classes that are present in the truth;
  no class present (an empty matrix) gives 0.
- Information transfer rate: ``P = 1`` gives ``log2 N``, ``P <= 1/N`` gives 0.

Reference
---------
J. Gorodkin (2004), "Comparing two K-category assignments by a K-category
correlation coefficient", doi:10.1016/j.compbiolchem.2004.09.006.
J. Cohen (1960), "A coefficient of agreement for nominal scales",
doi:10.1177/001316446002000104.
J. R. Wolpaw et al. (2002), "Brain-computer interfaces for communication and
control", doi:10.1016/S1388-2457(02)00057-3.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def confusion_matrix(
    true: NDArray[np.int64], predicted: NDArray[np.int64], n_classes: int
) -> NDArray[np.int64]:
    """Count the pairs (true, predicted), shape ``(n_classes, n_classes)``."""
    confusion = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(confusion, (true, predicted), 1)
    return confusion


def matthews(confusion: NDArray[np.int64]) -> float:
    """Multi-class Matthews correlation coefficient, in [-1, 1]."""
    # Python's integers are exact: whether a denominator is zero is no matter of rounding.
    rows = [[int(v) for v in row] for row in confusion]
    true = [sum(row) for row in rows]
    predicted = [sum(column) for column in zip(*rows)]
    total = sum(true)
    trace = sum(rows[k][k] for k in range(len(rows)))
    covariance = trace * total - sum(p * t for p, t in zip(predicted, true))
    of_predicted = total**2 - sum(p * p for p in predicted)
    of_true = total**2 - sum(t * t for t in true)
    if of_predicted == 0 or of_true == 0:
        return 0.0
    return covariance / math.sqrt(of_predicted * of_true)


def nmcc(confusion: NDArray[np.int64]) -> float:
    """Normalised Matthews correlation: 0.5 is chance at any class balance."""
    return (matthews(confusion) + 1.0) / 2.0


def accuracy(confusion: NDArray[np.int64]) -> float:
    """Share of windows on the diagonal."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else 0.0


def balanced_accuracy(confusion: NDArray[np.int64]) -> float:
    """Mean recall over the classes that are present in the truth."""
    true = confusion.sum(axis=1)
    present = true > 0
    if not present.any():
        return 0.0
    return float(np.mean(np.diag(confusion)[present] / true[present]))


def kappa(confusion: NDArray[np.int64]) -> float:
    """Cohen's kappa, unweighted."""
    total = int(confusion.sum())
    by_chance = sum(
        int(t) * int(p) for t, p in zip(confusion.sum(axis=1), confusion.sum(axis=0))
    )
    if total * total == by_chance:
        return 0.0
    observed = int(np.trace(confusion)) * total
    return (observed - by_chance) / (total * total - by_chance)


def itr_bits_per_min(p: float, n_classes: int, seconds: float) -> float:
    """Wolpaw's information transfer rate of decisions ``seconds`` apart."""
    if p >= 1.0:
        bits = math.log2(n_classes)
    elif p <= 1.0 / n_classes:
        bits = 0.0
    else:
        wrong = (1.0 - p) / (n_classes - 1)
        bits = math.log2(n_classes) + p * math.log2(p) + (1.0 - p) * math.log2(wrong)
    return bits * 60.0 / seconds
