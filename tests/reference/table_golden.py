"""Golden values of a headband's tables and of trials as text, read with NumPy.

    python table_golden.py DATA_DIR > ../data/golden/table.json

Per channel the checksums of ``edf_golden.py``; markers are (row, value), the rate is
rows over stamps to the nearest hertz. Of the trials: how many, their classes in file
order as positions in the header's list, and checksums over all samples of a channel.
"""

import gzip
import json
import sys
from pathlib import Path

import numpy as np

from edf_golden import channel

TABLES = [
    "erp_muse_lsl/visual/P300/subject1/session1/data_2017-02-04-15_45_13.csv.gz",
    "erp_muse_lsl/visual/P300/subject2/session1/data_2017-02-09-18.26.36.csv.gz",
]
TRIALS = ["meg_hand_movement/HandMovementDirection_TEST.ts.gz"]


def table(path: Path) -> dict:
    with gzip.open(path, "rt") as file:
        header = file.readline().strip().split(",")
        x = np.loadtxt(file, delimiter=",")
    rate = float(round((len(x) - 1) / (x[-1, 0] - x[0, 0])))
    marked = np.flatnonzero(x[:, -1])
    return {
        "labels": header[1:-1],
        "rate_hz": rate,
        "channels": [channel(c, rate, x[:, c + 1]) for c in range(len(header) - 2)],
        "markers": [[int(row), int(x[row, -1])] for row in marked],
    }


def trials(path: Path) -> dict:
    classes, labels, data = [], [], []
    with gzip.open(path, "rt", encoding="latin-1") as file:
        for line in file:
            line = line.strip()
            if line.startswith("@classLabel"):
                classes = line.split()[2:]
            elif line and line[0] not in "@#":
                *channels, label = line.split(":")
                labels.append(classes.index(label))
                data.append([[float(v) for v in c.split(",")] for c in channels])
    x = np.array(data)
    return {
        "shape": list(x.shape),
        "classes": classes,
        "labels": labels,
        "channels": [channel(c, 400.0, x[:, c].ravel()) for c in range(x.shape[1])],
    }


def main() -> None:
    root = Path(sys.argv[1])
    about = {"script": "tests/reference/table_golden.py", "versions": {"numpy": np.__version__}}
    tables = {name: table(root / name) for name in TABLES}
    print(json.dumps({**about, "tables": tables, "trials": {n: trials(root / n) for n in TRIALS}}))


if __name__ == "__main__":
    main()
