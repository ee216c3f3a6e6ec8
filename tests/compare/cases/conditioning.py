"""Interpolation, current source density and artefacts, as MNE, asrpy, pyRiemann and
pyprep compute them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import asrpy.asr
import mne
import numpy as np
from mne.channels.interpolation import _make_interpolation_matrix
from peers import Comparison, Data, case
from pyprep.find_noisy_channels import NoisyChannels
from pyriemann.artifact_detection import Potato
from pyriemann.estimation import Covariances
from scipy.signal import butter, sosfilt

sys.path.append(str(Path(__file__).resolve().parents[2] / "reference"))
from golden_artifact import fit_clean_amplitudes  # noqa: E402

mne.set_log_level("ERROR")
# Runs with NumPy 2.4, and keeps the largest value of a histogram: see there.
asrpy.asr.fit_eeg_distribution = fit_clean_amplitudes()

RATE_HZ = 160.0


def high_passed(data: Data, n_channels: int, n_samples: int, run: int = 1) -> Any:
    if n_channels > 64:
        x = data.wide(n_channels, n_samples + 800)
    else:
        x = data.eegmmidb(1, run)[:n_channels, : n_samples + 800]
    sos = butter(2, 1.0, "highpass", fs=RATE_HZ, output="sos")
    return np.ascontiguousarray(sosfilt(sos, x, axis=-1)[:, 800:])


def cap(n_channels: int) -> Any:
    """Positions spread over the upper two thirds of a sphere, in metres."""
    k = np.arange(n_channels) + 0.5
    z = 1.0 - k / n_channels * 4.0 / 3.0
    turn = np.pi * (1.0 + 5.0**0.5) * k
    r = np.sqrt(1.0 - z * z)
    return 0.095 * np.stack([r * np.cos(turn), r * np.sin(turn), z], axis=1)


def raw(x: Any, kinds: Any = "eeg", scale: float = 1.0) -> mne.io.RawArray:
    names = [str(i) for i in range(len(x))]
    info = mne.create_info(names, RATE_HZ, kinds)
    array = mne.io.RawArray(x * scale, info)
    places = dict(zip(names, cap(len(x))))
    array.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    return array.set_eeg_reference([])


def interpolate(data: Data, n_channels: int, n_samples: int) -> Comparison:
    x, places = high_passed(data, n_channels, n_samples), cap(n_channels)
    bads = np.arange(3, n_channels, n_channels // 5)
    goods = np.setdiff1d(np.arange(n_channels), bads)

    def peer() -> Any:
        out = x.copy()
        out[bads] = _make_interpolation_matrix(places[goods], places[bads]) @ x[goods]
        return out

    inputs = [x, places, bads.astype(float)]
    return Comparison("interpolate", inputs, {"MNE": peer})


@case("interpolate/64ch-60s")
def interpolate_64(data: Data) -> Comparison:
    return interpolate(data, 64, 8800)


@case("interpolate/1024ch-10s")
def interpolate_1024(data: Data) -> Comparison:
    return interpolate(data, 1024, 1600)


def density(data: Data, n_channels: int, n_samples: int) -> Comparison:
    array = raw(high_passed(data, n_channels, n_samples))
    sphere = (0.0, 0.0, 0.0, 0.095)

    def peer() -> Any:
        return mne.preprocessing.compute_current_source_density(array, sphere).get_data()

    inputs = [array.get_data(), cap(n_channels), np.zeros(1)]
    return Comparison("current_source_density", inputs, {"MNE": peer})


@case("csd/64ch-55s")
def density_64(data: Data) -> Comparison:
    return density(data, 64, 8800)


@case("csd/306ch-10s")
def density_306(data: Data) -> Comparison:
    return density(data, 306, 1600)


@case("eog_regression/61+3ch-55s")
def eog(data: Data) -> Comparison:
    x = high_passed(data, 64, 8800)
    array = raw(x, ["eeg"] * 61 + ["eog"] * 3)
    model = mne.preprocessing.EOGRegression("eeg", picks_artifact="eog", proj=False)

    def peer() -> Any:
        return model.fit(array).apply(array).get_data()

    return Comparison("eog_regression", [x], {"MNE": peer}, {"n_eog": 3})


def potato(data: Data, n_channels: int) -> Comparison:
    covs = Covariances("oas").transform(data.epochs(120, n_channels, 320))
    model = Potato().fit(covs[:60])
    peers = {
        "pyRiemann, one at a time": lambda: np.array(
            [model.transform(cov[None])[0] for cov in covs[60:]]
        ),
        "pyRiemann, as a batch": lambda: model.transform(covs[60:]),
    }
    return Comparison("potato", [covs[:60], covs[60:]], peers)


WHY_MEAN = "pyRiemann stops its mean at a step of 1e-8, which moves its z-scores by more"


@case("potato/22ch-60", tolerance=1e-6, why=WHY_MEAN)
def potato_22(data: Data) -> Comparison:
    return potato(data, 22)


@case("potato/64ch-60", tolerance=1e-6, why=WHY_MEAN)
def potato_64(data: Data) -> Comparison:
    return potato(data, 64)


@case("asr_calibrate/64ch-55s")
def asr_calibrate(data: Data) -> Comparison:
    x = high_passed(data, 64, 8800)

    def outputs(found: Any) -> list[Any]:
        root, thresholds = found
        return [root @ root, thresholds.T @ thresholds]

    peers = {"asrpy": lambda: asrpy.asr.asr_calibrate(x, RATE_HZ)}
    args = {"rate_hz": RATE_HZ, "cutoff": 20.0}
    return Comparison("asr_calibrate", [x], peers, args, outputs)


def asr_process(data: Data, cutoff: float, n_channels: int, step: int) -> Comparison:
    clean = high_passed(data, n_channels, 8800)
    x = high_passed(data, n_channels, 1600, 4)
    root, thresholds = asrpy.asr.asr_calibrate(clean, RATE_HZ, cutoff=cutoff)
    n_shown = (x.shape[1] - 1) // step * step - 40

    def peer() -> Any:
        rest = np.zeros((n_channels, 8))
        return asrpy.asr.asr_process(
            x, RATE_HZ, root, thresholds, stepsize=step, Zi=rest, mem_splits=1
        )

    args = {
        "rate_hz": RATE_HZ,
        "cutoff": cutoff,
        "n_shown": n_shown,
        "step_samples": step,
    }
    return Comparison(
        "asr_process",
        [x, clean],
        {"asrpy": peer},
        args,
        lambda out: [out[:, 40 : 40 + n_shown]],
    )


@case("asr_process/64ch-10s-cutoff20")
def asr_careful(data: Data) -> Comparison:
    return asr_process(data, 20.0, 64, 32)


@case("asr_process/64ch-10s-cutoff3")
def asr_harsh(data: Data) -> Comparison:
    return asr_process(data, 3.0, 64, 32)


def bad_channels(data: Data, predict: bool) -> Comparison:
    x = high_passed(data, 64, 8800)
    array = raw(x, scale=1e-6)

    def peer() -> Any:
        found = NoisyChannels(array, do_detrend=False, random_state=1)
        found.find_bad_by_deviation()
        found.find_bad_by_hfnoise()
        found.find_bad_by_correlation()
        if predict:
            found.find_bad_by_ransac()
        extra = found._extra_info
        return [
            extra["bad_by_deviation"]["robust_channel_deviations"],
            extra["bad_by_hf_noise"]["hf_noise_zscores"],
            extra["bad_by_correlation"]["bad_window_fractions"],
        ]

    inputs = [x, cap(64)] if predict else [x]
    args = {"rate_hz": RATE_HZ}
    return Comparison("bad_channels", inputs, {"pyprep": peer}, args, list)


@case("bad_channels/64ch-55s")
def bad_plain(data: Data) -> Comparison:
    return bad_channels(data, False)


@case("bad_channels-ransac/64ch-55s")
def bad_ransac(data: Data) -> Comparison:
    return bad_channels(data, True)
