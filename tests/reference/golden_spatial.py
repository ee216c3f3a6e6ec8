"""Golden values of channel algebra: spline interpolation, current source density, REST.

    python golden_spatial.py --data-dir DIR --out ../data/golden

``DIR`` holds EEGMMIDB as PhysioNet lays it out; ``S001/S001R01.edf`` is read (EEG Motor
Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mne
import numpy as np

from golden import run

N_SAMPLES = 12
BADS = ["C3", "Oz", "T10"]
ORIGIN_M = (0.001, 0.012, 0.035)
RADIUS_M = 0.094


def recording(data_dir: Path, channels: slice) -> mne.io.RawArray:
    """Samples of S001R01 from 10 s on at the places MNE's template gives, in microvolts."""
    raw = mne.io.read_raw_edf(data_dir / "S001/S001R01.edf", verbose="ERROR")
    mne.datasets.eegbci.standardize(raw)
    samples = raw.get_data(units="uV")[channels, 1600 : 1600 + N_SAMPLES]
    names = raw.ch_names[channels]
    template = mne.channels.make_standard_montage("standard_1005").get_positions()
    places = {name: np.round(template["ch_pos"][name], 5) for name in names}
    info = mne.create_info(names, raw.info["sfreq"], "eeg")
    array = mne.io.RawArray(np.round(samples, 3), info, verbose="ERROR")
    array.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"))
    return array


def splines(data_dir: Path) -> dict[str, Any]:
    raw = recording(data_dir, slice(None))
    bad = raw.copy()
    bad.info["bads"] = list(BADS)
    bad.interpolate_bads(origin=ORIGIN_M, mode="accurate", verbose="ERROR")
    density = [
        mne.preprocessing.compute_current_source_density(
            raw, sphere=(*ORIGIN_M, RADIUS_M), stiffness=m, lambda2=lambda2
        ).get_data()
        for m, lambda2 in ((4, 1e-5), (3, 1e-4))
    ]
    return {
        "about": "MNE's interpolate_bads and compute_current_source_density of EEG",
        "labels": raw.ch_names,
        "positions_m": raw._get_channel_positions(),
        "centre_m": ORIGIN_M,
        "radius_m": RADIUS_M,
        "samples": raw.get_data(),
        "bads": BADS,
        "interpolated": bad.get_data(BADS),
        "density": density[0],
        "density_stiffness_3_lambda_1e-4": density[1],
    }


def infinity(data_dir: Path) -> dict[str, Any]:
    raw = recording(data_dir, slice(0, 64, 4))
    sphere = mne.make_sphere_model((0.0, 0.0, 0.04), 0.095, verbose="ERROR")
    source = mne.setup_volume_source_space(
        pos=40.0, sphere=sphere, sphere_units="m", exclude=15.0, verbose="ERROR"
    )
    forward = mne.make_forward_solution(
        raw.info, None, source, sphere, meg=False, verbose="ERROR"
    )
    field = forward["sol"]["data"]
    field[:] = np.round(field / np.abs(field).max(), 5)
    rest, _ = mne.set_eeg_reference(raw.copy(), "REST", forward=forward, verbose="ERROR")
    return {
        "about": "MNE's REST with the lead field (channels, sources) of a layered sphere",
        "labels": raw.ch_names,
        "lead_field": field,
        "samples": raw.get_data(),
        "rest": rest.get_data(),
    }


if __name__ == "__main__":
    run(__file__, __doc__, {"spline": splines, "rest": infinity})
