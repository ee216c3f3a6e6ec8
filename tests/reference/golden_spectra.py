"""Golden values of spectra and of power over time and frequency, as JSON files.

Inputs are stored beside the results. They are cut from recordings: EEG of EEGMMIDB
(doi:10.13026/C28G6P, ODC-By 1.0), unfiltered, rounded to 0.01 microvolts.

    python golden_spectra.py --data-dir DIR --out ../data/golden [--only burg,morlet]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; ``S001/S001R04.edf`` is read.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import fooof
import fooof.objs.fit
import numpy as np
from fooof import FOOOF
from mne.baseline import rescale
from mne.time_frequency import psd_array_multitaper, tfr_array_morlet
from scipy.optimize import curve_fit
from scipy.signal import welch
from scipy.signal.windows import dpss
from statsmodels.regression.linear_model import burg

from golden import run, eeg, Floats

RATE_HZ = 160.0
CHANNELS = ("C3", "Oz", "Fp1", "Cz")


def recording(data_dir: Path) -> Floats:
    """Four channels of S001R04 in microvolts."""
    return np.round(eeg(data_dir, CHANNELS), 2)



def dpss_file(data_dir: Path) -> dict[str, Any]:
    del data_dir
    cases = []
    for n, half_bandwidth, n_tapers in ((32, 2.5, 5), (101, 4.0, 8), (320, 4.0, 7), (256, 8.0, 15)):
        for is_symmetric in (True, False):
            tapers, ratios = dpss(
                n, half_bandwidth, n_tapers, sym=is_symmetric, norm=2, return_ratios=True
            )
            rows = [0, 1, n_tapers - 1]
            cases.append(
                {
                    "n_samples": n,
                    "half_bandwidth": half_bandwidth,
                    "n_tapers": n_tapers,
                    "is_symmetric": is_symmetric,
                    "rows": rows,
                    "tapers": tapers[rows],
                    "concentrations": ratios,
                }
            )
    return {
        "about": "scipy.signal.windows.dpss(norm=2): the tapers of number `rows`, and the "
        "concentrations of all.",
        "cases": cases,
    }


def multitaper_file(data_dir: Path) -> dict[str, Any]:
    x = recording(data_dir)
    cases = []
    for n, bandwidth_hz in ((320, 4.0), (321, 6.0)):
        part = x[:, 1600 : 1600 + n]
        for is_adaptive in (False, True):
            for is_low_bias in (True, False):
                psd, freqs = psd_array_multitaper(
                    part,
                    RATE_HZ,
                    bandwidth=bandwidth_hz,
                    adaptive=is_adaptive,
                    low_bias=is_low_bias,
                    normalization="full",
                    verbose="ERROR",
                )
                cases.append(
                    {
                        "input": part,
                        "bandwidth_hz": bandwidth_hz,
                        "is_adaptive": is_adaptive,
                        "is_low_bias": is_low_bias,
                        "frequencies_hz": freqs,
                        "psd": psd,
                    }
                )
    return {
        "about": "mne.time_frequency.psd_array_multitaper(normalization='full') of four channels.",
        "rate_hz": RATE_HZ,
        "cases": cases,
    }


def burg_file(data_dir: Path) -> dict[str, Any]:
    x = recording(data_dir)
    cases = []
    for n, order in ((40, 6), (160, 19), (320, 2)):
        for samples in x[:3, 3200 : 3200 + n]:
            coefficients, residual = burg(samples, order)
            centred = samples - samples.mean()
            variance = np.mean(centred**2)
            # The reflection coefficients again, from the models of each order.
            for p in range(1, order + 1):
                variance *= 1 - burg(samples, p)[0][-1] ** 2
            n_fft = 160
            response = np.fft.rfft(np.r_[1, -coefficients], n_fft)
            psd = 2 * variance / RATE_HZ / np.abs(response) ** 2
            psd[[0, -1]] /= 2
            cases.append(
                {
                    "input": samples,
                    "order": order,
                    "coefficients": coefficients,
                    "residual_variance": residual,
                    "noise_variance": variance,
                    "n_fft": n_fft,
                    "psd": psd,
                }
            )
    return {
        "about": "statsmodels.regression.linear_model.burg; noise_variance is the mean square "
        "times 1 - k^2 of each order's reflection coefficient k, and psd follows from it.",
        "rate_hz": RATE_HZ,
        "cases": cases,
    }


def morlet_file(data_dir: Path) -> dict[str, Any]:
    x = recording(data_dir)[:2]
    n, starts = 250, (800, 2400, 4000)
    epochs = np.stack([x[:, s : s + n] for s in starts])
    freqs, cycles = np.array([8.0, 11.5, 24.0]), np.array([3.0, 4.0, 7.0])
    keep = slice(0, n, 10)
    cases = []
    for zero_mean in (False, True):
        tfr = {
            output: tfr_array_morlet(
                epochs,
                RATE_HZ,
                freqs,
                n_cycles=cycles,
                zero_mean=zero_mean,
                output=output,
                verbose="ERROR",
            )
            for output in ("complex", "avg_power", "itc")
        }
        cases.append(
            {
                "zero_mean": zero_mean,
                "re": tfr["complex"][0, 0][:, keep].real,
                "im": tfr["complex"][0, 0][:, keep].imag,
                "average_power": tfr["avg_power"][..., keep],
                "itc": tfr["itc"][..., keep],
            }
        )
    power = tfr["avg_power"]
    times = np.arange(n) / RATE_HZ
    baseline = (times[30], times[89])
    modes = ["mean", "ratio", "logratio", "percent", "zscore", "zlogratio", "meanlogratio"]
    return {
        "about": "mne.time_frequency.tfr_array_morlet of three epochs of two channels: complex "
        "of the first epoch's first channel, average power and itc; maps: mne.baseline.rescale "
        "of the average power with zero_mean over the samples 30..90. Every tenth sample.",
        "rate_hz": RATE_HZ,
        "frequencies_hz": freqs,
        "n_cycles": cycles,
        "epochs": epochs,
        "cases": cases,
        "maps": {
            mode: rescale(power, times, baseline, mode, verbose=False)[..., keep] for mode in modes
        },
    }


def specparam_file(data_dir: Path) -> dict[str, Any]:
    x = recording(data_dir)
    freqs, psds = welch(x, RATE_HZ, nperseg=320)
    cases = []
    for psd in psds:
        for mode in ("fixed", "knee"):
            for low_hz, high_hz, width in ((2.0, 40.0, (0.5, 12.0)), (3.0, 50.0, (1.0, 8.0))):
                fits = []
                for tolerance in (1e-8, 1e-12):
                    model = FOOOF(
                        peak_width_limits=width,
                        max_n_peaks=5,
                        aperiodic_mode=mode,
                        verbose=False,
                    )
                    model._maxfev = 100000
                    fooof.objs.fit.curve_fit = partial(
                        curve_fit, ftol=tolerance, xtol=tolerance, gtol=tolerance
                    )
                    model.fit(freqs, psd, [low_hz, high_hz])
                    fits.append(
                        {
                            "tolerance": tolerance,
                            "aperiodic": model.aperiodic_params_,
                            "gaussians": model.gaussian_params_,
                            "peaks": model.peak_params_,
                            "r_squared": model.r_squared_,
                            "error": model.error_,
                        }
                    )
                cases.append(
                    {
                        "psd": psd,
                        "mode": mode,
                        "range_hz": [low_hz, high_hz],
                        "width_hz": width,
                        "fits": fits,
                    }
                )
    return {
        "about": "fooof.FOOOF(max_n_peaks=5) of Welch densities of four channels over "
        "two minutes, at the default tolerance of its optimiser and at a small one.",
        "frequencies_hz": freqs,
        "cases": cases,
    }


FILES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "dpss": dpss_file,
    "multitaper": multitaper_file,
    "burg": burg_file,
    "morlet": morlet_file,
    "specparam": specparam_file,
}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("fooof", "statsmodels"))
