"""Golden values of the benchmark: folds, and comparisons of pipelines.

Written as ``golden.py`` writes its files, and read in the same way.

    python golden_benchmark.py --data-dir DIR --out ../data/golden [--only folds]

No recording is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from golden import run
from scipy.stats import combine_pvalues, norm, permutation_test, wilcoxon
from sklearn.model_selection import StratifiedKFold
from statsmodels.stats.multitest import multipletests

SEED = 20261130


def folds_file(_: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    cases = []
    for n_trials, n_classes, n_folds, seed in (
        (45, 2, 5, 42),
        (48, 4, 5, 42),
        (100, 3, 5, 0),
        (37, 2, 3, 7),
        (17, 5, 4, 4294967295),
        (700, 2, 10, 42),
    ):
        labels = rng.integers(0, n_classes, n_trials)
        splitter = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        tests = [test for _, test in splitter.split(np.zeros(n_trials), labels)]
        cases.append({"labels": labels, "n_folds": n_folds, "seed": seed, "tests": tests})
    return {
        "about": "The scored trials of every fold of scikit-learn's "
        "StratifiedKFold(n_folds, shuffle=True, random_state=seed).",
        "cases": cases,
    }


def one_tailed(differences: np.ndarray) -> float:
    found = permutation_test(
        (differences,),
        np.sum,
        permutation_type="samples",
        n_resamples=np.inf,
        alternative="greater",
    )
    return float(found.pvalue)


def compare_file(_: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    counted = [
        rng.normal(shift, 1.0, n).round(digits)
        for n, shift, digits in ((3, 0.5, 9), (8, 0.7, 1), (10, 0.0, 9), (13, 0.4, 1), (14, 0.3, 3))
    ]
    ranked = [
        rng.normal(shift, 1.0, n).round(digits)
        for n, shift, digits in ((21, 0.3, 9), (40, 0.2, 1), (109, -0.1, 2))
    ]
    p_values = rng.uniform(0.001, 0.6, 7)
    n_subjects = np.array([10, 9, 54, 3, 109, 14, 20])
    return {
        "about": "scipy.stats.permutation_test over all changes of sign, "
        "scipy.stats.wilcoxon(zero_method='wilcox', correction=False, method='approx'), both "
        "one-tailed; scipy.stats.combine_pvalues(method='stouffer', weights=sqrt(n)); "
        "statsmodels multipletests(method='holm'); mean over standard deviation, ddof 1; "
        "scipy.stats.norm.isf; a line by numpy.polyfit over log10.",
        "counted": [{"differences": d, "p": one_tailed(d)} for d in counted],
        "ranked": [
            {
                "differences": d,
                "p": wilcoxon(
                    d, alternative="greater", zero_method="wilcox", correction=False, method="approx"
                ).pvalue,
            }
            for d in ranked
        ],
        "effects": [d.mean() / d.std(ddof=1) for d in counted],
        "p_values": p_values,
        "n_subjects": n_subjects,
        "stouffer": combine_pvalues(p_values, method="stouffer", weights=np.sqrt(n_subjects))[1],
        "holm": multipletests(p_values, method="holm")[1],
        "quantiles": [[p, norm.isf(p)] for p in (1e-200, 1e-12, 0.001, 0.05, 0.3, 0.5, 0.8, 0.999)],
        "curve": curve(rng),
    }


def curve(rng: np.random.Generator) -> dict[str, Any]:
    amounts = np.array([5, 10, 20, 40, 80])
    scores = 0.5 + 0.1 * np.log10(amounts) + rng.normal(0, 0.02, (6, 5))
    slope, intercept = np.polyfit(np.tile(np.log10(amounts), 6), scores.ravel(), 1)
    return {"amounts": amounts, "scores": scores, "slope": slope, "intercept": intercept}


if __name__ == "__main__":
    run(
        __file__,
        __doc__,
        {"folds": folds_file, "compare": compare_file},
        ("numpy", "scipy", "scikit-learn", "statsmodels"),
        seed=SEED,
    )
