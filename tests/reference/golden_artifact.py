"""Golden values of artefact handling: EOG regression, Riemannian Potato, artefact
subspace reconstruction, bad channels.

    python golden_artifact.py --data-dir DIR --out ../data/golden [--only potato,asr]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; runs of S001 are read (EEG Motor
Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0). EEGMMIDB has no EOG
channels: forehead electrodes stand for them.
"""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import asrpy.asr
import asrpy.asr_utils
import mne
import numpy as np
import pyprep.ransac
from numpy.typing import NDArray
from pyprep.find_noisy_channels import NoisyChannels
from pyriemann.artifact_detection import Potato
from pyriemann.geometry.mean import mean_riemann
from scipy.signal import butter, sosfilt

from golden import run, SEED

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


def fit_clean_amplitudes() -> Any:
    """asrpy's ``fit_eeg_distribution``, with three changes.

    asrpy 0.0.8 takes two differences as arrays of one element, which NumPy 2.4 refuses
    as numbers. And the largest value of a histogram counts for the last bin: asrpy
    drops it where ``x * (bins / x)`` is rounded up, so that a relative change of 1e-15
    in its input moves its result by several per cent.
    """
    source = inspect.getsource(asrpy.asr_utils.fit_eeg_distribution)
    for old, new in {
        "np.diff(quants)": "np.diff(quants)[0]",
        "np.diff(opt_bounds)": "np.diff(opt_bounds)[0]",
        "H = newX[:m] * cols": "H = np.minimum(newX[:m] * cols, nbins)",
    }.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    namespace = dict(vars(asrpy.asr_utils))
    exec(source, namespace)
    return namespace["fit_eeg_distribution"]


def asr_file(data_dir: Path) -> dict[str, Any]:
    fit = fit_clean_amplitudes()
    asrpy.asr.fit_eeg_distribution = fit
    names = ["Fp1", "F7", "C3", "Cz", "Oz"]
    sos = butter(2, 1.0, "highpass", fs=160.0, output="sos")

    def high_passed(run: str, start: int, stop: int) -> Floats:
        samples = recording(data_dir, run, names).get_data(units="uV")
        return np.round(sosfilt(sos, samples, axis=-1)[:, start:stop], 1)

    calibration = high_passed("R01", 800, 4800)
    clean, mask = asrpy.asr.clean_windows(calibration, 160.0, max_bad_chans=0.1)
    amplitudes = [
        np.sqrt(np.convolve(x**2, np.ones(80) / 80, "valid")[::27]) for x in calibration
    ]
    cutoff = 2.5
    root, thresholds = asrpy.asr.asr_calibrate(clean, 160.0, cutoff=cutoff)
    samples = high_passed("R04", 1600, 2400)
    design = asrpy.asr_utils.yulewalk

    def shaping(rate: float) -> dict[str, Any]:
        edges = np.array([0, 2, 3, 13, 16, 40, min(80.0, rate / 2 - 1), rate / 2])
        gains = np.array([3, 0.75, 0.33, 0.33, 1, 1, 3, 3])
        b, a = design(8, edges * 2.0 / rate, gains)
        return {"rate_hz": rate, "b": b, "a": a}

    cleaned = asrpy.asr.asr_process(
        samples,
        160.0,
        root,
        thresholds,
        Zi=np.zeros((len(names), 8)),
        mem_splits=1,
    )
    # asrpy leaves what follows the last but one update as it is.
    last = (samples.shape[1] - 1) // 32 * 32 - 40
    cleaned = cleaned[:, 40 : 40 + last]
    changed = np.abs(cleaned - samples[:, :last]).max(axis=0) > 1e-6
    print(f"ASR keeps {mask.sum()}/{mask.size}, changes {changed.sum()}/{last} samples")
    return {
        "about": "asrpy with a histogram that keeps its largest value: the filters of "
        "several rates; clean_windows and asr_calibrate (cutoff 2.5) of a calibration at "
        "160 Hz; asr_process with mem_splits=1 and the filter at rest, put back by its "
        "lookahead, up to its last update; fits to amplitudes",
        "shaping": [shaping(rate) for rate in (128.0, 160.0, 250.0, 1000.0)],
        "calibration": calibration,
        "clean_runs": np.flatnonzero(np.diff(np.r_[0, mask[0].astype(int), 0])),
        "cutoff": cutoff,
        "root": root,
        "thresholds": thresholds,
        "samples": samples,
        "cleaned": np.round(cleaned, 11),
        "amplitudes": amplitudes[:3],
        "fits": [
            dict(zip(("mean", "std", "scale", "shape"), map(float, fit(a))))
            for a in amplitudes[:3]
        ],
    }


