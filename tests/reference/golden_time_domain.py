"""Golden values of what is said of a window without a spectrum, and of its bands.

Inputs are stored beside the results. They are cut from recordings: EEG of EEGMMIDB
(doi:10.13026/C28G6P, ODC-By 1.0), unfiltered, rounded to 0.01 microvolts; windows of 2 s
with a blink, with alpha, and of a noisy rim.

    python golden_time_domain.py --data-dir DIR --out ../data/golden

``DIR`` holds EEGMMIDB as PhysioNet lays it out; ``S001/S001R04.edf`` is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import antropy
import numpy as np
from scipy.signal import welch

from golden import run, eeg, Floats

RATE_HZ = 160.0
CHANNELS = ("C3", "Oz", "Fp1", "Cz")
WINDOW = 320
STARTS = (800, 6400, 12_345)
BANDS_HZ = ((8.0, 12.0), (12.0, 16.0), (16.0, 24.0), (24.0, 30.0))
TOTAL_HZ = (1.0, 45.0)


def windows(data_dir: Path) -> Floats:
    """Windows ``(n_windows, n_channels, n_samples)`` of S001R04 in microvolts."""
    x = np.round(eeg(data_dir, CHANNELS), 2)
    return np.stack([x[:, start : start + WINDOW] for start in STARTS])


def activity(x: Floats) -> Floats:
    """Variance along the last axis, divided by the number of samples (NumPy)."""
    return np.var(x, axis=-1)


def bins(freqs: Floats, low: float, high: float) -> Any:
    """`low <= f < high`."""
    return (freqs >= low) & (freqs < high)


def band_values(x: Floats) -> dict[str, Any]:
    """Welch (Hann, 1 s, half overlap) of each channel and what is said of its bands."""
    freqs, psd = welch(x, RATE_HZ, "hann", int(RATE_HZ), int(RATE_HZ) // 2, axis=-1)
    total = bins(freqs, *TOTAL_HZ)
    resolution = freqs[1] - freqs[0]
    each = [bins(freqs, low, high) for low, high in BANDS_HZ]
    return {
        "mean_power": np.stack([psd[..., b].mean(-1) for b in each], -1),
        "absolute_power": np.stack([psd[..., b].sum(-1) * resolution for b in each], -1),
        "relative_power": np.stack([psd[..., b].sum(-1) / psd[..., total].sum(-1) for b in each], -1),
    }


def spectral_entropy(x: Floats) -> Floats:
    """antropy's over all bins of the same Welch, normalised."""
    segment = int(RATE_HZ)
    return np.array(
        [
            antropy.spectral_entropy(
                row, RATE_HZ, method="welch", nperseg=segment, normalize=True
            )
            for row in x
        ]
    )


def time_domain_file(data_dir: Path) -> dict[str, Any]:
    cases = []
    for x in windows(data_dir):
        mobility, complexity = antropy.hjorth_params(x, axis=-1)
        cases.append(
            {
                "samples": x,
                "activity": activity(x),
                "log_variance": np.log(activity(x)),
                "mobility": mobility,
                "complexity": complexity,
                "line_length": np.abs(np.diff(x, axis=-1)).mean(-1),
                "spectral_entropy": spectral_entropy(x),
                **band_values(x),
            }
        )
    return {
        "about": "antropy.hjorth_params (mobility, complexity) and "
        "antropy.spectral_entropy(method='welch', normalize=True); numpy.var; "
        "mean of numpy.abs(numpy.diff); scipy.signal.welch and sums over bins.",
        "rate_hz": RATE_HZ,
        "bands_hz": BANDS_HZ,
        "total_hz": TOTAL_HZ,
        "cases": cases,
    }


if __name__ == "__main__":
    run(
        __file__,
        __doc__,
        {"time_domain": time_domain_file},
        ("antropy", "numpy", "scipy", "mne"),
        seed=None,
    )
