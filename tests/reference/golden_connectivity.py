"""Golden values of the spectral connectivity measures, from mne-connectivity.

    python golden_connectivity.py --data-dir DIR --out ../data/golden [--only NAMES]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is read. Five
sensorimotor channels as recorded, in microvolts, rounded to one decimal. Pairs are those
of the lower triangle, row after row, as mne-connectivity orders them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np
from mne_connectivity import (
    envelope_correlation,
    phase_slope_index,
    phase_slope_index_time,
    spectral_connectivity_epochs,
    spectral_connectivity_time,
    symmetric_orth,
)
from numpy.typing import NDArray

from golden import run, eeg

mne.set_log_level("ERROR")
Floats = NDArray[np.float64]

RATE_HZ = 160.0
CHANNELS = ("Fc3", "C3", "Cz", "C4", "Cp4")
MEASURES = {
    "coherence": "coh",
    "imaginary_coherence": "imcoh",
    "phase_locking": "plv",
    "corrected_imaginary_phase_locking": "ciplv",
    "pairwise_phase_consistency": "ppc",
    "phase_lag": "pli",
    "unbiased_squared_phase_lag": "pli2_unbiased",
    "directed_phase_lag": "dpli",
    "weighted_phase_lag": "wpli",
    "debiased_squared_weighted_phase_lag": "wpli2_debiased",
}
OVER_TIME = [
    "coherence",
    "imaginary_coherence",
    "phase_locking",
    "corrected_imaginary_phase_locking",
    "phase_lag",
    "weighted_phase_lag",
]
# The lower edge of the first and the upper edge of the last are frequencies of the
# spectrum, so that it matters whether a band holds its edges.
BANDS_HZ = [[8.0, 12.0], [13.0, 21.0], [8.0, 30.0]]


def recording(data_dir: Path) -> Floats:
    return np.round(eeg(data_dir, CHANNELS), 1)


def epochs(data_dir: Path, n_epochs: int, n_samples: int) -> Floats:
    samples = recording(data_dir)
    starts = 1000 + 640 * np.arange(n_epochs)
    return np.stack([samples[:, s : s + n_samples] for s in starts])


def lower(dense: Any) -> Any:
    """``(n_bands, n_pairs)`` of ``(n_channels, n_channels, n_bands)``."""
    rows, cols = np.tril_indices(dense.shape[0], -1)
    return np.moveaxis(dense[rows, cols], 0, -1)


def over_epochs(x: Floats, **kwargs: Any) -> dict[str, Any]:
    low, high = zip(*BANDS_HZ)
    edges = {"fmin": low, "fmax": high, "sfreq": RATE_HZ, **kwargs}
    names = [*MEASURES, "coherency"]
    found = spectral_connectivity_epochs(
        x, method=[*MEASURES.values(), "cohy"], faverage=True, **edges
    )
    values = {n: lower(c.get_data("dense")) for n, c in zip(names, found)}
    values["real_coherency"] = values.pop("coherency").real
    # The magnitude at each frequency, then the mean over the band.
    each = spectral_connectivity_epochs(x, method="imcoh", faverage=False, **edges)
    dense, freqs = np.abs(each.get_data("dense")), np.array(each.freqs)
    values["abs_imaginary_coherence"] = np.stack(
        [
            lower(dense[..., (freqs >= a) & (freqs <= b)]).mean(axis=0)
            for a, b in BANDS_HZ
        ]
    )
    psi = phase_slope_index(x, **edges)
    values["phase_slope"] = lower(psi.get_data("dense"))
    return values


def fourier_file(data_dir: Path) -> dict[str, Any]:
    x = epochs(data_dir, 9, 160)
    odd = epochs(data_dir, 6, 125)
    return {
        "about": "spectral_connectivity_epochs and phase_slope_index, modes fourier and "
        "multitaper, per band and pair; abs_imaginary_coherence is the band's mean of "
        "|imcoh|. The second input has epochs of an odd length.",
        "rate_hz": RATE_HZ,
        "bands_hz": BANDS_HZ,
        "cases": [
            {"input": x, "mode": "fourier", "values": over_epochs(x, mode="fourier")},
            {"input": odd, "mode": "fourier", "values": over_epochs(odd, mode="fourier")},
            {
                "input": x,
                "mode": "multitaper",
                "bandwidth_hz": 6.0,
                "values": over_epochs(x, mode="multitaper", mt_bandwidth=6.0),
            },
        ],
    }


def strength_file(data_dir: Path) -> dict[str, Any]:
    window = recording(data_dir)[:, 2000:2320]
    length, step = 80, 32
    starts = range(0, 320 - length + 1, step)
    segments = np.stack([window[:, s : s + length] for s in starts])
    # Half-open bands: no frequency of 2 Hz bins lies just below the upper edge.
    bands = [[8.0, 12.0], [12.0, 16.0], [16.0, 24.0], [24.0, 30.0]]
    each = spectral_connectivity_epochs(
        segments, method="imcoh", mode="fourier", sfreq=RATE_HZ, fmin=1.0, fmax=79.0
    )
    dense, freqs = np.abs(each.get_data("dense")), np.array(each.freqs)
    dense = dense + np.swapaxes(dense, 0, 1)
    inside = [(freqs >= a) & (freqs < b) for a, b in bands]
    strength = [dense[..., k].mean(axis=-1).sum(axis=1) / 4.0 for k in inside]
    return {
        "about": "node strength: the mean over the other channels of each band's mean of "
        "|imcoh| (spectral_connectivity_epochs, mode fourier) with the window's segments "
        "as epochs; (n_channels, n_bands)",
        "rate_hz": RATE_HZ,
        "segment_samples": length,
        "segment_step_samples": step,
        "bands_hz": bands,
        "window": window,
        "strength": np.stack(strength, axis=1),
    }


def time_file(data_dir: Path) -> dict[str, Any]:
    x = epochs(data_dir, 2, 320)
    freqs = np.array([8.0, 10.0, 12.0, 15.0, 20.0])
    found = spectral_connectivity_time(
        x,
        freqs=freqs,
        method=[MEASURES[name] for name in OVER_TIME],
        mode="cwt_morlet",
        n_cycles=5.0,
        sfreq=RATE_HZ,
        faverage=False,
    )
    values = {
        name: np.stack([lower(epoch) for epoch in c.get_data("dense")])
        for name, c in zip(OVER_TIME, found)
    }
    slope = phase_slope_index_time(
        x,
        freqs=freqs,
        mode="cwt_morlet",
        n_cycles=5.0,
        sfreq=RATE_HZ,
        fmin=8.0,
        fmax=20.0,
    )
    short = epochs(data_dir, 6, 160)
    at = [0, 37, 80, 159]
    names = [*MEASURES, "coherency"]
    found = spectral_connectivity_epochs(
        short,
        method=[*MEASURES.values(), "cohy"],
        mode="cwt_morlet",
        cwt_freqs=freqs[1:4],
        cwt_n_cycles=5.0,
        fmin=10.0,
        fmax=15.0,
        faverage=True,
        sfreq=RATE_HZ,
    )
    at_times = {
        name: lower(np.moveaxis(c.get_data("dense")[:, :, 0], -1, 2)[..., at])
        for name, c in zip(names, found)
    }
    at_times["real_coherency"] = at_times.pop("coherency").real
    return {
        "about": "spectral_connectivity_time, Morlet wavelets, no smoothing: "
        "(n_epochs, n_freqs, n_pairs); phase_slope_index_time over the frequencies strictly "
        "between 8 and 20 Hz: (n_epochs, n_pairs); and over epochs (spectral_connectivity_epochs, "
        "cwt_morlet, mean over the three frequencies of 10-15 Hz) at the samples in "
        "at_samples: (n_samples, n_pairs)",
        "rate_hz": RATE_HZ,
        "freqs_hz": freqs,
        "n_cycles": 5.0,
        "input": x,
        "values": values,
        "slope_8_to_20_hz": np.stack([lower(e)[0] for e in slope.get_data("dense")]),
        "short_input": short,
        "at_samples": at,
        "short_values": at_times,
    }


def envelope_file(data_dir: Path) -> dict[str, Any]:
    # 307 is prime, so the analytic signal is that of a padded one.
    x = epochs(data_dir, 2, 307)
    x = x - x.mean(axis=-1, keepdims=True)
    x = np.round(x, 1)
    settings = {
        "plain": {"orthogonalize": False},
        "plain_log": {"orthogonalize": False, "log": True},
        "pairwise": {"orthogonalize": "pairwise"},
        "pairwise_signed": {"orthogonalize": "pairwise", "absolute": False},
        "pairwise_log": {"orthogonalize": "pairwise", "log": True},
    }
    values = {}
    for name, kwargs in settings.items():
        dense = envelope_correlation(x, **kwargs).get_data("dense")[..., 0]
        values[name] = np.stack([lower(np.swapaxes(e, 0, 1)) for e in dense])
    return {
        "about": "envelope_correlation per epoch: (n_epochs, n_pairs); symmetric_orth, "
        "every 8th sample: (n_epochs, n_channels, n_samples)",
        "input": x,
        "symmetric_every_8th": symmetric_orth(x)[..., ::8],
        "values": values,
    }


def sliding_envelope_file(data_dir: Path) -> dict[str, Any]:
    """Wavelets as in ``Wavelets`` of the library, written out; mne-connectivity's
    correlation of the complex result, of samples whose wavelets lie inside the window."""
    x = recording(data_dir)[:, 1000:1480]
    freq_hz, n_cycles = 12.0, 4.0
    sigma = n_cycles / (2 * np.pi * freq_hz)
    reach = int(np.ceil(5 * sigma * RATE_HZ)) - 1
    t = np.arange(-reach, reach + 1) / RATE_HZ
    wavelet = np.exp(2j * np.pi * freq_hz * t - t**2 / (2 * sigma**2))
    analytic = np.stack([np.convolve(channel, wavelet, mode="same") for channel in x])
    step = 16
    first, end = -(-reach // step) * step, (480 - reach) // step * step
    settings = {
        "none": {"orthogonalize": False},
        "pairwise": {"orthogonalize": "pairwise"},
        "pairwise_signed": {"orthogonalize": "pairwise", "absolute": False},
    }
    values = {}
    for name, kwargs in settings.items():
        for kind, log in (("amplitude", False), ("log_power", True)):
            found = envelope_correlation([analytic[:, first:end]], log=log, **kwargs)
            dense = found.get_data("dense")[0, ..., 0]
            values[f"{name}/{kind}"] = lower(dense.T[..., np.newaxis])[0]
    return {
        "about": "envelope_correlation of a window's convolution with a Morlet wavelet, samples "
        "from `first` to `end`: n_pairs",
        "input": x,
        "freq_hz": freq_hz,
        "n_cycles": n_cycles,
        "step_samples": step,
        "first": first,
        "end": end,
        "values": values,
    }


FILES = {
    "connectivity_epochs": fourier_file,
    "connectivity_strength": strength_file,
    "connectivity_time": time_file,
    "connectivity_envelope": envelope_file,
    "connectivity_sliding_envelope": sliding_envelope_file,
}


if __name__ == "__main__":
    run(__file__, __doc__, FILES, ("mne-connectivity",), seed=None)
