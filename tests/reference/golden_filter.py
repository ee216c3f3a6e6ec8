"""Golden values of the filters, as small JSON files.

    python golden_filter.py --data-dir DIR --out ../data/golden

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only channel C3 of ``S001/S001R04.edf`` is
read (EEG Motor Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0). The
sampling rates of the designs are made up: a filter knows samples, not seconds.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from golden import run, eeg
from mne.filter import create_filter, filter_data
from numpy.typing import NDArray
from scipy.signal import (
    butter,
    cheby2,
    firwin,
    group_delay,
    iircomb,
    iirnotch,
    lfilter,
    lfilter_zi,
    minimum_phase,
    resample_poly,
    sosfilt,
    sosfilt_zi,
    sosfiltfilt,
    tf2sos,
    upfirdn,
)

Floats = NDArray[np.float64]


def recorded(data_dir: Path, n_samples: int) -> Floats:
    """C3 in microvolts, rounded to nanovolts."""
    x = eeg(data_dir, ("C3",))[0]
    return np.round(x[1000 : 1000 + n_samples], 3)


def delays(b: Floats, a: Floats, freqs_hz: list[float], rate_hz: float) -> Floats:
    return group_delay((b, a), w=freqs_hz, fs=rate_hz)[1]


def sos_case(kind: str, sos: Floats, x: Floats, rate_hz: float, **design: Any) -> dict[str, Any]:
    freqs = [0.03 * rate_hz, 0.11 * rate_hz, 0.23 * rate_hz, 0.41 * rate_hz]
    # Section by section: the polynomials of a whole cascade lose digits.
    delay = sum(delays(s[:3], s[3:], freqs, rate_hz) for s in sos)
    return {
        "kind": kind,
        "rate_hz": rate_hz,
        **design,
        "sos": sos,
        "freqs_hz": freqs,
        "delay_samples": delay,
        "output": sosfilt(sos, x, zi=sosfilt_zi(sos) * x[0])[0],
    }


def iir_file(x: Floats) -> dict[str, Any]:
    cases = []
    for kind, edges in (
        ("lowpass", [30.0]),
        ("highpass", [4.0]),
        ("bandpass", [7.0, 35.0]),
        ("bandstop", [45.0, 55.0]),
    ):
        for order, stop_db, rate in ((2, 20.0, 250.0), (3, 40.0, 160.0), (4, 40.0, 250.0), (7, 60.0, 250.0)):
            band = edges if len(edges) == 2 else edges[0]
            sos = cheby2(order, stop_db, band, btype=kind, fs=rate, output="sos")
            cases.append(sos_case(kind, sos, x, rate, order=order, stop_db=stop_db, edges_hz=edges))
    butterworth = []
    for order in (2, 5):
        sos = butter(order, [8.0, 30.0], btype="bandpass", fs=250.0, output="sos")
        butterworth.append(sos_case("bandpass", sos, x, 250.0, order=order, edges_hz=[8.0, 30.0]))
    harmonics = []
    for line, n, quality, rate in ((50.0, 4, 30.0, 250.0), (60.0, 3, 35.0, 1000.0)):
        numbers = [k for k in range(1, n + 1) if k * line < rate / 2]
        sos = np.vstack([tf2sos(*iirnotch(k * line, k * quality, fs=rate)) for k in numbers])
        harmonics.append(
            sos_case("harmonics", sos, x, rate, line_hz=line, n_harmonics=n, quality=quality)
        )
    combs = []
    for line, quality, rate, odd in (
        (50.0, 30.0, 250.0, False),
        (50.0, 10.0, 1000.0, False),
        (50.0, 30.0, 400.0, True),
        (60.0, 20.0, 1200.0, True),
    ):
        if odd:
            b, a = iircomb(2 * line, 2 * quality, ftype="notch", fs=rate, pass_zero=True)
        else:
            b, a = iircomb(line, quality, ftype="notch", fs=rate)
        freqs = [0.2 * line, 0.7 * line, 1.4 * line]
        combs.append(
            {
                "teeth": "odd" if odd else "every",
                "line_hz": line,
                "quality": quality,
                "rate_hz": rate,
                "delay": len(b) - 1,
                "b": [b[0], b[-1]],
                "a": a[-1],
                "freqs_hz": freqs,
                "delay_samples": delays(b, a, freqs, rate),
                "output": lfilter(b, a, x, zi=lfilter_zi(b, a) * x[0])[0],
            }
        )
    return {
        "about": "scipy.signal cheby2, butter, iirnotch (harmonic k with k times the quality) and "
        "iircomb; sosfilt or lfilter of `input` from the steady state of its first sample; "
        "group_delay in samples, summed over sections.",
        "input": x,
        "chebyshev": cases,
        "butterworth": butterworth,
        "harmonics": harmonics,
        "combs": combs,
    }


def fir_case(h: Floats, x: Floats, rate_hz: float, **design: Any) -> dict[str, Any]:
    freqs = [0.02 * rate_hz, 0.05 * rate_hz, 0.09 * rate_hz]
    return {
        "rate_hz": rate_hz,
        **design,
        "taps": h,
        "freqs_hz": freqs,
        "delay_samples": delays(h, np.ones(1), freqs, rate_hz),
        "output": lfilter(h, [1.0], x, zi=lfilter_zi(h, [1.0]) * x[0])[0],
    }


def fir_file(x: Floats) -> dict[str, Any]:
    bands = {
        "lowpass": ([30.0], "lowpass"),
        "highpass": ([6.0], "highpass"),
        "bandpass": ([8.0, 30.0], "bandpass"),
        "bandstop": ([20.0, 60.0], "bandstop"),
    }
    tapers: dict[str, Any] = {
        "hamming": "hamming",
        "hann": "hann",
        "blackman": "blackman",
        "kaiser": ("kaiser", 5.0),
    }
    windowed = []
    for k, (kind, (edges, pass_zero)) in enumerate(bands.items()):
        for name in list(tapers)[k % 2 :: 2]:
            cutoff = edges if len(edges) == 2 else edges[0]
            h = firwin(41, cutoff, window=tapers[name], pass_zero=pass_zero, fs=250.0)
            windowed.append(fir_case(h, x, 250.0, kind=kind, edges_hz=edges, taper=name))
    h = firwin(24, 30.0, window="hamming", fs=250.0)
    windowed.append(fir_case(h, x, 250.0, kind="lowpass", edges_hz=[30.0], taper="hamming"))
    transitions = []
    for kind, low, high, widths, taper, rate in (
        ("lowpass", None, 40.0, None, "hamming", 160.0),
        ("highpass", 1.0, None, None, "hamming", 60.0),
        ("bandpass", 8.0, 30.0, None, "hamming", 160.0),
        ("bandpass", 8.0, 30.0, [4.0, 6.0], "hann", 160.0),
        ("bandpass", 4.0, 70.0, None, "blackman", 160.0),
        ("bandstop", 40.0, 60.0, [5.0, 5.0], "hamming", 160.0),
    ):
        l_trans, h_trans = widths or ["auto", "auto"]
        edges = [e for e in (low, high) if e is not None]
        if kind == "bandstop":
            low, high, l_trans, h_trans = high, low, h_trans, l_trans
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = {
                phase: create_filter(
                    None,
                    rate,
                    low,
                    high,
                    l_trans_bandwidth=l_trans,
                    h_trans_bandwidth=h_trans,
                    phase=phase,
                    fir_window=taper,
                    verbose="ERROR",
                )
                for phase in ("zero", "minimum")
            }
        transitions.append(
            {
                "kind": kind,
                "edges_hz": edges,
                "widths_hz": widths,
                "taper": taper,
                "rate_hz": rate,
                "taps": made["zero"],
                "minimum": made["minimum"],
            }
        )
    minimum = []
    for n in (21, 64, 101):
        h = firwin(n, 30.0, window="hamming", fs=250.0)
        kept = minimum_phase(h, half=False)
        minimum.append(
            {
                "linear": h,
                "square_root": minimum_phase(h),
                **fir_case(kept, x, 250.0),
            }
        )
    return {
        "about": "taps of scipy.signal.firwin (windowed), of mne.filter.create_filter (transitions; "
        "taps for phase zero, minimum for phase minimum; widths_hz null: auto) and of "
        "scipy.signal.minimum_phase (square_root; taps: half=False); lfilter of `input` from "
        "lfilter_zi * input[0]; group_delay in samples.",
        "input": x,
        "windowed": windowed,
        "transitions": transitions,
        "minimum": minimum,
    }


def resample_file(x: Floats) -> dict[str, Any]:
    cases = []
    for up, down in ((1, 2), (2, 1), (5, 8), (16, 25), (3, 7), (25, 16)):
        most = max(up, down)
        h = firwin(20 * most + 1, 1 / most, window=("kaiser", 5.0)) * up
        cases.append(
            {
                "up": up,
                "down": down,
                "taps": len(h),
                "upfirdn": upfirdn(h, x, up, down),
                # Centred: shifted by the delay of 10 * most ticks.
                "resample_poly": resample_poly(x, up, down),
            }
        )
    return {
        "about": "scipy.signal.upfirdn with resample_poly's filter (its whole tail included), and "
        "resample_poly itself, which takes the delay back.",
        "input": x,
        "cases": cases,
    }


def zero_phase_file(x: Floats) -> dict[str, Any]:
    signal = np.stack([x, x[::-1] * 0.5 + 3.0])
    sos_cases = []
    for padding in ("odd", "even", "constant", None):
        sos = butter(4, [8.0, 30.0], btype="bandpass", fs=160.0, output="sos")
        sos_cases.append(
            {
                "padding": padding or "none",
                "sos": sos,
                "output": sosfiltfilt(sos, signal, axis=1, padtype=padding),
            }
        )
    sos = butter(3, 20.0, fs=160.0, output="sos")
    sos_cases.append(
        {"padding": "odd", "sos": sos, "output": sosfiltfilt(sos, signal, axis=1)}
    )
    fir_cases = []
    for low, high in ((8.0, 30.0), (None, 30.0), (0.5, None)):
        h = create_filter(None, 160.0, low, high, verbose="ERROR")
        with warnings.catch_warnings():
            # The last is longer than the signal, on purpose.
            warnings.simplefilter("ignore")
            y = filter_data(signal, 160.0, low, high, verbose="ERROR")
        fir_cases.append({"edges_hz": [low, high], "taps": h, "output": y})
    return {
        "about": "scipy.signal.sosfiltfilt with its padding types, and mne.filter.filter_data "
        "(phase zero, padding reflect_limited) of `signal`, (n_channels, n_samples) at 160 Hz.",
        "signal": signal,
        "sos": sos_cases,
        "fir": fir_cases,
    }


if __name__ == "__main__":
    files = {
        "filter_iir": lambda d: iir_file(recorded(d, 200)),
        "filter_fir": lambda d: fir_file(recorded(d, 200)),
        "filter_resample": lambda d: resample_file(recorded(d, 300)),
        "filter_zero_phase": lambda d: zero_phase_file(recorded(d, 400)),
    }
    run(__file__, __doc__, files, seed=None)
