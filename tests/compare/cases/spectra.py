"""Spectra and Morlet power, as SciPy and MNE compute them."""

import numpy as np
from mne.time_frequency import psd_array_multitaper, psd_array_welch, tfr_array_morlet
from peers import Comparison, Data, case
from scipy.signal import welch

SIZES = {"64ch-60s-250Hz": (64, 250), "306ch-60s-1kHz": (306, 1000)}


def welch_case(data: Data, size: str, kind: str) -> Comparison:
    n_channels, rate = SIZES[size]
    x = data.wide(n_channels, 60 * rate)
    segment = 2 * rate
    y = x.astype(np.float32) if kind == "welch_f32" else x
    peers = {
        "SciPy": lambda: welch(y, rate, nperseg=segment)[1],
        "MNE": lambda: psd_array_welch(
            y, rate, n_fft=segment, n_overlap=rate, window="hann", verbose="ERROR"
        )[0],
    }
    args = {"rate_hz": rate, "segment_samples": segment, "overlap_samples": rate}
    return Comparison(kind, [x], peers, args)


@case("welch/64ch-60s-250Hz", target=2.5)
def welch_64(data: Data) -> Comparison:
    return welch_case(data, "64ch-60s-250Hz", "welch")


@case("welch/306ch-60s-1kHz", target=2.5)
def welch_306(data: Data) -> Comparison:
    return welch_case(data, "306ch-60s-1kHz", "welch")


@case("welch-f32/64ch-60s-250Hz", target=4.0, tolerance=1e-4)
def welch_f32_64(data: Data) -> Comparison:
    return welch_case(data, "64ch-60s-250Hz", "welch_f32")


@case("welch-f32/306ch-60s-1kHz", target=4.0, tolerance=1e-4)
def welch_f32_306(data: Data) -> Comparison:
    return welch_case(data, "306ch-60s-1kHz", "welch_f32")


@case("welch/1024ch-10s-1kHz", target=2.5)
def welch_1024(data: Data) -> Comparison:
    x = data.wide(1024, 10_000)
    args = {"rate_hz": 1000, "segment_samples": 2000, "overlap_samples": 1000}
    return Comparison("welch", [x], {"SciPy": lambda: welch(x, 1000, nperseg=2000)[1]}, args)


WHY_LIVE = (
    "ours takes the newest segment from hop to hop, on the same samples: its transforms "
    "are the work of a hop, its values those of other windows"
)


def live(data: Data, n_channels: int, rate_hz: int) -> Comparison:
    x = data.wide(n_channels, 2 * rate_hz)
    n_overlap = rate_hz // 2
    args = {
        "rate_hz": rate_hz,
        "segment_samples": rate_hz,
        "overlap_samples": n_overlap,
        "hop_samples": rate_hz // 10,
    }
    peers = {
        "SciPy": lambda: welch(x, rate_hz, nperseg=rate_hz)[1],
        "MNE": lambda: psd_array_welch(
            x, rate_hz, n_fft=rate_hz, n_overlap=n_overlap, window="hann", verbose="ERROR"
        )[0],
    }
    return Comparison("welch_live", [x], peers, args)


@case("welch-live/64ch-2s-250Hz", tolerance=None, why=WHY_LIVE)
def live_64(data: Data) -> Comparison:
    return live(data, 64, 250)


@case("welch-live/306ch-2s-1kHz", tolerance=None, why=WHY_LIVE)
def live_306(data: Data) -> Comparison:
    return live(data, 306, 1000)


def multitaper_case(x: np.ndarray, rate: float, *, adaptive: bool) -> Comparison:
    ours = "multitaper_adaptive" if adaptive else "multitaper"
    return Comparison(
        ours,
        [x],
        {
            "MNE": lambda: psd_array_multitaper(
                x, rate, bandwidth=4.0, adaptive=adaptive, verbose="ERROR"
            )[0]
        },
        {"rate_hz": rate, "bandwidth_hz": 4.0},
        outputs=lambda psd: [psd.reshape(-1, psd.shape[-1])],
    )


@case("multitaper/30x64ch-2s-250Hz", target=3.0)
def multitaper_64(data: Data) -> Comparison:
    x = data.wide(64, 15000).reshape(64, 30, 500).transpose(1, 0, 2)
    return multitaper_case(np.ascontiguousarray(x), 250.0, adaptive=False)


@case("multitaper/306ch-2s-1kHz")
def multitaper_306(data: Data) -> Comparison:
    return multitaper_case(data.wide(306, 2000), 1000.0, adaptive=False)


@case("multitaper-adaptive/64ch-2s-250Hz")
def multitaper_adaptive(data: Data) -> Comparison:
    return multitaper_case(data.wide(64, 500), 250.0, adaptive=True)


@case("morlet-power/20x22ch-750")
def morlet_power(data: Data) -> Comparison:
    x = data.epochs(20, 22, 750)
    freqs = 4.0 * np.arange(10) + 8.0
    return Comparison(
        "morlet_power",
        [x],
        {
            "MNE": lambda: tfr_array_morlet(
                x,
                160.0,
                freqs,
                n_cycles=7.0,
                zero_mean=True,
                output="avg_power",
                verbose="ERROR",
            )
        },
        {"rate_hz": 160.0},
        outputs=lambda power: [power.reshape(-1, power.shape[-1])],
    )
