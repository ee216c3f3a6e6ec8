"""Golden values of EDF and BDF files, read by pyEDFlib (and MNE where it refuses).

    python edf_golden.py DATA_DIR > ../data/golden/edf.json

Per file: the rate, and for some channels checksums in which every sample takes part:
`sum`, `weighted` = sum of x[i] * (i % 997 + 1), `scale` = the same sum of |x[i]|, and
the first and last three samples. Values are in microvolts where the physical dimension
is a voltage, else as written. Annotations are (onset, duration, text), onset in seconds
from the first sample. Files whose scaling is exact in single precision carry the
SHA-256 of all samples, channel after channel, as little-endian float32.
"""

import hashlib
import json
import sys
import warnings
from pathlib import Path

import mne
import numpy as np
import pyedflib

FACTORS = {"V": 1e6, "mV": 1e3, "uV": 1.0, "µV": 1.0, "nV": 1e-3}
HASHED = ["eegmmidb/S001/S001R01.edf", "eegmmidb/S001/S001R04.edf", "eegmmidb/S010/S010R12.edf"]
MAX_CHANNELS = 9


def picked(n):
    """At most MAX_CHANNELS channels, the last among them."""
    return list(range(n)) if n <= MAX_CHANNELS else [*range(MAX_CHANNELS - 1), n - 1]


def channel(index, rate, x):
    x = np.asarray(x, dtype=np.float64)
    weights = np.arange(len(x)) % 997 + 1
    return {
        "signal": index,
        "rate_hz": rate,
        "n_samples": len(x),
        "sum": float(x.sum()),
        "weighted": float((x * weights).sum()),
        "scale": float((np.abs(x) * weights).sum()),
        "first": x[:3].tolist(),
        "last": x[-3:].tolist(),
    }


def by_pyedflib(path):
    with pyedflib.EdfReader(str(path)) as f:
        factor = [FACTORS.get(f.getPhysicalDimension(c).strip(), 1.0) for c in range(f.signals_in_file)]
        rates = [float(f.getSampleFrequency(c)) for c in range(f.signals_in_file)]
        read = lambda c: f.readSignal(c) * factor[c]
        channels = [channel(c, rates[c], read(c)) for c in picked(f.signals_in_file)]
        onsets, durations, texts = f.readAnnotations()
        # A duration that is not given is -1 there and 0 here.
        annotations = [
            [float(o), max(float(d), 0.0), str(t)] for o, d, t in zip(onsets, durations, texts)
        ]
        return {"by": "pyedflib", "n_signals": f.signals_in_file, "channels": channels, "annotations": annotations}


def by_mne(path):
    read = mne.io.read_raw_bdf if path.suffix.lower() == ".bdf" else mne.io.read_raw_edf
    raw = read(path, preload=True, stim_channel=False, verbose="error")
    rate = float(raw.info["sfreq"])
    # MNE keeps volts; what is not a voltage it keeps as written.
    units = [raw._orig_units.get(name, "n/a") for name in raw.ch_names]
    factor = [1e6 if unit in FACTORS else 1.0 for unit in units]
    data = raw.get_data()
    # Slower signals are resampled by MNE: those are not compared.
    n_per_record = raw._raw_extras[0]["n_samps"]
    kept = [c for c in picked(len(data)) if n_per_record[c] == max(n_per_record)]
    channels = [channel(c, rate, data[c] * factor[c]) for c in kept]
    annotations = [[float(a["onset"]), float(a["duration"]), str(a["description"])] for a in raw.annotations]
    return {"by": "mne", "n_signals": len(data), "channels": channels, "annotations": annotations}


def sha256_of_all(path):
    with pyedflib.EdfReader(str(path)) as f:
        digest = hashlib.sha256()
        for c in range(f.signals_in_file):
            digest.update(f.readSignal(c).astype("<f4").tobytes())
        return digest.hexdigest()


def main():
    data_dir = Path(sys.argv[1])
    files = sorted(
        p.relative_to(data_dir)
        for p in (data_dir / "formats").rglob("*")
        if p.suffix.lower() in (".edf", ".bdf")
    )
    result = {"versions": {"pyedflib": pyedflib.__version__, "mne": mne.__version__, "numpy": np.__version__}, "files": {}}
    for name in [*map(str, files), *HASHED]:
        path = data_dir / name
        try:
            entry = by_pyedflib(path)
        except OSError as refused:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    entry = by_mne(path)
                except Exception as also_refused:  # Neither reads it: nothing to compare with.
                    print(f"{name}: {refused}; {also_refused}", file=sys.stderr)
                    continue
            print(f"{name}: by MNE, because pyEDFlib says {refused}", file=sys.stderr)
        if name in HASHED:
            entry["sha256_f32"] = sha256_of_all(path)
        result["files"][name] = entry
    json.dump(result, sys.stdout, indent=1, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
