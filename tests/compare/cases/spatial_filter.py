"""Fitted spatial filters, as pyRiemann, MNE, MOABB, meegkit and scikit-learn compute them.

Classes are stretches of a recording: times depend on sizes alone, and stretches differ
enough for their filters to be well defined.
"""

from __future__ import annotations

from typing import Any

import mne
import numpy as np
from meegkit.trca import trca
from moabb.pipelines.classification import _build_sinusoidal_references, _cca_trial_scores
from moabb.pipelines.features import AugmentedDataset
from peers import Comparison, Data, case
from pyriemann.estimation import Covariances, XdawnCovariances
from pyriemann.spatialfilters import CSP, Xdawn
from scipy.linalg import qr, svdvals
from scipy.signal import butter, sosfilt
from sklearn.cross_decomposition import CCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import SelectKBest, mutual_info_classif

mne.set_log_level("ERROR")


def stretches(n: int, n_classes: int) -> Any:
    return np.arange(n) * n_classes // n


def in_turn(n: int, n_classes: int) -> Any:
    return np.arange(n) % n_classes


def positive(filters: Any) -> Any:
    """Rows with the element largest in magnitude positive: the sign is arbitrary."""
    largest = np.take_along_axis(filters, np.abs(filters).argmax(1)[:, None], 1)
    return filters * np.sign(largest)


@case("csp_fit/288x22ch-2classes")
def csp_fit(data: Data) -> Comparison:
    x, y = data.epochs(288, 22, 750), stretches(288, 2)
    covariances = Covariances("scm").transform(x)
    return Comparison(
        "csp_fit",
        [covariances, y],
        {
            "pyRiemann": lambda: CSP(nfilter=8).fit(covariances, y).filters_,
            "MNE, with covariances": lambda: mne.decoding.CSP(n_components=8).fit(x, y),
        },
        outputs=lambda filters: [positive(filters)],
    )


def wide_csp(data: Data, n_channels: int) -> Comparison:
    x = data.wide(n_channels, 40 * 400).reshape(n_channels, 40, 400).transpose(1, 0, 2)
    covariances = Covariances("oas").transform(x)
    y = stretches(40, 2)
    return Comparison(
        "csp_fit",
        [covariances, y],
        {"pyRiemann": lambda: CSP(nfilter=8).fit(covariances, y).filters_},
        outputs=lambda filters: [positive(filters)],
    )


@case("csp_fit/40x306ch-2classes")
def csp_fit_306(data: Data) -> Comparison:
    return wide_csp(data, 306)


@case("csp_fit/40x1024ch-2classes")
def csp_fit_1024(data: Data) -> Comparison:
    return wide_csp(data, 1024)


@case("csp_joint_fit/288x22ch-4classes")
def csp_joint_fit(data: Data) -> Comparison:
    x, y = data.epochs(288, 22, 750), stretches(288, 4)
    covariances = Covariances("scm").transform(x)
    return Comparison(
        "csp_joint_fit",
        [covariances, y],
        {"pyRiemann": lambda: CSP(nfilter=8).fit(covariances, y).filters_},
        outputs=lambda filters: [positive(filters)],
    )


@case(
    "filter_bank_csp_fit/288x22ch-750-9bands-4classes",
    tolerance=None,
    why="the peers joint-diagonalise and estimate information from nearest neighbours",
)
def filter_bank_csp_fit(data: Data) -> Comparison:
    x, y = data.epochs(288, 22, 750), in_turn(288, 4)
    bank = [butter(4, [f, f + 4], "bandpass", fs=250, output="sos") for f in range(4, 40, 4)]

    def choose(features: list[Any]) -> Any:
        stacked = np.concatenate(features, axis=1)
        chosen = SelectKBest(mutual_info_classif, k=12).fit_transform(stacked, y)
        return LinearDiscriminantAnalysis().fit(chosen, y)

    def with_mne() -> Any:
        bands = [sosfilt(sos, x, axis=-1) for sos in bank]
        return choose([mne.decoding.CSP(n_components=4).fit_transform(b, y) for b in bands])

    def with_pyriemann() -> Any:
        bands = [Covariances("scm").transform(sosfilt(sos, x, axis=-1)) for sos in bank]
        return choose([CSP(nfilter=4).fit_transform(b, y) for b in bands])

    return Comparison("filter_bank_csp_fit", [x, y], {"MNE": with_mne, "pyRiemann": with_pyriemann})


