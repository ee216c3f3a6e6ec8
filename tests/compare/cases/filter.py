"""Causal filters in chunks, as SciPy runs them: one call is a whole recording in chunks.

SciPy gets its chunks as ``(n_channels, n)``, channels contiguous, which is the layout that
it is fastest in; ours gets them frame after frame, as they arrive from a source.
"""

from typing import Any

import numpy as np
from peers import Comparison, Data, case
from scipy.signal import butter, iirnotch, sosfilt, tf2sos

CHUNK = 10


def recording(data: Data, n_channels: int) -> Any:
    """``(n_channels, 400)``: short, so that neither side waits for memory."""
    x = data.eegmmidb() if n_channels <= 64 else data.wide(n_channels, 400)
    return np.ascontiguousarray(x[:n_channels, :400])


def sos_chunks(data: Data, n_channels: int, rate_hz: float) -> Comparison:
    x = recording(data, n_channels)
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
