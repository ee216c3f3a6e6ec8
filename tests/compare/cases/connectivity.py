"""Connectivity between all channels, as mne-connectivity measures it."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import mne
import numpy as np
from mne_connectivity import (
    envelope_correlation,
    spectral_connectivity_epochs,
    spectral_connectivity_time,
)
from peers import Comparison, Data, case

mne.set_log_level("ERROR")

RATE_HZ = 250.0
SEVEN = {
    "coherence": "coh",
    "imaginary_coherence": "imcoh",
    "phase_locking": "plv",
    "phase_lag": "pli",
    "weighted_phase_lag": "wpli",
    "directed_phase_lag": "dpli",
    "pairwise_phase_consistency": "ppc",
}
BANDS_HZ = ((4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 45.0))


def recorded(data: Data, n_epochs: int, n_channels: int, n_samples: int = 500) -> Any:
    """Epochs as recorded, taken for 250 Hz, as the peer's figures were measured at."""
    length = n_epochs * n_samples
    if n_channels > 64:
        x = data.wide(n_channels, length)
    else:
        x = np.concatenate([data.eegmmidb(1, run) for run in (4, 8, 12)], axis=1)
        x = x[:n_channels, :length]
    epochs = x.reshape(n_channels, n_epochs, n_samples).transpose(1, 0, 2)
    return np.ascontiguousarray(epochs)


def args(measures: list[str], bands: Any = BANDS_HZ) -> dict[str, Any]:
    edges = [",".join(str(e) for e in side) for side in zip(*bands)]
    return {
        "measures": ",".join(measures),
        "low_hz": edges[0],
        "high_hz": edges[1],
        "rate_hz": RATE_HZ,
    }


def with_jobs(call: Callable[[int], Any]) -> dict[str, Callable[[], Any]]:
    """The peer on one core, and on every core where it may have them."""
    peers = {"mne-connectivity": lambda: call(1)}
    if os.environ.get("OMP_NUM_THREADS") != "1":
        peers["the same, n_jobs=-1"] = lambda: call(os.cpu_count() or 1)
    return peers


def pairs(found: Any) -> list[Any]:
    """``(n_measures * n_bands, n_pairs)``."""
    found = found if isinstance(found, list) else [found]
    maps = []
    for one in found:
        dense = one.get_data("dense")
        rows, cols = np.tril_indices(dense.shape[-3], -1)
        maps.append(np.moveaxis(dense[..., rows, cols, :], -1, -2))
    # Over time the first axis is the epoch: ours holds all measures of one epoch first.
    maps = np.stack(maps, axis=-3)
    return [maps.reshape(-1, maps.shape[-1])]


def over_epochs(
    data: Data,
    measures: list[str],
    n_channels: int = 64,
    shape: tuple[int, int] = (50, 500),
    mode: str = "fourier",
) -> Comparison:
    x = recorded(data, shape[0], n_channels, shape[1])
    low, high = zip(*BANDS_HZ)

    def peer(n_jobs: int) -> Any:
        return spectral_connectivity_epochs(
            x,
            method=[SEVEN[m] for m in measures],
            mode=mode,
            mt_bandwidth=4.0,
            sfreq=RATE_HZ,
            fmin=low,
            fmax=high,
            faverage=True,
            n_jobs=n_jobs,
        )

    return Comparison(
        f"connectivity_{mode}", [x], with_jobs(peer), args(measures), pairs
    )


def single(measure: str) -> None:
    @case(f"epochs-{SEVEN[measure]}/64ch-50x2s", target=3.0)
    def one(data: Data) -> Comparison:
        return over_epochs(data, [measure])


for name in SEVEN:
    single(name)


@case("epochs-all-seven/64ch-50x2s", target=6.0)
def seven(data: Data) -> Comparison:
    return over_epochs(data, list(SEVEN))


@case("epochs-all-seven/306ch-20x2s", target=6.0)
def seven_of_a_helmet(data: Data) -> Comparison:
    return over_epochs(data, list(SEVEN), 306, (20, 500))


@case("epochs-coh/1024ch-5x1s", target=3.0)
def thousand(data: Data) -> Comparison:
    return over_epochs(data, ["coherence"], 1024, (5, 250))


@case("epochs-all-seven-multitaper/64ch-50x2s", target=6.0)
def seven_with_tapers(data: Data) -> Comparison:
    return over_epochs(data, list(SEVEN), mode="multitaper")


@case("envelope-pairwise/64ch-2s", target=3.0)
def envelope(data: Data) -> Comparison:
    window = recorded(data, 1, 64)

    def peer() -> Any:
        return envelope_correlation(window, orthogonalize="pairwise")

    def lower(found: Any) -> list[Any]:
        dense = found.get_data("dense")[0, ..., 0]
        return [dense.T[np.tril_indices(64, -1)][np.newaxis]]

    return Comparison("connectivity_envelope", [window], {"mne-connectivity": peer}, {}, lower)


FREQS_HZ = np.arange(8.0, 14.0)


def over_time(
    data: Data, ours: str, n_epochs: int, measure: str, n_channels: int = 64
) -> Comparison:
    x = recorded(data, n_epochs, n_channels)

    def peer(n_jobs: int) -> Any:
        return spectral_connectivity_time(
            x,
            freqs=FREQS_HZ,
            method=SEVEN[measure],
            sfreq=RATE_HZ,
            fmin=8.0,
            fmax=13.0,
            faverage=True,
            mode="cwt_morlet",
            n_cycles=5.0,
            n_jobs=n_jobs,
        )

    bands = ((8.0, 13.0),)
    peers = with_jobs(peer)
    return Comparison(ours, [x, FREQS_HZ], peers, args([measure], bands), pairs)


def live(measure: str) -> None:
    @case(f"live-time-{SEVEN[measure]}/64ch-2s", target=20.0)
    def one(data: Data) -> Comparison:
        return over_time(data, "connectivity_time_live", 1, measure)


for name in ("coherence", "phase_locking", "phase_lag", "weighted_phase_lag"):
    live(name)


@case("live-time-coh/306ch-2s", target=20.0)
def live_helmet(data: Data) -> Comparison:
    return over_time(data, "connectivity_time_live", 1, "coherence", 306)


@case("time-coh/64ch-5x2s", target=3.0)
def batch_over_time(data: Data) -> Comparison:
    return over_time(data, "connectivity_time", 5, "coherence")


@case("live-seven/64ch-4x0.5s", target=20.0)
def sliding_64(data: Data) -> Comparison:
    return sliding(data, 64)


@case("live-seven/306ch-4x0.5s", target=20.0)
def sliding_306(data: Data) -> Comparison:
    return sliding(data, 306)


def sliding(data: Data, n_channels: int) -> Comparison:
    window = recorded(data, 1, n_channels)[0]
    segments = np.ascontiguousarray(window.reshape(n_channels, 4, 125).transpose(1, 0, 2))
    bands = ((8.0, 13.0),)

    def peer(n_jobs: int) -> Any:
        return spectral_connectivity_epochs(
            segments,
            method=list(SEVEN.values()),
            mode="fourier",
            sfreq=RATE_HZ,
            fmin=8.0,
            fmax=13.0,
            faverage=True,
            n_jobs=n_jobs,
        )

    arguments = {**args(list(SEVEN), bands), "segment_samples": 125}
    return Comparison(
        "connectivity_sliding", [window], with_jobs(peer), arguments, pairs
    )