@case("xdawn_fit/480x16ch-200")
def xdawn_fit(data: Data) -> Comparison:
    x, y = data.epochs(480, 16, 200), in_turn(480, 2)
    return Comparison(
        "xdawn_fit",
        [x, y],
        {"pyRiemann": lambda: Xdawn(nfilter=4).fit(x, y).filters_},
        outputs=lambda filters: [positive(filters)],
    )


@case("xdawn_covariances/480x16ch-200")
def xdawn_covariances(data: Data) -> Comparison:
    x, y = data.epochs(480, 16, 200), in_turn(480, 2)
    model = XdawnCovariances(nfilter=4, estimator="oas").fit(x, y)
    signs = np.sign(positive(model.Xd_.filters_) / model.Xd_.filters_)[:, 0]
    signs = np.concatenate([signs, signs])
    return Comparison(
        "xdawn_covariances",
        [x, y],
        {"pyRiemann": lambda: model.transform(x)},
        outputs=lambda c: [signs[:, None] * c * signs[None, :]],
    )


@case("augmented_covariances/50x22ch-480-order4")
def augmented(data: Data) -> Comparison:
    return augmented_of(data.epochs(50, 22, 480))


@case("augmented_covariances/2x306ch-1000-order2")
def augmented_306(data: Data) -> Comparison:
    x = data.wide(306, 2000).reshape(306, 2, 1000).transpose(1, 0, 2)
    return augmented_of(x, order=2)


def augmented_of(x: Any, order: int = 4, lag: int = 8) -> Comparison:
    stack, estimate = AugmentedDataset(order=order, lag=lag), Covariances("oas")
    return Comparison(
        "augmented_covariances",
        [x, np.zeros(len(x))],
        {"MOABB, pyRiemann": lambda: estimate.transform(stack.transform(x))},
        args={"order": order, "lag": lag},
    )


@case("cca_scores/8ch-320-4frequencies")
def cca_scores(data: Data) -> Comparison:
    x = data.epochs(1, 8, 320)[0]
    frequencies = {k: f for k, f in enumerate((9.0, 11.0, 13.0, 15.0))}
    references = _build_sinusoidal_references(frequencies, 3, 319 / 160, 320)
    bases = {k: qr((r - r.mean(axis=1, keepdims=True)).T, mode="economic")[0] for k, r in references.items()}

    def exact() -> Any:
        span = qr((x - x.mean(axis=1, keepdims=True)).T, mode="economic")[0]
        return np.array([svdvals(span.T @ basis)[0] for basis in bases.values()])

    model = CCA(n_components=1)
    return Comparison(
        "cca_scores",
        [x, np.array(list(frequencies.values()))],
        {
            "SciPy, QR and SVD": exact,
            "MOABB": lambda: _cca_trial_scores(model, x, references, list(frequencies)),
        },
        args={"n_harmonics": 3, "rate_hz": 160.0},
    )


@case("trca_fit/60x8ch-320-3classes")
def trca_fit(data: Data) -> Comparison:
    x, y = data.epochs(60, 8, 320), in_turn(60, 3)
    of_class = [x[y == k].transpose(2, 1, 0) for k in range(3)]
    return Comparison(
        "trca_fit",
        [x, y],
        # meegkit centres what it is given in place, which changes its next result.
        {"meegkit": lambda: np.array([trca(windows.copy()) for windows in of_class])},
        outputs=lambda filters: [positive(filters.real)],
    )


@case("trca_scores/60x8ch-320-3classes")
def trca_scores(data: Data) -> Comparison:
    x, y = data.epochs(60, 8, 320), in_turn(60, 3)
    of_class = [x[y == k] for k in range(3)]
    filters = [trca(w.transpose(2, 1, 0).copy()).real for w in of_class]
    w = positive(np.array(filters)).T
    templates = [windows.mean(axis=0) for windows in of_class]

    def scores() -> Any:
        """As meegkit's ``TRCA.predict`` with an ensemble and one band."""
        found = np.zeros((len(x), 3))
        for i, window in enumerate(x):
            for k, template in enumerate(templates):
                r = np.corrcoef((window.T @ w).flatten(), (template.T @ w).flatten())
                found[i, k] = 1.25 * r[0, 1]
        return found

    return Comparison("trca_scores", [x, y], {"meegkit": scores})
