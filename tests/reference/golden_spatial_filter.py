"""Golden values of the spatial filters that are fitted to windows, on real recordings.

    python golden_spatial_filter.py --data-dir DIR --out ../data/golden [--only erp,ssvep]

``DIR`` holds

- ``erp_muse_lsl/visual/P300`` of NeuroTechX' eeg-notebooks (BSD-3): a visual P300
  experiment with a Muse headband;
- ``ssvep_exoskeleton`` (Kalunga et al. 2016, doi:10.1016/j.neucom.2016.01.007, CC0):
  flicker at 13, 17 and 21 Hz over eight occipital channels;
- EEGMMIDB as PhysioNet lays it out, in ``eegmmidb`` (doi:10.13026/C28G6P, ODC-By 1.0).

Inputs are rounded and stored beside the results. The sign of an eigenvector is
arbitrary: here its element largest in magnitude is positive.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pandas as pd
from meegkit.trca import trca
from moabb.pipelines import SSVEP_CCA
from moabb.pipelines.csp import TRCSP
from moabb.pipelines.features import AugmentedDataset
from pyriemann.estimation import Covariances, ERPCovariances, XdawnCovariances
from pyriemann.geometry.covariance import covariances_EP
from pyriemann.spatialfilters import CSP, SPoC, Xdawn
from scipy.linalg import eigh, qr, svdvals
from scipy.signal import butter, sosfilt
from scipy.stats import entropy, norm
from sklearn.covariance import empirical_covariance, oas, shrunk_covariance
from sklearn.cross_decomposition import CCA

import golden
from golden import Floats, Ints

SEED = 0


def positive(rows: Floats) -> Floats:
    """Rows with the element largest in magnitude positive."""
    largest = np.take_along_axis(rows, np.abs(rows).argmax(-1)[..., None], -1)
    return rows * np.sign(largest)


# Event-related responses

ESTIMATORS = {"scm": "scm", "oas": "oas", "lwf": "ledoit_wolf", "sch": "schaefer_strimmer"}


def erp_windows(data_dir: Path) -> tuple[Floats, Ints]:
    """Responses of one run: causally 1-20 Hz, every sixth sample of 0.1-0.8 s."""
    folder = data_dir / "erp_muse_lsl/visual/P300/subject1/session1"
    table = pd.read_csv(sorted(folder.glob("*.csv.gz"))[0])
    samples = table[["TP9", "AF7", "AF8", "TP10"]].to_numpy().T
    sos = butter(4, [1.0, 20.0], "bandpass", fs=256.0, output="sos")
    filtered = sosfilt(sos, samples - samples[:, :1])
    marker = table["Marker"].to_numpy()
    at = np.flatnonzero(marker)
    at = at[(at > 1024) & (at < samples.shape[1] - 256)]
    chosen = np.concatenate([at[marker[at] == 2][:9], at[marker[at] == 1][:15]])
    windows = np.stack([filtered[:, s + 26 : s + 206 : 6] for s in np.sort(chosen)])
    return np.round(windows, 3), (marker[np.sort(chosen)] == 2).astype(np.int64)


def erp_file(data_dir: Path) -> dict[str, Any]:
    windows, labels = erp_windows(data_dir)
    filters, covariances = [], []
    for estimator in ESTIMATORS:
        model = Xdawn(nfilter=3, estimator=estimator).fit(windows, labels)
        signs = np.sign(positive(model.filters_) / model.filters_)[:, :1]
        filters.append(
            {
                "estimator": ESTIMATORS[estimator],
                "filters": signs * model.filters_,
                "patterns": signs * model.patterns_,
                "evoked": signs * model.evokeds_,
                "filtered": signs * model.transform(windows[:1])[0],
            }
        )
    probe = windows[[0, 7, 20]]

    def case(kind: str, estimator: str, above: Floats, moving: Floats, **more: Any) -> None:
        matrices = covariances_EP(moving, above, estimator=estimator)
        covariances.append(
            {"prototypes": kind, "estimator": ESTIMATORS[estimator], "covariances": matrices, **more}
        )

    for estimator in ("scm", "oas", "sch"):
        means = ERPCovariances(estimator=estimator).fit(windows, labels)
        case("means", estimator, means.P_, probe)
        above = []
        for label in (0, 1):
            mean = windows[labels == label].mean(axis=0)
            axes = positive(np.linalg.svd(mean)[0][:, :2].T)
            above.append(axes @ mean)
        theirs = ERPCovariances(estimator=estimator, svd=2).fit(windows, labels).P_
        assert np.allclose(np.abs(theirs), np.abs(np.concatenate(above)))
        case("svd", estimator, np.concatenate(above), probe)
        for apply in (True, False):
            model = XdawnCovariances(
                nfilter=2, applyfilters=apply, estimator=estimator, xdawn_estimator="oas", classes=[1]
            ).fit(windows, labels)
            signed = positive(model.Xd_.filters_)
            evoked = signed @ windows[labels == 1].mean(axis=0)
            assert np.allclose(np.abs(evoked), np.abs(model.P_))
            moving = signed @ probe if apply else probe
            case("xdawn" if apply else "xdawn_above", estimator, evoked, moving)
    return {
        "about": "A Muse P300 run, 24 windows of 4 channels x 30 samples, labels 1 target. xdawn: "
        "pyriemann Xdawn(nfilter=3). erp: of windows 0, 7 and 20, pyriemann ERPCovariances (means, "
        "svd=2) and XdawnCovariances(nfilter=2, classes=[1], xdawn_estimator='oas') with and "
        "without applyfilters; rows from eigenvectors and singular vectors have signs such that "
        "the vector's largest element is positive.",
        "windows": windows,
        "labels": labels,
        "xdawn": filters,
        "erp": covariances,
    }


# Frequency-coded responses

FREQUENCIES_HZ = (13.0, 17.0, 21.0)
SSVEP_RATE_HZ = 128.0
BANDS_HZ = ((8.0, 50.0), (20.0, 50.0))
N_HARMONICS = 2


def ssvep_windows(data_dir: Path) -> tuple[Floats, Ints]:
    """``(n_bands, n_windows, 8, 96)``, causally filtered, every second sample of 256 Hz,
    0.75 s from two seconds after the start of each flicker on; four windows a class."""
    folder = data_dir / "ssvep_exoskeleton/subject01"
    path = sorted(folder.glob("*_raw.fif"))[1]
    raw = mne.io.read_raw_fif(path, preload=True, verbose="ERROR")
    events = mne.read_events(str(path).replace("_raw.fif", "-eve.fif"), verbose="ERROR")
    events = events[np.argsort(events[:, 0])]
    samples = raw.get_data(picks="eeg") * 1e6
    chosen = [e for k in (2, 4, 3) for e in events[events[:, 2] == k][:4]]
    chosen.sort(key=lambda e: e[0])
    labels = [(2, 4, 3).index(e[2]) for e in chosen]
    bands = []
    for band in BANDS_HZ:
        sos = butter(4, band, "bandpass", fs=256.0, output="sos")
        filtered = sosfilt(sos, samples - samples[:, :1])
        starts = [e[0] - raw.first_samp + 512 for e in chosen]
        bands.append([filtered[:, s : s + 192 : 2] for s in starts])
    return np.round(np.array(bands), 3), np.array(labels)


def references(frequency_hz: float, n_samples: int) -> Floats:
    t = np.arange(n_samples) / SSVEP_RATE_HZ
    angles = [2 * np.pi * h * frequency_hz * t for h in range(1, N_HARMONICS + 1)]
    return np.array([f(angle) for angle in angles for f in (np.sin, np.cos)])


def canonical_correlation(x: Floats, y: Floats) -> float:
    """The largest one, of rows: from the angles between their spans (Bjorck, Golub 1973)."""
    spans = [qr((z - z.mean(axis=1, keepdims=True)).T, mode="economic")[0] for z in (x, y)]
    return float(svdvals(spans[0].T @ spans[1])[0])


def trca_part(bands: Floats, labels: Ints) -> dict[str, Any]:
    """Filters by meegkit's trca of each band and class, fitted to the first nine windows;
    scores of the others as its ``TRCA.predict`` computes them."""
    n_train = 9
    n_bands, n_windows, n_channels, n_samples = bands.shape
    weights = np.zeros((n_bands, 3, n_channels))
    templates = np.zeros((n_bands, 3, n_channels, n_samples))
    for b, k in np.ndindex(n_bands, 3):
        train = bands[b, :n_train][labels[:n_train] == k]
        # meegkit centres its argument in place.
        weights[b, k] = positive(trca(train.transpose(2, 1, 0).copy()).real)
        templates[b, k] = train.mean(axis=0)
    weight = [n ** (-1.25) + 0.25 for n in range(1, n_bands + 1)]
    scores: dict[str, Any] = {"each": [], "ensemble": []}
    for i in range(n_train, n_windows):
        for kind in scores:
            r = np.zeros((n_bands, 3))
            for b, k in np.ndindex(n_bands, 3):
                w = weights[b].T if kind == "ensemble" else weights[b, k]
                mine, theirs = (bands[b, i].T @ w).ravel(), (templates[b, k].T @ w).ravel()
                r[b, k] = np.corrcoef(mine, theirs)[0, 1]
            scores[kind].append(np.dot(weight, r))
    return {"n_train": n_train, "weights": weights, "scores": scores}


def ssvep_file(data_dir: Path) -> dict[str, Any]:
    bands, labels = ssvep_windows(data_dir)
    n_samples = bands.shape[-1]
    exact = np.array(
        [
            [[canonical_correlation(w, references(f, n_samples)) for f in FREQUENCIES_HZ] for w in band]
            for band in bands
        ]
    )
    # Eigenvalues alone converge early in scikit-learn's power iteration.
    cca = CCA(n_components=1, tol=1e-15, max_iter=100_000)
    sklearn = np.zeros(exact.shape[1:])
    for i, k in np.ndindex(sklearn.shape):
        x, y = cca.fit_transform(bands[0, i].T, references(FREQUENCIES_HZ[k], n_samples).T)
        sklearn[i, k] = np.corrcoef(x.ravel(), y.ravel())[0, 1]
    weight = [n ** (-1.25) + 0.25 for n in range(1, len(bands) + 1)]
    info = mne.create_info(8, SSVEP_RATE_HZ, "eeg")
    events = np.c_[np.arange(len(labels)), np.zeros(len(labels), int), labels + 1]
    ids = {str(f): k + 1 for k, f in enumerate(FREQUENCIES_HZ)}
    epochs = mne.EpochsArray(bands[0], info, events, event_id=ids, verbose="ERROR")
    names = np.array([str(FREQUENCIES_HZ[k]) for k in labels])
    moabb = SSVEP_CCA(n_harmonics=N_HARMONICS)
    moabb.cca = CCA(n_components=1, tol=1e-15, max_iter=100_000)
    moabb.fit(epochs, names)
    augmented = []
    for order, lag, estimator in ((1, 5, "oas"), (3, 4, "scm"), (4, 2, "lwf")):
        stacked = AugmentedDataset(order=order, lag=lag).transform(bands[0, :1])
        matrices = Covariances(estimator=estimator).fit_transform(stacked)
        augmented.append(
            {"order": order, "lag": lag, "estimator": ESTIMATORS[estimator], "covariance": matrices[0]}
        )
    return {
        "about": "Kalunga subject 1, 12 windows of 8 channels x 96 samples at 128 Hz in two bands "
        "(n_bands, n_windows, n_channels, n_samples). exact: largest canonical correlation with "
        "two harmonics of 13, 17 and 21 Hz, per band, from the angles between subspaces; sklearn: "
        "CCA(n_components=1, tol=1e-15) of the first band; moabb: SSVEP_CCA.predict_proba with "
        "that CCA; filter_bank: sum of squares weighted by n^-1.25 + 0.25. augmented: MOABB "
        "AugmentedDataset and pyriemann Covariances of the first window of the first band. trca: "
        "meegkit.trca.trca per band and class on the first nine windows, scores of the other three "
        "as meegkit's TRCA.predict without and with ensemble.",
        "rate_hz": SSVEP_RATE_HZ,
        "frequencies_hz": FREQUENCIES_HZ,
        "n_harmonics": N_HARMONICS,
        "bands": bands,
        "labels": labels,
        "exact": exact,
        "sklearn": sklearn,
        "moabb": moabb.predict_proba(epochs),
        "filter_bank": np.einsum("b,bik->ik", weight, exact**2),
        "augmented": augmented,
        "trca": trca_part(bands, labels),
    }


# Covariances


def imagery_windows(data_dir: Path) -> tuple[Floats, Ints]:
    """Left and right fist imagery of S001 and the rest between, three runs, six channels.

    ``(n_bands, n_windows, 6, 320)``: two seconds from 0.5 s after each annotation on,
    filtered causally to each of ``IMAGERY_BANDS_HZ``; classes 0 rest, 1 left, 2 right.
    """
    bands, labels = [], []
    for run in ("R04", "R08", "R12"):
        path = data_dir / f"eegmmidb/S001/S001{run}.edf"
        raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
        names = [name.rstrip(".") for name in raw.ch_names]
        picks = [names.index(name) for name in ("Fc3", "C3", "Cz", "C4", "Fc4", "Cpz")]
        samples = raw.get_data(picks=picks, units="uV")
        of_run = []
        for band in IMAGERY_BANDS_HZ:
            sos = butter(4, band, "bandpass", fs=160.0, output="sos")
            filtered = sosfilt(sos, samples - samples[:, :1])
            starts = [round((onset + 0.5) * 160.0) for onset in raw.annotations.onset]
            of_run.append([filtered[:, s : s + 320] for s in starts])
        bands.append(of_run)
        labels += [("T0", "T1", "T2").index(code) for code in raw.annotations.description]
    return np.concatenate(bands, axis=1), np.array(labels)


IMAGERY_BANDS_HZ = ((8.0, 30.0), (8.0, 12.0), (12.0, 16.0), (16.0, 24.0))


def csp_variants_file(data_dir: Path) -> dict[str, Any]:
    """Everything on covariances of the widest band."""
    windows, labels = imagery_windows(data_dir)
    windows = windows[0]
    # Not centred, as MNE takes them; not rounded, because MNE takes the windows.
    covariances = windows @ windows.transpose(0, 2, 1) / windows.shape[2]
    two = labels > 0
    cases: list[dict[str, Any]] = []

    def case(kind: str, classes: list[int], filters: Floats, **more: Any) -> None:
        cases.append({"kind": kind, "classes": classes, "filters": positive(filters), **more})

    model = CSP(nfilter=4).fit(covariances[two], labels[two])
    case("farthest", [1, 2], model.filters_)
    for alpha in (1.0, 30.0):
        model = TRCSP(nfilter=4, alpha=alpha).fit(covariances[two], labels[two])
        case("tikhonov", [1, 2], model.filters_, alpha=alpha)
    model = CSP(nfilter=4).fit(covariances, labels)
    case("joint", [0, 1, 2], model.filters_)
    for reg in (None, 0.1, "oas"):
        params = {"oas": {"assume_centered": True}} if reg == "oas" else None
        theirs = mne.decoding.CSP(n_components=4, reg=reg, cov_method_params=params)
        theirs.fit(windows[two], labels[two])
        case("mne", [1, 2], scaled(theirs.filters_[:4], windows[two], labels[two], reg), reg=reg)
    target = np.round(np.log(covariances[:, 1, 1]) + 0.3 * np.sin(np.arange(len(labels))), 6)
    spoc = SPoC(nfilter=4).fit(covariances, target)
    theirs = mne.decoding.SPoC(n_components=4).fit(windows, target)
    mean = covariances.mean(axis=0)
    of_mne = theirs.filters_[:4]
    of_mne = of_mne / np.sqrt(np.einsum("fi,ij,fj->f", of_mne, mean, of_mne))[:, None]
    return {
        "about": "S001, runs 4, 8, 12, 90 windows of 6 channels x 320 samples at 8-30 Hz, classes 0 rest, 1 "
        "left, 2 right; covariances X X' / n, not centred. cases, filters in rows, largest element "
        "positive: farthest pyriemann CSP of two classes, joint of three; tikhonov MOABB TRCSP, the first half of the "
        "filters strong in class 2; mne mne.decoding.CSP(n_components=4, reg) on the windows, filters "
        "scaled to w'(C_1 + C_2)w = 1. spoc: pyriemann and mne.decoding.SPoC.",
        "covariances": covariances,
        "n_samples": windows.shape[2],
        "labels": labels,
        "cases": cases,
        "spoc": {"target": target, "pyriemann": positive(spoc.filters_), "mne": positive(of_mne)},
    }


def scaled(filters: Floats, windows: Floats, labels: Ints, reg: Any) -> Floats:
    """MNE's filters at our scale."""
    composite = np.zeros((windows.shape[1], windows.shape[1]))
    for label in np.unique(labels):
        x = np.concatenate(list(windows[labels == label]), axis=1).T
        if reg is None:
            covariance = empirical_covariance(x, assume_centered=True)
        elif reg == "oas":
            covariance = oas(x, assume_centered=True)[0]
        else:
            covariance = shrunk_covariance(empirical_covariance(x, assume_centered=True), reg)
        composite += covariance
    return filters / np.sqrt(np.einsum("fi,ij,fj->f", filters, composite, filters))[:, None]


