"""Golden values of the numerical building blocks, as small JSON files.

Each file names this script, the versions, the seed and what its fields mean
(``about``). Inputs are stored beside the results, so that a reader needs
neither a random number generator nor a recording. Numbers are written with
``repr``: they read back as the same f64. Shapes are row-major, channels first
where there are channels, features last.

    python golden.py --data-dir DIR --out ../data/golden [--only filter,welch]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is
read, for covariance matrices of real signals (EEG Motor Movement/Imagery
Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0).
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray
from pyriemann.classification import MDM
from pyriemann.geometry.distance import distance_riemann
from pyriemann.geometry.mean import mean_logeuclid, mean_riemann
from pyriemann.geometry.tangentspace import tangent_space
from scipy.linalg import eigh
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, tf2sos, welch
from scipy.special import softmax
from sklearn.covariance import ledoit_wolf, oas
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    balanced_accuracy_score,
    cohen_kappa_score,
    matthews_corrcoef,
)
from sklearn.preprocessing import StandardScaler

import metrics
from pseudo_online import (
    causal_bandpass,
    csp_features,
    csp_filters,
    logistic_gradient_norm,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SEED = 20240229
RATE_HZ = 160.0
WINDOW = 320
CHANNELS = ("Fc3", "Fc4", "C3", "Cz", "C4", "Cp3", "Cpz", "Cp4")


def generator(name: str) -> np.random.Generator:
    """A stream of its own for each file: writing one does not change another."""
    return np.random.default_rng([SEED, *name.encode()])


# Real covariance matrices


def real_windows(data_dir: Path) -> tuple[Floats, Ints]:
    """Filtered windows of S001R04, one per annotation, and their classes.

    Two seconds from 0.5 s after each annotation on, of eight sensorimotor
    channels filtered causally at 8-30 Hz; classes 0 rest, 1 left, 2 right.
    Samples are rounded to three decimals (nanovolts) to keep the files small.
    """
    raw = mne.io.read_raw_edf(
        data_dir / "S001" / "S001R04.edf", preload=True, verbose="ERROR"
    )
    names = [name.rstrip(".") for name in raw.ch_names]
    picks = [names.index(name) for name in CHANNELS]
    samples = raw.get_data(picks=picks, units="uV").astype(np.float32)
    filtered = causal_bandpass(samples, RATE_HZ)
    starts = [round((onset + 0.5) * RATE_HZ) for onset in raw.annotations.onset]
    windows = np.stack([filtered[:, s : s + WINDOW] for s in starts])
    labels = [("T0", "T1", "T2").index(code) for code in raw.annotations.description]
    return np.round(windows, 3), np.array(labels)


def eeg(data_dir: Path, channels: tuple[str, ...], run: str = "R04") -> Floats:
    """Channels of a run of S001 in microvolts, as recorded."""
    raw = mne.io.read_raw_edf(data_dir / f"S001/S001{run}.edf", preload=True, verbose="ERROR")
    names = [name.rstrip(".") for name in raw.ch_names]
    return raw.get_data(picks=[names.index(name) for name in channels], units="uV")


def scm(windows: Floats) -> Floats:
    """Covariance of ``(n, channels, samples)`` with the mean removed, ddof 0."""
    return np.stack([np.cov(window, ddof=0) for window in windows])


def shrunk(windows: Floats) -> tuple[Floats, Floats]:
    """Oracle-approximating shrinkage: covariances and the shrinkage of each."""
    pairs = [oas(window.T) for window in windows]
    return np.stack([c for c, _ in pairs]), np.array([float(rho) for _, rho in pairs])


# Files


def filter_file(_: Path) -> dict[str, Any]:
    rng = generator("filter")
    # Noise on an offset and a slow wave: a start from rest would ring audibly.
    k = np.arange(300)
    x = 10.0 * rng.standard_normal(300) + 250.0 + 20.0 * np.sin(2 * np.pi * k / 150)
    designs: list[dict[str, Any]] = []
    for rate in (160.0, 250.0, 128.0):
        designs.append(
            {"kind": "bandpass", "order": 4, "cutoff_hz": [8.0, 30.0], "rate_hz": rate}
        )
    designs += [
        {"kind": "lowpass", "order": 4, "cutoff_hz": [40.0], "rate_hz": 250.0},
        {"kind": "highpass", "order": 4, "cutoff_hz": [1.0], "rate_hz": 250.0},
        {"kind": "bandstop", "order": 2, "cutoff_hz": [48.0, 52.0], "rate_hz": 250.0},
    ]
    for design in designs:
        cutoff = design["cutoff_hz"]
        design["sos"] = butter(
            design["order"],
            cutoff if len(cutoff) == 2 else cutoff[0],
            btype=design["kind"],
            fs=design["rate_hz"],
            output="sos",
        )
    b, a = iirnotch(50.0, 30.0, fs=250.0)
    designs.append(
        {
            "kind": "notch",
            "centre_hz": 50.0,
            "q": 30.0,
            "rate_hz": 250.0,
            "b": b,
            "a": a,
            "sos": tf2sos(b, a),
        }
    )
    for design in designs:
        zi = sosfilt_zi(design["sos"])
        design["zi"] = zi
        design["output"] = sosfilt(design["sos"], x, zi=zi * x[0])[0]
    return {
        "about": "scipy.signal butter/iirnotch second-order sections (b0 b1 b2 a0 a1 a2), "
        "sosfilt_zi, and sosfilt of `input` started from zi * input[0].",
        "input": x,
        "designs": designs,
    }


def welch_file(_: Path) -> dict[str, Any]:
    rng = generator("welch")
    cases = []
    for rate, n_samples, segment, overlap in (
        (160.0, 320, 160, 80),
        (250.0, 500, 250, 125),
    ):
        t = np.arange(n_samples) / rate
        tones = np.stack([8.0 * np.sin(2 * np.pi * f * t) for f in (10.0, 12.5, 21.0)])
        offsets = np.array([[0.0], [30.0], [-5.0]])
        x = np.round(tones + offsets + 4.0 * rng.standard_normal((3, n_samples)), 6)
        frequencies, psd = welch(
            x,
            rate,
            window="hann",
            nperseg=segment,
            noverlap=overlap,
            detrend="constant",
            scaling="density",
        )
        cases.append(
            {
                "rate_hz": rate,
                "segment_samples": segment,
                "overlap_samples": overlap,
                "input": x,
                "frequencies_hz": frequencies,
                "psd": psd,
            }
        )
    return {
        "about": "scipy.signal.welch, periodic Hann, constant detrend per segment, one-sided "
        "density (uV^2/Hz for an input in uV), mean over segments; psd is (n_channels, n_bins).",
        "cases": cases,
    }


def riemann_file(data_dir: Path) -> dict[str, Any]:
    windows, _ = real_windows(data_dir)
    windows = windows[:12]
    oas_covs, shrinkage = shrunk(windows)
    mean = mean_riemann(oas_covs, tol=1e-12, maxiter=200)
    return {
        "about": "Twelve windows of S001R04, 8 channels x 320 samples at 160 Hz, 8-30 Hz; "
        "the samples of the first two are stored. scm: mean removed, divided by n_samples. "
        "oas: sklearn.covariance.oas. distances, riemannian_mean (pyriemann mean_riemann, tol "
        "1e-12), tangent_vectors (at that mean; upper triangle row by row, off-diagonal times "
        "sqrt 2) and log_euclidean_mean are of the oas matrices.",
        "channels": CHANNELS,
        "windows": windows[:2],
        "scm": scm(windows),
        "oas": oas_covs,
        "oas_shrinkage": shrinkage,
        "distances": np.array([distance_riemann(oas_covs, c) for c in oas_covs]).T,
        "riemannian_mean": mean,
        "tangent_vectors": tangent_space(oas_covs, mean),
        "log_euclidean_mean": mean_logeuclid(oas_covs),
    }


def csp_file(data_dir: Path) -> dict[str, Any]:
    windows, labels = real_windows(data_dir)
    covs, _ = shrunk(windows)
    cases = []
    for classes in ((1, 2), (0, 1, 2)):
        used = np.isin(labels, classes)
        filters = csp_filters(covs[used], labels[used])
        # An eigenvector's sign is arbitrary: the largest element is made positive.
        largest = np.take_along_axis(filters, np.abs(filters).argmax(1)[:, None], 1)
        filters = filters * np.sign(largest)
        eigenvalues = []
        for label in classes[:1] if len(classes) == 2 else classes:
            of_class = covs[labels == label].mean(axis=0)
            of_rest = covs[used & (labels != label)].mean(axis=0)
            eigenvalues.append(eigh(of_class, of_class + of_rest, eigvals_only=True))
        cases.append(
            {
                "classes": classes,
                "eigenvalues": eigenvalues,
                "filters": filters,
                "features": csp_features(covs, filters),
            }
        )
    return {
        "about": "Covariances (oas) of 30 windows of S001R04 with classes 0 rest, 1 left, 2 "
        "right. Each case uses the windows of its classes. scipy.linalg.eigh(C_c, C_c + C_rest), "
        "eigenvalues ascending: for two classes of the first class only, otherwise of each class. "
        "filters in rows, scaled to w'(C_c + C_rest)w = 1, largest element positive: for two "
        "classes the eigenvectors 0, 1, 2, -3, -2, -1; otherwise per class 0 and -1. features: "
        "log(diag(F C F')) of all 30 matrices.",
        "covariances": covs,
        "labels": labels,
        "cases": cases,
    }


def mdm_file(data_dir: Path) -> dict[str, Any]:
    windows, labels = real_windows(data_dir)
    covs, _ = shrunk(windows)
    train = np.arange(len(covs)) < 20
    mdm = MDM(metric="riemann").fit(covs[train], labels[train])
    distances = mdm.transform(covs[~train])
    return {
        "about": "pyriemann MDM: affine-invariant means (tol 1e-8, at most 50 iterations) of the "
        "train covariances, distances of the test covariances to them, posterior = "
        "softmax(-distance^2), class of the smallest distance.",
        "train_covariances": covs[train],
        "train_labels": labels[train],
        "test_covariances": covs[~train],
        "test_labels": labels[~train],
        "class_means": mdm.covmeans_,
        "distances": distances,
        "posteriors": softmax(-(distances**2), axis=1),
        "predicted": mdm.predict(covs[~train]),
    }


def labelled_features(name: str) -> tuple[Floats, Ints, Floats]:
    """Correlated features of unequal scale, three classes of unequal size, held-out points."""
    rng = generator(name)
    n_features = 6
    mixing = rng.standard_normal((n_features, n_features)) + 2.0 * np.eye(n_features)
    scales = np.array([0.1, 1.0, 5.0, 1.0, 20.0, 0.5])
    offsets = np.array([0.0, -3.0, 10.0, 0.0, 100.0, 1.0])
    means = 1.2 * rng.standard_normal((3, n_features))

    def draw(labels: Ints) -> Floats:
        noise = rng.standard_normal((len(labels), n_features)) @ mixing.T
        return np.round((noise + means[labels]) * scales + offsets, 6)

    labels = np.repeat([0, 1, 2], [28, 20, 14])
    labels = labels[rng.permutation(len(labels))]
    return draw(labels), labels, draw(np.repeat([0, 1, 2], 4))


def lda_file(_: Path) -> dict[str, Any]:
    features, labels, held_out = labelled_features("lda")
    cases = []
    for classes in ((0, 1, 2), (0, 1)):
        used = np.isin(labels, classes)
        lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
        lda.fit(features[used], labels[used])
        cases.append(
            {
                "classes": classes,
                "priors": lda.priors_,
                "means": lda.means_,
                "covariance": lda.covariance_,
                "coef": lda.coef_,
                "intercept": lda.intercept_,
                "proba": lda.predict_proba(held_out),
            }
        )
    return {
        "about": "sklearn LinearDiscriminantAnalysis(solver='lsqr', shrinkage='auto'). Each case "
        "is fitted on the rows of its classes; proba is of held_out. For two classes sklearn "
        "stores the difference (second minus first class) as one row of coef and intercept.",
        "features": features,
        "labels": labels,
        "held_out": held_out,
        "cases": cases,
    }


def logistic_file(_: Path) -> dict[str, Any]:
    features, labels, held_out = labelled_features("logistic")
    # Of one scale: the penalty is not invariant to it, and the optimum well conditioned.
    centre, scale = features.mean(axis=0), features.std(axis=0)
    features = np.round((features - centre) / scale, 6)
    held_out = np.round((held_out - centre) / scale, 6)
    model = LogisticRegression(C=1.0, solver="newton-cg", tol=1e-12, max_iter=10_000)
    model.fit(features, labels)
    used = labels < 2
    two = LogisticRegression(C=2.0, solver="newton-cg", tol=1e-12, max_iter=10_000)
    two.fit(features[used], labels[used])
    half = two.coef_[0] / 2.0, two.intercept_[0] / 2.0
    return {
        "about": "Softmax regression, 0.5 * sum(coef^2) + C * sum of losses, C = 1, intercept not "
        "penalised (its mean over classes is removed, which changes no probability): sklearn "
        "LogisticRegression. gradient_norm is the largest absolute element of the gradient that "
        "is left. The two-class case is the same softmax objective with two weight vectors on the "
        "rows of classes 0 and 1; its optimum is +-w/2 for sklearn's binary solution w at C = 2, "
        "which is how it was found (sklearn itself folds two classes into one vector).",
        "features": features,
        "labels": labels,
        "held_out": held_out,
        "cases": [
            {
                "classes": [0, 1, 2],
                "coef": model.coef_,
                "intercept": model.intercept_ - model.intercept_.mean(),
                "proba": model.predict_proba(held_out),
                "gradient_norm": logistic_gradient_norm(model, features, labels),
            },
            {
                "classes": [0, 1],
                "coef": np.stack([-half[0], half[0]]),
                "intercept": [-half[1], half[1]],
                "proba": two.predict_proba(held_out),
            },
        ],
    }


def ledoit_wolf_file(_: Path) -> dict[str, Any]:
    rng = generator("ledoit_wolf")
    features, _, _ = labelled_features("ledoit_wolf")
    inputs = {
        "correlated, 62 x 6": features,
        "fewer samples than features, 5 x 8": np.round(rng.standard_normal((5, 8)), 6),
        "nearly isotropic, 40 x 4": np.round(rng.standard_normal((40, 4)), 6),
        "one feature, 20 x 1": np.round(3.0 * rng.standard_normal((20, 1)) + 7.0, 6),
        "two samples, 2 x 3": np.round(rng.standard_normal((2, 3)), 6),
    }
    cases = []
    for name, x in inputs.items():
        covariance, shrinkage = ledoit_wolf(x)
        scaler = StandardScaler().fit(x)
        of_standardised, standardised_shrinkage = ledoit_wolf(scaler.transform(x))
        rescaled = scaler.scale_[:, None] * of_standardised * scaler.scale_[None, :]
        cases.append(
            {
                "name": name,
                "input": x,
                "shrinkage": float(shrinkage),
                "covariance": covariance,
                "standardised_shrinkage": float(standardised_shrinkage),
                "standardised_covariance": rescaled,
            }
        )
    return {
        "about": "sklearn.covariance.ledoit_wolf of `input` (n_samples, n_features), mean removed; "
        "standardised_*: of the features standardised with ddof 0, scaled back (D LW(Z) D), as "
        "LinearDiscriminantAnalysis(shrinkage='auto') takes it per class.",
        "cases": cases,
    }


def metric_file(_: Path) -> dict[str, Any]:
    rng = generator("metric")
    matrices: list[tuple[str, list[list[int]]]] = [
        ("empty", [[0, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ("perfect, two classes", [[10, 0], [0, 10]]),
        ("perfect, three unequal classes", [[500, 0, 0], [0, 30, 0], [0, 0, 7]]),
        ("all wrong, two classes", [[0, 10], [10, 0]]),
        ("cyclically wrong, three classes", [[0, 5, 0], [0, 0, 5], [5, 0, 0]]),
        ("chance, two classes", [[25, 25], [25, 25]]),
        ("chance, unequal classes", [[90, 30], [30, 10]]),
        ("one predicted class", [[40, 0, 0], [20, 0, 0], [20, 0, 0]]),
        ("one true class, all right", [[0, 0, 0], [0, 17, 0], [0, 0, 0]]),
        ("one true class, some wrong", [[0, 0, 0], [3, 12, 2], [0, 0, 0]]),
        ("one true class, all wrong", [[0, 0, 0], [17, 0, 0], [0, 0, 0]]),
        ("a class absent from the truth", [[40, 3, 2], [5, 20, 1], [0, 0, 0]]),
        ("a class never predicted", [[40, 3, 0], [5, 20, 0], [6, 4, 0]]),
        ("a class in neither", [[8, 2, 0], [1, 9, 0], [0, 0, 0]]),
        ("one window", [[1, 0], [0, 0]]),
        ("one wrong window", [[0, 1], [0, 0]]),
        ("large counts", [[3_000_000_000, 1_000_000], [2_000_000, 900_000_000]]),
    ]
    for n_classes in (2, 3, 3, 3, 4, 5):
        counts = rng.integers(0, 200, (n_classes, n_classes))
        counts += np.diag(rng.integers(0, 400, n_classes))
        matrices.append((f"seeded, {n_classes} classes", counts.tolist()))
    cases = []
    for name, rows in matrices:
        confusion = np.array(rows, dtype=np.int64)
        n_classes = len(rows)
        balanced = metrics.balanced_accuracy(confusion)
        accuracy = metrics.accuracy(confusion)
        case = {
            "name": name,
            "confusion": rows,
            "matthews": metrics.matthews(confusion),
            "nmcc": metrics.nmcc(confusion),
            "accuracy": accuracy,
            "balanced_accuracy": balanced,
            "kappa": metrics.kappa(confusion),
            "itr_bits_per_min": {
                "balanced_accuracy, 2 s": metrics.itr_bits_per_min(
                    balanced, n_classes, 2.0
                ),
                "balanced_accuracy, 0.1 s": metrics.itr_bits_per_min(
                    balanced, n_classes, 0.1
                ),
                "accuracy, 2 s": metrics.itr_bits_per_min(accuracy, n_classes, 2.0),
                "accuracy, 0.1 s": metrics.itr_bits_per_min(accuracy, n_classes, 0.1),
            },
        }
        check_against_sklearn(case)
        cases.append(case)
    rates = [
        {
            "p": p,
            "n_classes": n,
            "seconds": t,
            "itr_bits_per_min": metrics.itr_bits_per_min(p, n, t),
        }
        for p in (0.0, 0.2, 1 / 3, 0.34, 0.5, 0.500001, 0.75, 0.9, 0.999999, 1.0)
        for n in (2, 3, 4)
        for t in (2.0, 0.1)
    ]
    return {
        "about": "Scores of confusion matrices (rows true, columns predicted) after their "
        "formulas, equal to sklearn's matthews_corrcoef, balanced_accuracy_score and "
        "cohen_kappa_score (checked to 1e-12) wherever sklearn gives a number; a zero denominator "
        "gives 0 (matthews, kappa), and no windows give 0 (accuracies).",
        "cases": cases,
        "itr": rates,
    }


def check_against_sklearn(case: dict[str, Any]) -> None:
    """Compare with scikit-learn, where the matrix is small enough to be written out."""
    confusion = np.array(case["confusion"])
    total = int(confusion.sum())
    if not 0 < total < 1_000_000:
        return
    classes = np.arange(len(confusion))
    true = np.repeat(np.repeat(classes, len(classes)), confusion.ravel())
    predicted = np.repeat(np.tile(classes, len(classes)), confusion.ravel())
    with warnings.catch_warnings():
        # It warns where a score is undefined, and those cases are here on purpose.
        warnings.simplefilter("ignore")
        expected = {
            "matthews": matthews_corrcoef(true, predicted),
            "kappa": cohen_kappa_score(true, predicted),
        }
        if set(predicted) <= set(true):
            expected["balanced_accuracy"] = balanced_accuracy_score(true, predicted)
    for key, value in expected.items():
        if np.isfinite(value) and abs(value - case[key]) > 1e-12:
            raise AssertionError(
                f"{case['name']}: {key} {case[key]} but sklearn {value}"
            )


# Writing

FILES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "filter": filter_file,
    "welch": welch_file,
    "riemann": riemann_file,
    "csp": csp_file,
    "mdm": mdm_file,
    "lda": lda_file,
    "ledoit_wolf": ledoit_wolf_file,
    "logistic": logistic_file,
    "metric": metric_file,
}


def versions(*more: str) -> dict[str, str]:
    packages = ["numpy", "scipy", "scikit-learn", "pyriemann", "mne", *more]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": sys.version.split()[0], **found}


def plain(value: Any) -> Any:
    """NumPy's arrays and scalars as Python's."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    return value


def dumps(value: Any, indent: int = 0) -> str:
    """JSON with one vector, or one scalar field, a line."""
    pad = " " * (indent + 1)
    if isinstance(value, dict) and value:
        lines = [
            f"{pad}{json.dumps(k)}: {dumps(v, indent + 1)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(lines) + "\n" + " " * indent + "}"
    if isinstance(value, list) and any(isinstance(v, (list, dict)) for v in value):
        lines = [pad + dumps(v, indent + 1) for v in value]
        return "[\n" + ",\n".join(lines) + "\n" + " " * indent + "]"
    return json.dumps(value, allow_nan=False)


def run(
    script: str,
    about: str,
    files: dict[str, Callable[[Path], dict[str, Any]]],
    packages: tuple[str, ...] = (),
    seed: int | None = SEED,
) -> None:
    """The command line of every script here: writes the files, or those asked for."""
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(files))
    args = parser.parse_args()
    for name in args.only.split(","):
        document = {
            "script": f"tests/reference/{Path(script).name}",
            "versions": versions(*packages),
            "seed": seed,
            **files[name](args.data_dir),
        }
        path = args.out / f"{name}.json"
        path.write_text(dumps(plain(document)) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    run(__file__, __doc__, FILES)
