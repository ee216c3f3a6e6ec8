"""Golden values of the confound check: variables of trials, regression, scores.

Inputs are stored beside the results: ten seconds of six channels of EEGMMIDB
(doi:10.13026/C28G6P, ODC-By 1.0) rounded to 0.01 microvolts, and vectors drawn from the
seed. Scores come from scikit-learn: decision values of a shrinkage discriminant, cross-fitted
within the training side of each fold, and residualised by ``LinearRegression``.

    python golden_confounds.py --data-dir DIR --out ../data/golden

``DIR`` holds EEGMMIDB as PhysioNet lays it out; ``S001/S001R04.edf`` is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from scipy.signal import butter, sosfiltfilt
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold

from golden import Floats, eeg, run

SEED = 20261201
RATE_HZ = 160.0
CHANNELS = ("Fp1", "Fpz", "F7", "F8", "T7", "Cz")
SPANS = ((160, 640), (700, 1100), (1120, 1600))


def band(low: float | None, high: float | None) -> Floats:
    """A Butterworth prototype of order 4."""
    if low is None:
        return butter(4, high, "lowpass", fs=RATE_HZ, output="sos")
    if high is None:
        return butter(4, low, "highpass", fs=RATE_HZ, output="sos")
    return butter(4, (low, high), "bandpass", fs=RATE_HZ, output="sos")


def variables(x: Floats) -> dict[str, list[float]]:
    """A value per span of each variable."""
    at = {name: k for k, name in enumerate(CHANNELS)}

    def of(names: tuple[str, ...], sos: Floats) -> Floats:
        return sosfiltfilt(sos, x[[at[name] for name in names]], axis=-1)

    eyes = of(("Fp1", "Fpz"), band(1.0, 6.0))
    muscles = of(("F7", "F8", "T7"), band(30.0, 45.0))
    everything = of(CHANNELS, band(1.0, None))
    gaze = sosfiltfilt(band(None, 5.0), x[at["F7"]] - x[at["F8"]])
    found: dict[str, list[float]] = {
        "eye_amplitude": [],
        "gaze": [],
        "muscle_power": [],
        "peak_to_peak": [],
    }
    for start, end in SPANS:
        found["eye_amplitude"].append(np.log(eyes[:, start:end].std(axis=-1)).mean())
        found["gaze"].append(gaze[start:end].mean() - gaze[start - 80 : start].mean())
        found["muscle_power"].append(np.log(muscles[:, start:end].var(axis=-1)).mean())
        found["peak_to_peak"].append(np.log(np.ptp(everything[:, start:end], axis=-1).max()))
    return found


def regression(rng: np.random.Generator) -> dict[str, Any]:
    """Regressors of which one repeats two others, outputs, and what is left of new ones."""
    x = rng.normal(size=(30, 4)) * (1.0, 50.0, 0.01, 1.0) + (0.0, 300.0, 5.0, 0.0)
    x[:, 3] = x[:, 0] + 2.0 * x[:, 1]
    y = np.column_stack((x[:, 0] + rng.normal(size=30), rng.normal(size=30)))
    new_x = x[:5] + 1.0
    new_x[:, 3] = new_x[:, 0] + 2.0 * new_x[:, 1]
    new_y = rng.normal(size=(5, 2))
    model = LinearRegression().fit(x, y)
    left = new_y - (model.predict(new_x) - y.mean(axis=0))
    r_squared = [LinearRegression().fit(x, y[:, j]).score(x, y[:, j]) for j in (0, 1)]
    reached = np.zeros(2)
    n_draws = 20_000
    for j in (0, 1):
        for _ in range(n_draws):
            drawn = rng.permutation(y[:, j])
            reached[j] += LinearRegression().fit(x, drawn).score(x, drawn) >= r_squared[j]
    return {
        "x": x.tolist(),
        "y": y.tolist(),
        "new_x": new_x.tolist(),
        "new_y": new_y.tolist(),
        "left": left.tolist(),
        "r_squared": r_squared,
        "p_of_20000": ((1 + reached) / (1 + n_draws)).tolist(),
    }


def discriminant() -> LinearDiscriminantAnalysis:
    """As ``logvar+lda`` has it."""
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def outputs(model: LinearDiscriminantAnalysis, x: Floats) -> Floats:
    """Logarithms of posteriors, and the logarithm of the odds of two classes last."""
    p = model.predict_proba(x)
    odds = np.log(p[:, 1]) - np.log(p[:, 0]) if p.shape[1] == 2 else np.zeros(len(x))
    return np.column_stack((np.log(np.maximum(p, 1e-6)), odds))


def parts(y: Floats) -> Floats:
    """The trials of each class, dealt to three parts in turn."""
    part = np.empty(len(y), dtype=int)
    for label in np.unique(y):
        of = np.flatnonzero(y == label)
        part[of] = np.arange(len(of)) % 3
    return part


def scores(rng: np.random.Generator, n_classes: int) -> dict[str, Any]:
    """Score, score without what the variables explain, and theirs alone."""
    n = 60
    y = np.arange(n) % n_classes
    variable = np.column_stack((y + rng.normal(size=n), rng.normal(size=n)))
    x = rng.normal(size=(n, 6))
    x[:, 0] += 1.5 * variable[:, 0]
    x[:, 1] += 0.8 * (y == 1)
    folds = [f.tolist() for _, f in StratifiedKFold(5, shuffle=True, random_state=42).split(x, y)]
    found: dict[str, list[float]] = {"score": [], "without": [], "alone": []}
    for test in folds:
        train = np.setdiff1d(np.arange(n), test)

        def scored(out: Floats) -> float:
            if n_classes == 2:
                return roc_auc_score(y[test], out[:, -1])
            return accuracy_score(y[test], out[:, :-1].argmax(axis=1))

        out = outputs(discriminant().fit(x[train], y[train]), x[test])
        found["score"].append(scored(out))
        crossed = np.empty((len(train), out.shape[1]))
        part = parts(y[train])
        for k in range(3):
            model = discriminant().fit(x[train][part != k], y[train][part != k])
            crossed[part == k] = outputs(model, x[train][part == k])
        model = LinearRegression().fit(variable[train], crossed)
        explained = model.predict(variable[test]) - crossed.mean(axis=0)
        found["without"].append(scored(out - explained))
        alone = LinearDiscriminantAnalysis(solver="svd").fit(variable[train], y[train])
        found["alone"].append(scored(outputs(alone, variable[test])))
    return {
        "n_classes": n_classes,
        "x": x.tolist(),
        "y": y.tolist(),
        "variables": variable.tolist(),
        "folds": folds,
        **{name: float(np.mean(values)) for name, values in found.items()},
    }


def confounds(data_dir: Path) -> dict[str, Any]:
    """All of it."""
    rng = np.random.default_rng(SEED)
    x = np.round(eeg(data_dir, CHANNELS)[:, 1600 : 1600 + 1600], 2).astype(np.float32)
    return {
        "about": f"variables of trials, regression and residualised scores; seed {SEED}",
        "rate_hz": RATE_HZ,
        "channels": CHANNELS,
        "signal": np.round(x.astype(float), 2).tolist(),
        "spans": SPANS,
        "variables": variables(x.astype(np.float64)),
        "regression": regression(rng),
        "scores": [scores(rng, 2), scores(rng, 3)],
    }


if __name__ == "__main__":
    run(
        __file__,
        __doc__,
        {"confounds": confounds},
        ("numpy", "scipy", "scikit-learn", "mne"),
        seed=SEED,
    )
