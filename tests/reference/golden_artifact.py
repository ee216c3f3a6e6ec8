"""Golden values of artefact handling: EOG regression, Riemannian Potato, artefact
subspace reconstruction, bad channels.

    python golden_artifact.py --data-dir DIR --out ../data/golden [--only potato,asr]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; runs of S001 are read (EEG Motor
Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0). EEGMMIDB has no EOG
channels: forehead electrodes stand for them.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import sys
from pathlib import Path
from typing import Any

import mne
import numpy as np
from numpy.typing import NDArray
from pyriemann.artifact_detection import Potato
from pyriemann.geometry.mean import mean_riemann
from scipy.signal import butter, sosfilt

from golden import SEED, dumps, plain, versions

Floats = NDArray[np.float64]


def recording(data_dir: Path, run: str, picks: list[str] | None = None) -> mne.io.Raw:
    raw = mne.io.read_raw_edf(
        data_dir / f"S001/S001{run}.edf", preload=True, verbose="ERROR"
    )
    mne.datasets.eegbci.standardize(raw)
    return raw if picks is None else raw.pick(picks)


def microvolts(raw: mne.io.Raw, start: int, stop: int, decimals: int = 2) -> Floats:
    return np.round(raw.get_data(units="uV")[:, start:stop], decimals)


def eog_file(data_dir: Path) -> dict[str, Any]:
    names = ["C3", "Cz", "C4", "Pz", "Fp1", "AF7", "AF8"]
    raw = recording(data_dir, "R04", names)
    samples = microvolts(raw, 800, 1400)
    info = mne.create_info(names, 160.0, ["eeg"] * 4 + ["eog"] * 3)
    array = mne.io.RawArray(samples, info, verbose="ERROR")
    array.set_eeg_reference([], verbose="ERROR")  # as recorded
    model = mne.preprocessing.EOGRegression(
        picks="eeg", picks_artifact="eog", proj=False
    ).fit(array)
    epochs = mne.EpochsArray(
        samples.reshape(len(names), 3, 200).transpose(1, 0, 2),
        array.info,
        verbose="ERROR",
    )
    by_epoch = mne.preprocessing.EOGRegression(
        picks="eeg", picks_artifact="eog", proj=False
    ).fit(epochs)
    return {
        "about": "MNE's EOGRegression of the first four channels on the last three: on "
        "the whole recording, applied to it; and fitted on three epochs of it",
        "samples": samples,
        "weights": model.coef_,
        "cleaned": model.apply(array).get_data(picks="eeg"),
        "weights_of_epochs": by_epoch.coef_,
    }


def potato_file(data_dir: Path) -> dict[str, Any]:
    names = ["Fp1", "Fp2", "F7", "C3", "C4", "Oz"]
    raw = recording(data_dir, "R04", names)
    sos = butter(4, (1.0, 40.0), "bandpass", fs=160.0, output="sos")
    filtered = sosfilt(sos, raw.get_data(units="uV"), axis=-1)[:, 160:]
    windows = filtered[:, : 80 * 160].reshape(len(names), 80, 160).transpose(1, 0, 2)
    covs = np.round(np.stack([np.cov(window) for window in windows]), 6)

    def exact_mean(x: Floats, sample_weight: Floats | None = None) -> Floats:
        return mean_riemann(x, tol=1e-12, maxiter=200, sample_weight=sample_weight)

    metric = {"mean": exact_mean, "distance": "riemann"}
    potato = Potato(metric=metric, threshold=2.0).fit(covs[:60])
    scores = potato.transform(covs[60:])
    posteriors = potato.predict_proba(covs[60:])
    mean, log_mean, log_std = potato.covmean_.copy(), potato._mean, potato._std
    potato._metric_mean = "riemann"
    potato.partial_fit(covs[60:61], alpha=0.1)
    potato.partial_fit(covs[61:62], alpha=0.3)
    return {
        "about": "Potato with threshold 2 fitted on the first 60 covariances, the mean "
        "to 1e-12; z-scores and posteriors of the others; then updated with covariance "
        "60 at 0.1 and with 61 at 0.3, and the z-scores again",
        "covariances": covs,
        "mean": mean,
        "log_mean": log_mean,
        "log_std": log_std,
        "z_scores": scores,
        "posteriors": posteriors,
        "z_scores_after_updates": potato.transform(covs[60:]),
    }


FILES = {"eog_regression": eog_file, "potato": potato_file}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", default=",".join(FILES))
    args = parser.parse_args()
    own = {name: importlib.metadata.version(name) for name in ("asrpy", "pyprep")}
    for name in args.only.split(","):
        document = {
            "script": "tests/reference/golden_artifact.py",
            "versions": {**versions(), **own},
            "seed": SEED,
            **FILES[name](args.data_dir),
        }
        path = args.out / f"{name}.json"
        path.write_text(dumps(plain(document)) + "\n")
        print(f"{path.name}: {path.stat().st_size} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
