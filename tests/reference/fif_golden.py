"""Golden values of FIF files, read by MNE.

    python fif_golden.py DATA_DIR > ../data/golden/fif.json

Checksums as in ``edf_golden.py``, whose ``channel`` makes them. Values are in
microvolts, femtotesla or femtotesla per centimetre; channels of other units, and
trigger channels, are as MNE gives them. Events are (seconds from the first sample,
value), in time order, from the ``-eve.fif`` beside the recording, where there is one.
"""

import json
import sys
import warnings
from pathlib import Path

import mne
from mne._fiff.constants import FIFF

from edf_golden import channel, picked

FACTORS = {FIFF.FIFF_UNIT_V: 1e6, FIFF.FIFF_UNIT_T: 1e15, FIFF.FIFF_UNIT_T_M: 1e13}


def read(path: Path) -> dict:
    raw = mne.io.read_raw_fif(path, preload=True, allow_maxshield=True, verbose="ERROR")
    rate = float(raw.info["sfreq"])
    data = raw.get_data()
    channels = []
    for c in picked(len(raw.ch_names)):
        info = raw.info["chs"][c]
        factor = FACTORS.get(info["unit"], 1.0) if info["kind"] != FIFF.FIFFV_STIM_CH else 1.0
        channels.append(channel(c, rate, data[c] * factor))
    events = []
    beside = path.with_name(path.name[: -len("_raw.fif")] + "-eve.fif")
    if beside.exists():
        found = mne.read_events(beside, verbose="ERROR")
        found = found[found[:, 0].argsort(kind="stable")]
        events = [[float(s - raw.first_samp) / rate, int(v)] for s, _, v in found]
    return {
        "labels": [raw.ch_names[c] for c in picked(len(raw.ch_names))],
        "n_channels": len(raw.ch_names),
        "rate_hz": rate,
        "channels": channels,
        "events": events,
    }


def main() -> None:
    warnings.simplefilter("ignore")
    root = Path(sys.argv[1])
    paths = sorted(root.glob("formats/**/*raw.fif")) + sorted(
        root.glob("ssvep_exoskeleton/subject0[12]/*raw.fif")
    )
    files = {str(p.relative_to(root)): read(p) for p in paths}
    about = {"script": "tests/reference/fif_golden.py", "versions": {"mne": mne.__version__}}
    print(json.dumps({**about, "files": files}, indent=1))


if __name__ == "__main__":
    main()
