"""Reference implementation of the pseudo-online evaluation.

Five decoders are scored on continuous recordings with SciPy, pyRiemann,
scikit-learn and MNE, none of it sharing a line with the toolkit. The toolkit's
evaluation has to agree with it to 0.005 nMCC per subject and pipeline.

The definition, in the order of the code
----------------------------------------
1. *Samples* are read in physical microvolts, EEG channels in file order, and
   rounded to f32 (that is how they are stored); everything after is f64.
2. *Filter*: ``butter(4, [8, 30], btype="bandpass", fs=rate, output="sos")``, run
   once and forward over a recording, from the steady state of the recording's
   first sample (``sosfilt_zi * x[0]``), and started anew at the next recording.
3. *Labels*: sample ``k`` carries a cue's class where ``round((cue + tmin) * rate)
   <= k < round((cue + tmax) * rate)``, ``round`` half to even, cut at the
   recording's end, the later cue winning; every other sample is idle, class 0.
4. *Windows* of ``W = round(window_secs * rate)`` samples end at
   ``n = W-1, W-1+S, ...`` with ``S = round(step_secs * rate)``. A window's label
   is the majority of its samples; on a tie the label of its last sample if that
   is among the tied, else the highest class index.
5. *Split* within the session: the first runs calibrate, the later runs are
   scored. Calibration windows are concatenated in time order, and idle is
   thinned to the size ``m`` of the largest task class, where there is more of
   it, by keeping the idle windows ``floor(i * n_idle / m)``.
6. *Decoders* as described at their functions.
7. *Scores* from the confusion matrix that pools a subject's scored windows.

Where the definition leaves a choice, it is made so here
--------------------------------------------------------
- Welch: ``scipy.signal.welch(window, fs, window="hann", nperseg=round(fs),
  noverlap=nperseg // 2, detrend="constant", scaling="density")``; a band's power
  is the mean of the bins with ``lo <= f < hi``, and its logarithm is the
  feature; features are channel-major (channel 0's bands first).
- The posterior of a linear discriminant is the softmax of its decision values.
  The decision is the argmax of the posterior, taken on its logarithm (negative
  squared distance, linear decision value) so that no underflow makes a tie; a
  tie goes to the lowest class index.
- CSP eigenvectors are scaled so that ``w' (C_c + C_rest) w = 1``. For each class
  the filter of the smallest eigenvalue comes first, then that of the largest.
- *Idle excluded*: the decoder is the same one, fitted with idle; windows labelled
  with a task class are scored, and the decision is the argmax over the task
  classes.
- *Clock null*: a scored window that ends at sample ``n`` of its run is given the
  majority label of the calibration windows (before thinning) that end at sample
  ``n`` of theirs; a tie goes to the lowest class index, and past the end of every
  calibration run the clock says idle.

Use
---
    python pseudo_online.py --data-dir DIR --subjects 1-10 --json OUT.json

``DIR`` holds EEGMMIDB as PhysioNet lays it out (``S001/S001R04.edf``). One
subject at a time, in one process; the filtered signal and the covariances are
computed once per subject and shared by the pipelines. ``--oas numpy`` replaces
pyRiemann's call per window by a batched NumPy product of the same formula: the
result agrees to rounding and the evaluation is faster.

Reference
---------
G. Schalk et al. (2004), "BCI2000: a general-purpose brain-computer interface
system", doi:10.1109/TBME.2004.827072 (the data); A. Barachant et al. (2012),
doi:10.1109/TBME.2011.2172210 (MDM, tangent space); Y. Chen et al. (2010),
doi:10.1109/TSP.2010.2053029 (OAS); O. Ledoit and M. Wolf (2004),
doi:10.1016/S0047-259X(03)00096-4; B. Blankertz et al. (2008),
doi:10.1109/MSP.2008.4408441 (CSP).
"""

from __future__ import annotations

