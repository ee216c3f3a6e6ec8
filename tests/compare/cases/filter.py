"""Causal filters in chunks, as SciPy runs them: one call is a whole recording in chunks.

SciPy gets its chunks as ``(n_channels, n)``, channels contiguous, which is the layout that
it is fastest in; ours gets them frame after frame, as they arrive from a source.
"""

from typing import Any

import numpy as np
from peers import Comparison, Data, case
from scipy.signal import butter, firwin, iirnotch, lfilter, sosfilt, tf2sos, upfirdn

CHUNK = 10


def recording(data: Data, n_channels: int, n_samples: int = 400) -> Any:
    """``(n_channels, n_samples)``."""
    x = data.eegmmidb() if n_channels <= 64 else data.wide(n_channels, n_samples)
    return np.ascontiguousarray(x[:n_channels, :n_samples])


def sos_chunks(data: Data, n_channels: int, rate_hz: float) -> Comparison:
    # Of one size in memory, and a small one: a chunk of a stream has just been written.
    x = recording(data, n_channels, 400 * 64 // n_channels // CHUNK * CHUNK)
    band = butter(4, [8, 30], btype="bandpass", fs=rate_hz, output="sos")
    sos = np.vstack([band, tf2sos(*iirnotch(50, 30, fs=rate_hz))])
    chunks = [np.ascontiguousarray(x[:, k : k + CHUNK]) for k in range(0, x.shape[1], CHUNK)]

    def scipy() -> list[Any]:
        zi = np.zeros((len(sos), n_channels, 2))
        out = []
        for chunk in chunks:
            y, zi = sosfilt(sos, chunk, axis=1, zi=zi)
            out.append(y)
        return out

    return Comparison(
        "sos_chunks",
        [x.T, sos],
        {"SciPy sosfilt": scipy},
        args={"chunk": CHUNK},
        outputs=lambda out: [np.concatenate(out, axis=1).T],
    )


@case("bandpass+notch/64ch-10samples", target=10.0)
def sos_64(data: Data) -> Comparison:
    return sos_chunks(data, 64, 250.0)


@case("bandpass+notch/306ch-10samples", target=10.0)
def sos_306(data: Data) -> Comparison:
    return sos_chunks(data, 306, 1000.0)


@case("bandpass+notch/1024ch-10samples", target=10.0)
def sos_1024(data: Data) -> Comparison:
    return sos_chunks(data, 1024, 1000.0)


def fir_chunks(data: Data, n_channels: int) -> Comparison:
    x = recording(data, n_channels)
    taps = firwin(265, [7, 33.75], window="hamming", pass_zero=False, fs=160)
    chunks = [np.ascontiguousarray(x[:, k : k + CHUNK]) for k in range(0, x.shape[1], CHUNK)]

    def scipy() -> list[Any]:
        zi = np.zeros((n_channels, len(taps) - 1))
        out = []
        for chunk in chunks:
            y, zi = lfilter(taps, [1.0], chunk, axis=1, zi=zi)
            out.append(y)
        return out

    return Comparison(
        "fir_chunks",
        [x.T, taps],
        {"SciPy lfilter": scipy},
        args={"chunk": CHUNK},
        outputs=lambda out: [np.concatenate(out, axis=1).T],
    )


def resample_chunks(data: Data, n_channels: int, up: int, down: int) -> Comparison:
    x = recording(data, n_channels)
    most = max(up, down)
    taps = firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0)) * up
    n = -(-x.shape[1] * up // down)
    # SciPy resamples no stream: it gets the recording whole, ours comes in chunks.
    return Comparison(
        "resample_chunks",
        [x.T],
        {"SciPy upfirdn": lambda: upfirdn(taps, x, up, down, axis=1)},
        args={"chunk": CHUNK, "up": up, "down": down},
        outputs=lambda y: [y[:, :n].T],
    )


@case("fir-265taps/64ch-10samples")
def fir_64(data: Data) -> Comparison:
    return fir_chunks(data, 64)


@case("fir-265taps/306ch-10samples")
def fir_306(data: Data) -> Comparison:
    return fir_chunks(data, 306)


@case("resample-16:25/64ch-10samples")
def resample_64(data: Data) -> Comparison:
    return resample_chunks(data, 64, 16, 25)


@case("resample-1:4/306ch-10samples")
def resample_306(data: Data) -> Comparison:
    return resample_chunks(data, 306, 1, 4)
