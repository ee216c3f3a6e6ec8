"""What MNE counts in recordings of catalogued datasets, with MOABB's names and intervals.

    python catalogue_golden.py DATA_DIR > ../data/golden/catalogue.json

Per dataset MOABB's interval, and per subject the cues of each class in its session: how
many, and the seconds from the first sample of its recording to the first of each.
"""

import json
import sys
import warnings
from pathlib import Path

import mne
import moabb
from moabb.datasets import Kalunga2016, PhysionetMI

mne.set_log_level("ERROR")


def count(found: dict, name: str, onsets: list) -> None:
    entry = found.setdefault(name, {"n": 0, "first_secs": []})
    entry["n"] += len(onsets)
    entry["first_secs"].append(min(onsets))


def kalunga(root: Path) -> dict:
    dataset = Kalunga2016()
    subjects = {}
    for folder in sorted((root / "ssvep_exoskeleton").glob("subject*")):
        found = {}
        for path in sorted(folder.glob("*_raw.fif")):
            raw = mne.io.read_raw_fif(path)
            events = mne.read_events(str(path).replace("_raw.fif", "-eve.fif"))
            for name, code in dataset.event_id.items():
                onsets = [(s - raw.first_samp) / raw.info["sfreq"] for s, _, c in events if c == code]
                count(found, name, onsets)
        subjects[str(int(folder.name[-2:]))] = found
    return {"interval": dataset.interval, "subjects": subjects}


def physionet(root: Path) -> dict:
    """The imagined runs of the left and the right fist, which are runs 4, 8 and 12."""
    subjects = {}
    for folder in sorted((root / "eegmmidb").glob("S0*")):
        found = {}
        for run in (4, 8, 12):
            raw = mne.io.read_raw_edf(folder / f"{folder.name}R{run:02}.edf")
            for name, text in (("left_hand", "T1"), ("right_hand", "T2")):
                onsets = [a["onset"] for a in raw.annotations if a["description"] == text]
                count(found, name, onsets)
        subjects[str(int(folder.name[1:]))] = found
    return {"interval": PhysionetMI().interval, "subjects": subjects}


def main() -> None:
    warnings.simplefilter("ignore")
    root = Path(sys.argv[1])
    about = {
        "script": "tests/reference/catalogue_golden.py",
        "versions": {"mne": mne.__version__, "moabb": moabb.__version__},
    }
    datasets = {"kalunga2016": kalunga(root), "physionet-mi": physionet(root)}
    print(json.dumps({**about, "datasets": datasets}, indent=1))


if __name__ == "__main__":
    main()