import argparse
import csv
import importlib.metadata
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import mne
import numpy as np
from numpy.typing import NDArray
from pyriemann.classification import MDM
from pyriemann.geometry.covariance import covariances
from pyriemann.tangentspace import TangentSpace
from scipy.linalg import eigh
from scipy.signal import butter, sosfilt, sosfilt_zi, welch
from scipy.special import softmax
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from metrics import (
    balanced_accuracy,
    confusion_matrix,
    itr_bits_per_min,
    kappa,
    nmcc,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

DATASET = "PhysionetMI"
SESSION = "0"
IDLE = 0
BAND_HZ = (8.0, 30.0)
PSD_BANDS_HZ = ((8.0, 12.0), (12.0, 16.0), (16.0, 24.0), (24.0, 30.0))

# Task classes, in class order from 1 on -> the imagery runs that hold them and
# the annotation of each (https://physionet.org/content/eegmmidb/1.0.0/).
PARADIGMS: dict[tuple[str, ...], tuple[tuple[int, ...], tuple[str, ...]]] = {
    ("left_hand", "right_hand"): ((4, 8, 12), ("T1", "T2")),
    ("hands", "feet"): ((6, 10, 14), ("T1", "T2")),
}


@dataclass(frozen=True)
class Config:
    """What is evaluated; everything that a score depends on."""

    classes: tuple[str, ...]
    pipelines: tuple[str, ...]
    window_secs: float
    step_secs: float
    tmin_secs: float
    tmax_secs: float
    calibration_runs: int
    oas: str

    @property
    def n_classes(self) -> int:
        """Task classes and idle."""
        return len(self.classes) + 1


# Labels and windows


def sample_labels(
    n_samples: int,
    cues: Iterable[tuple[float, int]],
    rate_hz: float,
    tmin_secs: float,
    tmax_secs: float,
) -> Ints:
    """Class of each sample; ``cues`` are (onset in seconds, class), in any order."""
    labels = np.full(n_samples, IDLE, dtype=np.int64)
    for onset, label in sorted(cues, key=lambda cue: cue[0]):
        # Python's round is half to even.
        start = max(round((onset + tmin_secs) * rate_hz), 0)
        stop = max(round((onset + tmax_secs) * rate_hz), 0)
        labels[start:stop] = label
    return labels


def window_ends(n_samples: int, window: int, step: int) -> Ints:
    """Index of the last sample of each window, from the first full one on."""
    return np.arange(window - 1, n_samples, step, dtype=np.int64)


def majority_labels(labels: Ints, ends: Ints, window: int, n_classes: int) -> Ints:
    """Label of each window ``(n - window, n]`` by the majority of its samples."""
    one_hot = labels[:, None] == np.arange(n_classes)
    before = np.vstack([np.zeros(n_classes, np.int64), np.cumsum(one_hot, axis=0)])
    counts = before[ends + 1] - before[ends + 1 - window]
    tied = counts == counts.max(axis=1, keepdims=True)
    last = labels[ends]
    highest = n_classes - 1 - np.argmax(tied[:, ::-1], axis=1)
    return np.where(tied[np.arange(len(ends)), last], last, highest)


def thin_idle(labels: Ints) -> Ints:
    """Indices of the training windows kept, in time order."""
    idle = np.flatnonzero(labels == IDLE)
    task = labels[labels != IDLE]
    largest = int(np.bincount(task).max()) if len(task) else 0
    if len(idle) > largest:
        idle = idle[[i * len(idle) // largest for i in range(largest)]]
    return np.sort(np.concatenate([idle, np.flatnonzero(labels != IDLE)]))


# Recordings


def causal_bandpass(samples: NDArray[np.float32], rate_hz: float) -> Floats:
    """Filter ``(n_channels, n_samples)`` forward from the first sample's steady state."""
    sos = butter(4, BAND_HZ, btype="bandpass", fs=rate_hz, output="sos")
    x = samples.astype(np.float64)
    state = sosfilt_zi(sos)[:, None, :] * x[None, :, :1]
    return sosfilt(sos, x, axis=-1, zi=state)[0]


def oas_numpy(windows: Floats, batch: int = 256) -> Floats:
    """Covariances with oracle-approximating shrinkage of ``(n, channels, samples)``."""
    n_windows, n_channels, n_samples = windows.shape
    out = np.empty((n_windows, n_channels, n_channels))
    for start in range(0, n_windows, batch):
        x = windows[start : start + batch]
        x = x - x.mean(axis=2, keepdims=True)
        s = x @ x.transpose(0, 2, 1) / n_samples
        alpha = np.mean(s**2, axis=(1, 2))
        mu = np.trace(s, axis1=1, axis2=2) / n_channels
        num = alpha + mu**2
        den = (n_samples + 1) * (alpha - mu**2 / n_channels)
        # One over zero is a multiple of the identity, which shrinkage leaves as it is.
        rho = np.where(den > 0, np.minimum(num / np.where(den > 0, den, 1), 1), 1)
        out[start : start + batch] = (1 - rho)[:, None, None] * s
        diagonal = np.arange(n_channels)
        out[start : start + batch, diagonal, diagonal] += (rho * mu)[:, None]
    return out


@dataclass
class Run:
    """One recording, filtered, with its windows; features are computed on demand."""

    name: str
    rate_hz: float
    filtered: Floats
    ends: Ints
    labels: Ints
    window: int
    step: int
    oas: str

    @cached_property
    def windows(self) -> Floats:
        """View of shape ``(n_windows, n_channels, window)``."""
        view = np.lib.stride_tricks.sliding_window_view(
            self.filtered, self.window, axis=1
        )
        return view[:, :: self.step].transpose(1, 0, 2)

    @cached_property
    def covariances(self) -> Floats:
        """Shrunk covariances, shape ``(n_windows, n_channels, n_channels)``."""
        if self.oas == "numpy":
            return oas_numpy(self.windows)
        return covariances(self.windows, estimator="oas")

    @cached_property
    def log_variances(self) -> Floats:
        """Logarithm of each channel's variance, ddof 0."""
        return np.log(np.var(self.windows, axis=2))

    @cached_property
    def log_band_powers(self) -> Floats:
        """Logarithm of Welch's band powers, channel-major."""
        segment = round(self.rate_hz)
        frequencies, psd = welch(
            self.windows,
            self.rate_hz,
            window="hann",
            nperseg=segment,
            noverlap=segment // 2,
            detrend="constant",
            scaling="density",
        )
        powers = [
            psd[..., (lo <= frequencies) & (frequencies < hi)].mean(axis=-1)
            for lo, hi in PSD_BANDS_HZ
        ]
        return np.log(np.stack(powers, axis=-1)).reshape(len(self.ends), -1)


def load_run(path: Path, codes: dict[str, int], config: Config) -> Run:
    """Read, filter and label one recording."""
    raw = mne.io.read_raw_edf(path, preload=True, verbose="ERROR")
    rate_hz = float(raw.info["sfreq"])
    samples = raw.get_data(picks="eeg", units="uV").astype(np.float32)
    cues = [
        (float(onset), codes[code])
        for onset, code in zip(raw.annotations.onset, raw.annotations.description)
        if code in codes
    ]
    window = round(config.window_secs * rate_hz)
    step = round(config.step_secs * rate_hz)
    labels = sample_labels(
        samples.shape[1], cues, rate_hz, config.tmin_secs, config.tmax_secs
    )
    ends = window_ends(samples.shape[1], window, step)
    return Run(
        name=path.name,
        rate_hz=rate_hz,
        filtered=causal_bandpass(samples, rate_hz),
        ends=ends,
        labels=majority_labels(labels, ends, window, config.n_classes),
        window=window,
        step=step,
        oas=config.oas,
    )


# Decoders. Each fits on the calibration runs' kept windows and returns, for the
# scored windows, log-posteriors up to a constant of each window.


@dataclass
class Split:
    """Calibration and scored runs; ``kept`` indexes the concatenated calibration windows."""

    calibration: list[Run]
    scored: list[Run]
    kept: Ints = field(init=False)
    labels: Ints = field(init=False)

    def __post_init__(self) -> None:
        labels = np.concatenate([run.labels for run in self.calibration])
        self.kept = thin_idle(labels)
        self.labels = labels[self.kept]

    def train(self, feature: Callable[[Run], Floats]) -> Floats:
        """A feature of the kept calibration windows."""
        return np.concatenate([feature(run) for run in self.calibration])[self.kept]

    def test(self, feature: Callable[[Run], Floats]) -> Floats:
        """A feature of all scored windows."""
        return np.concatenate([feature(run) for run in self.scored])


def fit_lda(features: Floats, labels: Ints) -> LinearDiscriminantAnalysis:
    """Linear discriminant with Ledoit-Wolf shrinkage and empirical priors."""
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
    return lda.fit(features, labels)


def lda_scores(lda: LinearDiscriminantAnalysis, features: Floats) -> Floats:
    """Decision value of each class; scikit-learn folds two classes into one."""
    decision = lda.decision_function(features)
    if decision.ndim == 1:
        return np.column_stack([np.zeros_like(decision), decision])
    return decision


def fit_logistic(features: Floats, labels: Ints) -> LogisticRegression:
    """Softmax regression with ``0.5 |w|^2 + C sum loss``, C = 1, solved to convergence.

    L-BFGS stops where the loss no longer changes in its last bits, which may come
    before scikit-learn's tolerance is met: the gradient that is left is checked.
    """
    model = LogisticRegression(C=1.0, solver="lbfgs", tol=1e-10, max_iter=100_000)
    model.fit(features, labels)
    residual = logistic_gradient_norm(model, features, labels)
    if residual > 1e-3:
        raise RuntimeError(
            f"logistic regression not converged: gradient {residual:.1e}"
        )
    return model


def logistic_gradient_norm(
    model: LogisticRegression, features: Floats, labels: Ints
) -> float:
    """Largest absolute component of the softmax objective's gradient."""
    error = model.predict_proba(features) - (labels[:, None] == model.classes_)
    of_weights = model.coef_ + error.T @ features
    return float(max(np.abs(of_weights).max(), np.abs(error.sum(axis=0)).max()))


def csp_filters(covs: Floats, labels: Ints) -> Floats:
    """Spatial filters in rows.

    Two classes: three generalised eigenvectors from each end. More: of each class
    against the mean over all other windows, the first and the last.
    """
    classes = np.unique(labels)
    two = len(classes) == 2
    filters = []
    for label in classes[:1] if two else classes:
        of_class = covs[labels == label].mean(axis=0)
        of_rest = covs[labels != label].mean(axis=0)
        _, vectors = eigh(of_class, of_class + of_rest)
        filters.append(vectors[:, [0, 1, 2, -3, -2, -1] if two else [0, -1]].T)
    return np.concatenate(filters)


def csp_features(covs: Floats, filters: Floats) -> Floats:
    """Logarithm of the filtered windows' variances, of the shrunk covariances."""
    return np.log(np.einsum("fi,nij,fj->nf", filters, covs, filters, optimize=True))


def decode_mdm(split: Split) -> Floats:
    """Minimum distance to the affine-invariant mean of each class."""
    mdm = MDM(metric="riemann").fit(split.train(lambda r: r.covariances), split.labels)
    return -(mdm.transform(split.test(lambda r: r.covariances)) ** 2)


def decode_tangent_logistic(split: Split) -> Floats:
    """Tangent space at the mean of all training covariances, softmax regression."""
    space = TangentSpace(metric="riemann")
    train = space.fit_transform(split.train(lambda r: r.covariances))
    model = fit_logistic(train, split.labels)
    return model.decision_function(space.transform(split.test(lambda r: r.covariances)))


def decode_csp_lda(split: Split) -> Floats:
    """Common spatial patterns, one against the rest."""
    covs = split.train(lambda r: r.covariances)
    filters = csp_filters(covs, split.labels)
    lda = fit_lda(csp_features(covs, filters), split.labels)
    return lda_scores(lda, csp_features(split.test(lambda r: r.covariances), filters))


def decode_logvar_lda(split: Split) -> Floats:
    """Logarithm of channel variances."""
    lda = fit_lda(split.train(lambda r: r.log_variances), split.labels)
    return lda_scores(lda, split.test(lambda r: r.log_variances))


def decode_psd_lda(split: Split) -> Floats:
    """Logarithm of band powers."""
    lda = fit_lda(split.train(lambda r: r.log_band_powers), split.labels)
    return lda_scores(lda, split.test(lambda r: r.log_band_powers))


PIPELINES: dict[str, Callable[[Split], Floats]] = {
    "mdm": decode_mdm,
    "ts+lr": decode_tangent_logistic,
    "csp+lda": decode_csp_lda,
    "logvar+lda": decode_logvar_lda,
    "psd+lda": decode_psd_lda,
}


def clock_predictions(split: Split, n_classes: int) -> Ints:
    """What the paradigm's timing alone predicts for the scored windows."""
    longest = max(run.ends[-1] for run in split.calibration + split.scored) + 1
    votes = np.zeros((longest, n_classes), dtype=np.int64)
    for run in split.calibration:
        votes[run.ends, run.labels] += 1
    # Without a vote the lowest index wins, and that is idle.
    return np.concatenate([votes[run.ends].argmax(axis=1) for run in split.scored])


# Scores


def score_rows(subject: int, split: Split, config: Config) -> Iterable[dict]:
    """Score every pipeline on one subject."""
    n_classes = config.n_classes
    true = split.test(lambda r: r.labels)
    run_of_window = np.repeat(
        np.arange(len(split.scored)), [len(run.ends) for run in split.scored]
    )
    clock = confusion_matrix(true, clock_predictions(split, n_classes), n_classes)
    for pipeline in config.pipelines:
        scores = PIPELINES[pipeline](split)
        predicted = scores.argmax(axis=1)
        confusion = confusion_matrix(true, predicted, n_classes)
        task = true != IDLE
        task_confusion = confusion_matrix(
            true[task] - 1, scores[task, 1:].argmax(axis=1), n_classes - 1
        )
        per_run = []
        for i, run in enumerate(split.scored):
            of_run = run_of_window == i
            matrix = confusion_matrix(true[of_run], predicted[of_run], n_classes)
            per_run.append(
                {
                    "recording": run.name,
                    "nmcc": nmcc(matrix),
                    "confusion": matrix.tolist(),
                }
            )
        accuracy = balanced_accuracy(confusion)
        yield {
            "dataset": DATASET,
            "subject": subject,
            "session": SESSION,
            "pipeline": pipeline,
            "nmcc": nmcc(confusion),
            "itr_bits_per_min": itr_bits_per_min(
                accuracy, n_classes, config.window_secs
            ),
            "balanced_accuracy": accuracy,
            "kappa": kappa(confusion),
            "n_windows": int(confusion.sum()),
            "n_train_per_class": np.bincount(
                split.labels, minlength=n_classes
            ).tolist(),
            "confusion": confusion.tolist(),
            "nmcc_idle_excluded": nmcc(task_confusion),
            "confusion_idle_excluded": task_confusion.tolist(),
            "clock_nmcc": nmcc(clock),
            "clock_confusion": clock.tolist(),
            "runs": per_run,
            "_scores": scores,
        }


def write_windows(writer: csv.writer, row: dict, split: Split) -> None:
    """One line per scored window: what every score can be recomputed from."""
    posteriors = softmax(row["_scores"], axis=1)
    predicted = row["_scores"].argmax(axis=1)
    first = 0
    for run in split.scored:
        for i, (end, label) in enumerate(zip(run.ends, run.labels), start=first):
            writer.writerow(
                [row["subject"], row["pipeline"], run.name, int(end)]
                + [repr(float(end / run.rate_hz)), int(label), int(predicted[i])]
                + [repr(float(p)) for p in posteriors[i]]
            )
        first += len(run.ends)


def load_subject(data_dir: Path, subject: int, config: Config) -> Split:
    """Read a subject's runs and split them in time order."""
    run_numbers, codes = PARADIGMS[config.classes]
    class_of_code = {code: i for i, code in enumerate(codes, start=1)}
    runs = []
    for number in run_numbers:
        path = data_dir / f"S{subject:03}" / f"S{subject:03}R{number:02}.edf"
        runs.append(load_run(path, class_of_code, config))
    return Split(runs[: config.calibration_runs], runs[config.calibration_runs :])


def versions() -> dict[str, str]:
    """Versions of the packages a number here depends on."""
    packages = ["numpy", "scipy", "scikit-learn", "pyriemann", "mne"]
    found = {name: importlib.metadata.version(name) for name in packages}
    return {"python": sys.version.split()[0], **found}


# Command line


def parse_subjects(text: str) -> list[int]:
    """``1-3,7`` -> ``[1, 2, 3, 7]``."""
    subjects: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        subjects.extend(range(int(first), int(last or first) + 1))
    return subjects


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument(
        "--subjects", type=parse_subjects, default=parse_subjects("1-10")
    )
    parser.add_argument("--classes", default="left_hand,right_hand")
    parser.add_argument("--pipelines", default=",".join(PIPELINES))
    parser.add_argument("--window-secs", type=float, default=2.0)
    parser.add_argument("--step-secs", type=float, default=0.1)
    parser.add_argument("--tmin-secs", type=float, default=0.0)
    parser.add_argument("--tmax-secs", type=float, default=4.0)
    parser.add_argument("--calibration-runs", type=int, default=1)
    parser.add_argument("--oas", choices=["pyriemann", "numpy"], default="pyriemann")
    parser.add_argument("--json", type=Path, required=True)
    parser.add_argument("--windows", type=Path, help="CSV of every scored window")
    args = parser.parse_args(argv)
    args.classes = tuple(args.classes.split(","))
    args.pipelines = tuple(args.pipelines.split(","))
    if args.classes not in PARADIGMS:
        parser.error(f"classes must be one of {[','.join(c) for c in PARADIGMS]}")
    if unknown := set(args.pipelines) - set(PIPELINES):
        parser.error(f"unknown pipelines {sorted(unknown)}")
    return args


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    config = Config(
        classes=args.classes,
        pipelines=args.pipelines,
        window_secs=args.window_secs,
        step_secs=args.step_secs,
        tmin_secs=args.tmin_secs,
        tmax_secs=args.tmax_secs,
        calibration_runs=args.calibration_runs,
        oas=args.oas,
    )
    started = time.perf_counter()
    rows = []
    windows_file = args.windows.open("w", newline="") if args.windows else None
    writer = csv.writer(windows_file, lineterminator="\n") if windows_file else None
    class_names = ["idle", *config.classes]
    if writer:
        writer.writerow(
            ["subject", "pipeline", "recording", "last_sample", "last_sample_secs"]
            + ["true", "predicted", *(f"posterior_{name}" for name in class_names)]
        )
    for subject in args.subjects:
        split = load_subject(args.data_dir, subject, config)
        for row in score_rows(subject, split, config):
            if writer:
                write_windows(writer, row, split)
            del row["_scores"]
            rows.append(row)
            print(
                f"S{subject:03} {row['pipeline']:<10} nMCC {row['nmcc']:.4f}  "
                f"idle excluded {row['nmcc_idle_excluded']:.4f}  "
                f"clock {row['clock_nmcc']:.4f}  "
                f"[{time.perf_counter() - started:.1f} s]",
                file=sys.stderr,
                flush=True,
            )
    if windows_file:
        windows_file.close()
    run_numbers, codes = PARADIGMS[config.classes]
    document = {
        "script": "tests/reference/pseudo_online.py",
        "versions": versions(),
        "seed": None,
        "configuration": {
            "dataset": "EEG Motor Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P",
            "subjects": args.subjects,
            "runs": run_numbers,
            "class_order": class_names,
            "cue_codes": codes,
            "task_interval_secs": [config.tmin_secs, config.tmax_secs],
            "window_secs": config.window_secs,
            "step_secs": config.step_secs,
            "bandpass_hz": BAND_HZ,
            "split": "within-session",
            "calibration_runs": config.calibration_runs,
            "window_label": "majority",
            "idle": "include",
            "itr": {"p": "balanced_accuracy", "t": "window"},
            "oas": config.oas,
        },
        "rows": rows,
    }
    args.json.write_text(to_json(document))


def to_json(document: dict) -> str:
    """JSON with one row of ``rows`` a line, so that a change shows as its lines."""
    rows = document["rows"]
    head = json.dumps({**document, "rows": []}, indent=1)
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    return head.replace('"rows": []', f'"rows": [\n{lines}\n ]') + "\n"


if __name__ == "__main__":
    main()