def bad_channels_file(data_dir: Path) -> dict[str, Any]:
    rng = np.random.default_rng(SEED)
    raw = recording(data_dir, "R01")
    template = mne.channels.make_standard_montage("standard_1005").get_positions()
    names = raw.ch_names[::3]
    raw.pick(names)
    places = {name: np.round(template["ch_pos"][name], 4) for name in names}
    samples = microvolts(raw, 1600, 3360, 0)
    samples -= np.round(samples.mean(axis=1, keepdims=True))
    samples[3] = 7.0  # flat
    samples[6] *= 12.0  # too large
    samples[9] += np.round(150.0 * (-1.0) ** np.arange(samples.shape[1]))  # fast
    samples[12] = np.round(40.0 * rng.standard_normal(samples.shape[1]))  # alone
    samples[15, 400:700] = 0.0  # stands still
    noise = rng.standard_normal(samples.shape[1] + 7)
    samples[18:20] = np.round(15.0 * np.convolve(noise, np.ones(8), "valid"))  # twins
    samples[19] += np.round(rng.standard_normal(samples.shape[1]))
    info = mne.create_info(names, 160.0, "eeg")
    array = mne.io.RawArray(samples * 1e-6, info, verbose="ERROR")
    array.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    subsets: list[list[int]] = []
    draw = pyprep.ransac._get_random_subset

    def drawn(*args: Any) -> list[int]:
        subsets.append(draw(*args))
        return subsets[-1]

    pyprep.ransac._get_random_subset = drawn
    found = NoisyChannels(array, do_detrend=False, random_state=SEED)
    found.find_all_bads(ransac=True)
    extra = found._extra_info
    bads = found.get_bads(as_dict=True)
    kinds = ("flat", "deviation", "hf_noise", "correlation", "dropout", "ransac")
    unpredicted = np.mean(extra["bad_by_ransac"]["ransac_correlations"] < 0.75, axis=0)
    print({kind: bads[f"bad_by_{kind}"] for kind in kinds}, unpredicted)
    return {
        "about": "pyprep's NoisyChannels without detrending at 160 Hz, of a recording "
        "with channels spoilt: indices of bad channels by criterion, scores, shares of "
        "windows, and the correlations with RANSAC's predictions (windows, channels) "
        "from the subsets of good channels stored",
        "positions_m": raw_positions(array),
        "samples": samples.astype(int),
        "bad": {
            kind: [names.index(name) for name in bads[f"bad_by_{kind}"]] for kind in kinds
        },
        "deviation_z": extra["bad_by_deviation"]["robust_channel_deviations"],
        "noise_z": extra["bad_by_hf_noise"]["hf_noise_zscores"],
        "uncorrelated_windows": extra["bad_by_correlation"]["bad_window_fractions"],
        "dropout_windows": extra["bad_by_dropout"]["bad_window_fractions"],
        "subsets": subsets,
        "predicted": extra["bad_by_ransac"]["ransac_correlations"],
    }


def raw_positions(raw: mne.io.BaseRaw) -> Floats:
    return raw._get_channel_positions(raw.ch_names)


FILES = {
    "eog_regression": eog_file,
    "potato": potato_file,
    "asr": asr_file,
    "bad_channels": bad_channels_file,
}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("asrpy", "pyprep"))
