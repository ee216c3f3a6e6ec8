"""Golden values of covariances, their geometry and classifiers on it, as JSON files.

As ``golden.py``, whose windows and helpers these are: eight channels of S001R04 at
8-30 Hz (EEG Motor Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0).

    python golden_geometry.py --data-dir DIR --out ../data/golden [--only geometry]

pyRiemann's means stop at 1e-8 by themselves; here they go on to 1e-12, so that what is
fitted from them is comparable beyond the ninth digit.
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from golden import run, Floats, Ints, generator, real_windows, shrunk
from pyriemann.classification import MDM, FgMDM, KNearestNeighbor, MeanField
from pyriemann.geometry import mean as means
from pyriemann.geometry.distance import distance
from pyriemann.geometry.geodesic import geodesic
from pyriemann.geometry.tangentspace import tangent_space, untangent_space
from pyriemann.estimation import Covariances
from pyriemann.optimization.grassmann import _get_rotation_manifold
from pyriemann.transfer import TLCenter, TLScale, encode_domains
from sklearn.covariance import shrunk_covariance

METRICS = {
    "affine_invariant": "riemann",
    "log_euclidean": "logeuclid",
    "wasserstein": "wasserstein",
    "euclidean": "euclid",
}
# Theirs for the Wasserstein mean is in the unit of the matrices, which are of order 100.
EXACT = {"riemann": 1e-12, "wasserstein": 1e-10}


def exact_means() -> None:
    """Lets every mean go on to 1e-12, wherever pyRiemann asks for one."""
    for name, tol in EXACT.items():
        exact = functools.partial(means.mean_functions[name], tol=tol, maxiter=1000)
        means.mean_functions[name] = exact
    means.mean_functions["power"] = functools.partial(means.mean_power, zeta=1e-13, maxiter=500)


def covariances_file(data_dir: Path) -> dict[str, Any]:
    windows, _ = real_windows(data_dir)
    windows = windows[[0, 3]]
    # An offset per channel: what is estimated may not depend on it.
    windows = np.round(windows + generator("covariances").normal(0, 20, (1, 8, 1)), 3)
    alpha = 0.15
    scm = Covariances("cov", ddof=0).transform(windows)
    return {
        "about": "Covariances of two windows (8 channels x 320 samples, an offset per channel "
        "added): pyRiemann's lwf (scikit-learn's ledoit_wolf) and sch, and scikit-learn's "
        "shrunk_covariance of the sample covariance (divided by n).",
        "windows": windows,
        "ledoit_wolf": Covariances("lwf").transform(windows),
        "schaefer_strimmer": Covariances("sch").transform(windows),
        "shrinkage": alpha,
        "shrunk": np.stack([shrunk_covariance(c, alpha) for c in scm]),
    }


def geometry_file(data_dir: Path) -> dict[str, Any]:
    windows, _ = real_windows(data_dir)
    covs, _ = shrunk(windows[:12])
    weights = np.round(generator("geometry").uniform(0.2, 2.0, len(covs)), 3)
    metrics: dict[str, Any] = {}
    for ours, theirs in METRICS.items():
        mean = means.gmean(covs, metric=theirs)
        vectors = tangent_space(covs[:4], mean, metric=theirs)
        metrics[ours] = {
            "distances": np.array([distance(covs, c, metric=theirs)[:, 0] for c in covs[:3]]),
            "mean": mean,
            "weighted_mean": means.gmean(covs, metric=theirs, sample_weight=weights),
            "geodesic": geodesic(covs[0], covs[1], 0.3, metric=theirs),
            "tangent_vectors": vectors,
            "half_way_back": untangent_space(0.5 * vectors, mean, metric=theirs),
        }
    powers = [-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0]
    return {
        "about": "Twelve oas covariances of S001R04. Per metric, pyRiemann: distances of all to "
        "the first three, mean (tol 1e-12), the same with weights, the point at 0.3 of the "
        "geodesic from the first to the second, tangent vectors of the first four at the mean "
        "(tangent_space) and the matrices of half of each (untangent_space). power_means: "
        "mean_power with the weights, one for each of powers.",
        "covariances": covs,
        "weights": weights,
        "metrics": metrics,
        "powers": powers,
        "power_means": [means.gmean(covs, p, metric="power", sample_weight=weights) for p in powers],
    }


def transfer_file(data_dir: Path) -> dict[str, Any]:
    windows, labels = real_windows(data_dir)
    covs, _ = shrunk(windows)
    rng = generator("transfer")
    day = np.where(np.arange(len(covs)) < 15, "first", "second")
    # The second day's electrodes sit elsewhere: its signals are mixed.
    mixing = np.eye(8) + 0.3 * rng.standard_normal((8, 8))
    covs = np.where((day == "second")[:, None, None], mixing @ covs @ mixing.T, covs)
    _, encoded = encode_domains(covs, labels, day)
    centred = TLCenter("second").fit_transform(covs, encoded)
    scale = TLScale("second", final_dispersion=1.0).fit(covs, encoded)
    class_means = {
        d: np.stack([means.gmean(centred[(day == d) & (labels == k)]) for k in range(3)])
        for d in ("first", "second")
    }
    pairs = class_means["first"], class_means["second"]
    rotations = {
        ours: _get_rotation_manifold(*pairs, metric=theirs)
        for ours, theirs in (("affine_invariant", "riemann"), ("euclidean", "euclid"))
    }
    return {
        "about": "30 oas covariances of S001R04; the second 15 are M C M' with a mixing M, as of "
        "another day. pyRiemann: recentred (TLCenter) of all, each day to its own mean; rescaled "
        "(TLScale, dispersion 1, around the mean) of the second day; class means of both days "
        "after recentring, and TLRotate's rotation from the first to the second.",
        "covariances": covs,
        "n_first": 15,
        "recentred": centred,
        "rescaled": scale.transform(covs[day == "second"]),
        "sources": pairs[0],
        "targets": pairs[1],
        "rotations": rotations,
    }


def classifier_file(data_dir: Path) -> dict[str, Any]:
    windows, labels = real_windows(data_dir)
    covs, _ = shrunk(windows)
    # In units of 10 uV: a Euclidean posterior in uV^2 is all zeros and ones.
    covs = covs / 100.0
    train = np.arange(len(covs)) < 20
    x, y, test = covs[train], labels[train], covs[~train]
    distances = {o: MDM(metric=t).fit(x, y).transform(test) for o, t in METRICS.items()}
    return {
        "about": "pyRiemann's classifiers (means to 1e-12) of 20 oas covariances of S001R04 over "
        "100, classes 0 rest, 1 left, 2 right, on the 10 that follow. mdm: distances to the class "
        "means in each metric. fgmdm: filtered covariances and posteriors, three classes and two "
        "(labels 1 and 2 alone). knn: posterior and vote of the 5 nearest. mean_field: distances "
        "to the field, summed and nearest.",
        "train_covariances": x,
        "train_labels": y,
        "test_covariances": test,
        "mdm": distances,
        "fgmdm": [fgmdm(x, y, test, m) for m in ("affine_invariant", "log_euclidean")],
        "fgmdm_of_two": fgmdm(x[y > 0], y[y > 0] - 1, test, "affine_invariant"),
        "knn": [knn(x, y, test, m) for m in METRICS],
        "mean_field": [
            mean_field(x, y, test, powers, how)
            for powers in ([-1.0, 0.0, 1.0], [-0.5, 0.25])
            for how in ("sum_means", "inf_means")
        ],
    }


def fgmdm(x: Floats, y: Ints, test: Floats, metric: str) -> dict[str, Any]:
    model = FgMDM(metric=METRICS[metric]).fit(x, y)
    return {
        "metric": metric,
        "filtered": model._fgda.transform(test)[:3],
        "distances": model.transform(test),
        "posteriors": model.predict_proba(test),
    }


def knn(x: Floats, y: Ints, test: Floats, metric: str) -> dict[str, Any]:
    model = KNearestNeighbor(n_neighbors=5, metric=METRICS[metric]).fit(x, y)
    return {
        "metric": metric,
        "posteriors": model.predict_proba(test),
        "predicted": model.predict(test),
    }


def mean_field(x: Floats, y: Ints, test: Floats, powers: list[float], how: str) -> dict[str, Any]:
    model = MeanField(power_list=powers, method_combination=how).fit(x, y)
    return {
        "powers": powers,
        "combination": how,
        "distances": model.transform(test),
        "posteriors": model.predict_proba(test),
    }


FILES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "covariances": covariances_file,
    "geometry": geometry_file,
    "geometry_classifiers": classifier_file,
    "transfer": transfer_file,
}


if __name__ == "__main__":
    warnings.filterwarnings("error", message="Convergence not reached")
    exact_means()
    run(__file__, __doc__, FILES)
