"""The field's standard pipelines on real recordings, ours beside the same in Python.

    python tests/compare/quality.py --data-dir DIR [--markdown OUT.md]

Runs ``cargo bench -p decoding --bench quality``, which reads the recordings with our
readers, and the same pipelines with MNE, NumPy, pyRiemann and scikit-learn, which read
them with MNE, NumPy and gzip. ``DIR`` is the folder of all recordings. See the bench for
what is filtered, cut, fitted and scored; nothing that is scored is seen by a fit.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import subprocess
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mne
import numpy as np
from pyriemann.classification import MDM, FgMDM
from pyriemann.estimation import Covariances, XdawnCovariances
from pyriemann.tangentspace import TangentSpace
from scipy.linalg import eigh, qr
from scipy.signal import butter, sosfilt, sosfilt_zi
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

ROOT = Path(__file__).resolve().parents[2]
SENSORIMOTOR = (
    "FC5 FC3 FC1 FCZ FC2 FC4 FC6 C5 C3 C1 CZ C2 C4 C6 CP5 CP3 CP1 CPZ CP2 CP4 CP6"
).split()
Row = tuple[str, str, str, str, float]


def filtered(x: Any, rate_hz: float, order: int, band_hz: list[float]) -> Any:
    sos = butter(order, band_hz, btype="bandpass", fs=rate_hz, output="sos")
    # Our samples are single precision before the filter.
    x = x.astype(np.float32).astype(np.float64)
    return sosfilt(sos, x, axis=1, zi=sosfilt_zi(sos)[:, None] * x[None, :, :1])[0]


def cut(x: Any, rate_hz: float, cues: list[tuple[float, int]], interval: list[float]) -> tuple:
    n_samples = round((interval[1] - interval[0]) * rate_hz)
    epochs, labels = [], []
    for onset, label in sorted(cues, key=lambda cue: cue[0]):
        at = round((onset + interval[0]) * rate_hz)
        if at >= 0 and at + n_samples <= x.shape[1]:
            epochs.append(x[:, at : at + n_samples])
            labels.append(label)
    return np.array(epochs), np.array(labels)


def logistic() -> LogisticRegression:
    return LogisticRegression(C=1.0, solver="lbfgs", tol=1e-10, max_iter=100_000)


def lda() -> LinearDiscriminantAnalysis:
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


class Csp:
    """Two classes, three filters from each end, log-variance."""

    def fit(self, covs: Any, y: Any) -> "Csp":
        a, b = covs[y == 0].mean(axis=0), covs[y == 1].mean(axis=0)
        _, vectors = eigh(a, a + b)
        self.filters = np.concatenate([vectors[:, :3], vectors[:, -3:]], axis=1).T
        return self

    def transform(self, covs: Any) -> Any:
        projected = self.filters @ covs @ self.filters.T
        return np.log(np.diagonal(projected, axis1=1, axis2=2))

    def fit_transform(self, covs: Any, y: Any) -> Any:
        return self.fit(covs, y).transform(covs)


# Covariances come in centred: pyRiemann's own `oas` does the same.
COVARIANCE_PIPELINES: dict[str, Callable[[], Any]] = {
    "mdm": lambda: MDM(metric="riemann"),
    "fgmdm": lambda: FgMDM(metric="riemann"),
    "ts+lr": lambda: make_pipeline(TangentSpace(metric="riemann"), logistic()),
    "csp+lda": lambda: make_pipeline(Csp(), lda()),
}


def imagery(data: Path) -> Iterator[Row]:
    for subject in range(1, 11):
        parts, labels = [], []
        for run in (4, 8, 12):
            path = data / f"eegmmidb/S{subject:03}/S{subject:03}R{run:02}.edf"
            raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
            names = [name.replace(".", "").upper() for name in raw.ch_names]
            x = raw.get_data()[[names.index(name) for name in SENSORIMOTOR]] * 1e6
            codes = {"T1": 0, "T2": 1}
            cues = [
                (float(onset), codes[text])
                for onset, text in zip(raw.annotations.onset, raw.annotations.description)
                if text in codes
            ]
            epochs, y = cut(filtered(x, 160.0, 4, [8, 32]), 160.0, cues, [0.5, 3.5])
            parts.append(epochs)
            labels.append(y)
        covs = Covariances("oas").transform(np.concatenate(parts))
        y = np.concatenate(labels)
        for name, make in COVARIANCE_PIPELINES.items():
            right = 0
            for fold in range(5):
                inside = slice(fold * len(y) // 5, (fold + 1) * len(y) // 5)
                outside = np.delete(np.arange(len(y)), np.r_[inside])
                model = make().fit(covs[outside], y[outside])
                right += (model.predict(covs[inside]) == y[inside]).sum()
            yield "eegmmidb left/right", f"S{subject:03}", name, "accuracy", right / len(y)


def correlations(window: Any, rate_hz: float, hz: tuple[float, ...]) -> list[float]:
    t = np.arange(window.shape[1]) / rate_hz
    qx, _ = qr((window - window.mean(axis=1, keepdims=True)).T, mode="economic")
    scores = []
    for f in hz:
        waves = [w(2 * np.pi * h * f * t) for h in (1, 2) for w in (np.sin, np.cos)]
        reference = np.array(waves).T
        qy, _ = qr(reference - reference.mean(axis=0), mode="economic")
        scores.append(np.linalg.svd(qx.T @ qy, compute_uv=False)[0])
    return scores


def flicker(data: Path) -> Iterator[Row]:
    hz = (13.0, 21.0, 17.0)
    for subject in ("subject01", "subject02", "subject05"):
        right, n, sets = 0, 0, []
        for path in sorted((data / "ssvep_exoskeleton" / subject).glob("*_raw.fif")):
            raw = mne.io.read_raw_fif(path, preload=True, verbose="ERROR")
            events = mne.read_events(
                path.with_name(path.name.replace("_raw.fif", "-eve.fif")), verbose="ERROR"
            )
            rate, x = float(raw.info["sfreq"]), raw.get_data() * 1e6
            onsets = [((s - raw.first_samp) / rate, int(v)) for s, _, v in events]
            cues = [(t, v - 2) for t, v in onsets if v in (2, 3, 4)]
            epochs, y = cut(filtered(x, rate, 4, [5, 48]), rate, cues, [2, 5])
            found = np.array([np.argmax(correlations(w, rate, hz)) for w in epochs])
            right, n = right + (found == y).sum(), n + len(y)
            cues = [(t, v - 1) for t, v in onsets if v in (1, 2, 3, 4)]
            bands = [cut(filtered(x, rate, 2, [f - 1, f + 1]), rate, cues, [2, 5]) for f in hz]
            stacked = np.concatenate([b[0] for b in bands], axis=1)
            sets.append((Covariances("oas").transform(stacked), bands[0][1]))
        yield "kalunga2016 flicker", subject, "cca", "accuracy", right / n
        for name, pipeline in (("band-cov+mdm", "mdm"), ("band-cov+ts+lr", "ts+lr")):
            right, n = 0, 0
            for (x, y), (t, truth) in ((sets[0], sets[1]), (sets[1], sets[0])):
                model = COVARIANCE_PIPELINES[pipeline]().fit(x, y)
                right, n = right + (model.predict(t) == truth).sum(), n + len(truth)
            yield "kalunga2016 flicker", subject, name, "accuracy", right / n


def binned(x: Any, size: int) -> Any:
    n = x.shape[2] // size
    return x[:, :, : n * size].reshape(len(x), x.shape[1], n, size).mean(axis=3).reshape(len(x), -1)


def erp() -> Any:
    covs = XdawnCovariances(nfilter=4, estimator="oas", xdawn_estimator="scm")
    return make_pipeline(covs, TangentSpace(metric="riemann"), logistic())


def oddball(data: Path) -> Iterator[Row]:
    for session in ("subject1/session1", "subject1/session2", "subject2/session1"):
        runs = []
        for path in sorted((data / "erp_muse_lsl/visual/P300" / session).glob("*.csv.gz")):
            with gzip.open(path, "rt") as file:
                table = np.loadtxt(file, delimiter=",", skiprows=1)
            rate = float(round((len(table) - 1) / (table[-1, 0] - table[0, 0])))
            x = filtered(table[:, 1:5].T, rate, 4, [1, 24])
            rows = np.flatnonzero(table[:, -1])
            cues = [(row / rate, int(table[row, -1]) - 1) for row in rows]
            epochs, y = cut(x, rate, cues, [0, 0.8])
            clean = np.abs(epochs).max(axis=(1, 2)) <= 100
            runs.append((epochs[clean], y[clean]))
        half = len(runs) // 2
        x, y = (np.concatenate(a) for a in zip(*runs[:half]))
        t, truth = (np.concatenate(a) for a in zip(*runs[half:]))
        for name, posterior in (
            ("xdawncov+ts+lr", erp().fit(x, y).predict_proba(t)[:, 1]),
            ("bins+lda", lda().fit(binned(x, 8), y).predict_proba(binned(t, 8))[:, 1]),
        ):
            yield "muse P300", session, name, "AUC", roc_auc_score(truth, posterior)


def trials(path: Path) -> tuple:
    classes, labels, data = [], [], []
    with gzip.open(path, "rt", encoding="latin-1") as file:
        for line in map(str.strip, file):
            if line.startswith("@classLabel"):
                classes = line.split()[2:]
            elif line and line[0] not in "@#":
                *channels, label = line.split(":")
                labels.append(classes.index(label))
                data.append([[float(v) for v in c.split(",")] for c in channels])
    return np.array(data), np.array(labels)


def hand_movement(data: Path) -> Iterator[Row]:
    folder = data / "meg_hand_movement"
    x, y = trials(folder / "HandMovementDirection_TRAIN.ts.gz")
    t, truth = trials(folder / "HandMovementDirection_TEST.ts.gz")
    for name, found in (
        ("bins+lda", lda().fit(binned(x, 10), y).predict(binned(t, 10))),
        ("xdawncov+ts+lr", erp().fit(x, y).predict(t)),
    ):
        yield "MEG hand movement", "both", name, "accuracy", (found == truth).mean()


def ours(data: Path) -> dict[tuple, float]:
    command = ["cargo", "bench", "-q", "-p", "decoding", "--bench", "quality"]
    env = {**os.environ, "MINDLOOP_DATA": str(data.resolve())}
    text = subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.PIPE).stdout
    rows = map(json.loads, filter(None, text.splitlines()))
    keys = ("dataset", "subject", "pipeline", "metric")
    return {tuple(row[k] for k in keys): row["score"] for row in rows}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--markdown", type=Path)
    args = parser.parse_args()
    warnings.filterwarnings("ignore")
    found = ours(args.data_dir)
    lines = ["| data | subject | pipeline | score | mindloop | Python | difference |"]
    lines += ["|---|---|---|---|---:|---:|---:|"]
    parts = (imagery, flicker, oddball, hand_movement)
    for *key, theirs in (row for part in parts for row in part(args.data_dir)):
        score = found[tuple(key)]
        cells = [*key, f"{score:.4f}", f"{theirs:.4f}", f"{score - theirs:+.4f}"]
        lines.append("| " + " | ".join(cells) + " |")
        print(lines[-1], flush=True)
    if args.markdown:
        args.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