# Filter-bank common spatial patterns


def information(feature: Floats, labels: Ints) -> float:
    """Bits that a feature carries about the label: Parzen windows per class, Gaussian, of
    width (4 / 3n)^(1/5) times the class's standard deviation (ddof 1)."""
    classes = np.unique(labels)
    joint = []
    for k in classes:
        own = feature[labels == k]
        width = (4.0 / (3.0 * len(own))) ** 0.2 * own.std(ddof=1)
        density = norm.pdf(feature[:, None], loc=own[None, :], scale=width).mean(axis=1)
        joint.append(density * np.mean(labels == k))
    posterior = np.array(joint) / np.sum(joint, axis=0)
    prior = np.array([np.mean(labels == k) for k in classes])
    return float(entropy(prior, base=2) - entropy(posterior, base=2, axis=0).mean())


def fbcsp_file(data_dir: Path) -> dict[str, Any]:
    bands, labels = imagery_windows(data_dir)
    bands = bands[1:]
    covariances = np.round(np.array([golden.scm(band) for band in bands]), 4)
    cases = []
    for classes in ([1, 2], [0, 1, 2]):
        used = np.isin(labels, classes)
        y = labels[used]
        per_end, filters, features, bits = 2, [], [], []
        contrasts = classes[:1] if len(classes) == 2 else classes
        for covs in covariances[:, used]:
            rows = []
            for label in contrasts:
                own, rest = covs[y == label].mean(axis=0), covs[y != label].mean(axis=0)
                vectors = eigh(own, own + rest)[1].T
                rows += [*vectors[:per_end], *vectors[-per_end:]]
            filters.append(positive(np.array(rows)))
            variances = np.einsum("fi,nij,fj->nf", filters[-1], covs, filters[-1])
            features.append(np.log(variances))
        selected = set()
        for c, label in enumerate(contrasts):
            of_contrast = range(c * 2 * per_end, (c + 1) * 2 * per_end)
            found = {
                (b, f): information(features[b][:, f], (y == label).astype(int))
                for b in range(len(bands))
                for f in of_contrast
            }
            bits.append(list(found.values()))
            best = sorted(found, key=lambda key: -found[key])[:3]
            for b, f in best:
                pair = 2 * c * 2 * per_end + 2 * per_end - 1 - f
                selected |= {(b, f), (b, pair)}
        chosen = sorted(selected)
        cases.append(
            {
                "classes": classes,
                "information_bits": bits,
                "selected": chosen,
                "filters": [filters[b][f] for b, f in chosen],
                "features": np.array([features[b][:5, f] for b, f in chosen]).T,
            }
        )
    return {
        "about": "S001, runs 4, 8, 12, covariances (n_bands, n_windows, 6, 6) in 8-12, 12-16, 16-24 Hz, "
        "classes 0 rest, 1 left, 2 right. Per band and contrast scipy.linalg.eigh(C_c, C_c + "
        "C_rest), the two smallest and the two largest; information_bits per contrast, of each band's four; the three best of "
        "each contrast and their pairs are selected as [band, filter], in order of band and filter; features of the first five windows of the classes.",
        "covariances": covariances,
        "labels": labels,
        "n_per_end": 2,
        "n_selected": 3,
        "cases": cases,
    }


# Writing

FILES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "erp": erp_file,
    "ssvep": ssvep_file,
    "csp_variants": csp_variants_file,
    "fbcsp": fbcsp_file,
}


if __name__ == "__main__":
    golden.run(__file__, __doc__, FILES, ("moabb", "meegkit"), seed=0)
