"""Small MAT files as SciPy writes them, and what is in them.

    python mat_golden.py ../data/golden/mat

`values.mat` and `values_z.mat` hold one value of each kind, plain and compressed, and
`values.json` the same in words. The others have the layout of published datasets with a
few samples of counting numbers: only the fields that are read, and some that are not. From
those of BNCI2014-001, BNCI2014-008, Cho2017 and Weibo2014 MOABB's loaders make the same samples
and events as the catalogue.
"""

import json
import sys
from pathlib import Path

import numpy as np
import scipy
from scipy.io import savemat

OUT = Path(sys.argv[1])


def counting(*shape: int) -> np.ndarray:
    """Numbers that say where they stand, and fit into 16 bits."""
    return (np.arange(np.prod(shape)) % 1000 - 500.0).reshape(shape)


def cells(items: list) -> np.ndarray:
    array = np.empty((1, len(items)), dtype=object)
    for k, item in enumerate(items):
        array[0, k] = item
    return array


def save(name: str, variables: dict) -> None:
    savemat(OUT / name, variables, do_compression=True, oned_as="row")


def values() -> None:
    variables = {
        "double": np.array([[1.5, -2.0, np.pi], [4.0, 1e300, -0.0]]),
        "single": np.array([[1.25, 3.5]], dtype=np.float32),
        "small": np.array([[-128, 127]], dtype=np.int8),
        "word": np.array([[-32768, 65]], dtype=np.int16),
        "unsigned": np.array([[65535]], dtype=np.uint16),
        "long": np.array([[-2147483648, 2147483647]], dtype=np.int32),
        "huge": np.array([[1 << 53]], dtype=np.int64),
        "truth": np.array([[True, False]]),
        "cube": counting(2, 3, 4),
        "none": np.zeros((0, 3)),
        "text": "left hand",
        "accents": "Übung",
        "lines": np.array(["Fz", "FCz", "C3"]),
        "names": cells(["Fz", "FCz", "C3"]),
        "nested": cells([counting(1, 2), cells(["a", counting(1, 1)])]),
        "record": {"X": counting(3, 2), "fs": 250.0, "who": {"name": "S1"}},
        "array": np.array([(1.0, "a"), (2.0, "bc")], dtype=[("n", object), ("t", object)]),
        "wave": np.array([[1 + 2j, 3 - 4j]]),
    }
    savemat(OUT / "values.mat", variables, oned_as="row")
    savemat(OUT / "values_z.mat", variables, do_compression=True, oned_as="row")
    about = {"script": "tests/reference/mat_golden.py", "versions": {"scipy": scipy.__version__}}
    arrays = {
        name: {
            "dims": list(value.shape),
            "numbers": [float(np.real(x)) for x in value.ravel(order="F")],
        }
        for name, value in variables.items()
        if isinstance(value, np.ndarray) and value.dtype.kind in "fiubc"
    }
    (OUT / "values.json").write_text(json.dumps({**about, "arrays": arrays}, indent=1) + "\n")


def graz_run(n_channels: int, trials: list, labels: list, n_samples: int = 50) -> dict:
    return {
        "X": counting(n_samples, n_channels),
        "trial": np.array(trials, dtype=np.uint16).reshape(-1, 1),
        "y": np.array(labels, dtype=np.uint8).reshape(-1, 1),
        "fs": 250.0,
        "classes": cells(["left hand", "right hand"]),
        "artifacts": np.zeros((len(trials), 1)),
        "gender": "male",
        "age": 22.0,
    }


def graz() -> None:
    """Graz: a cell of runs; the first ones of 2014-001 have no trials."""
    eyes = graz_run(25, [], [])
    runs = [graz_run(25, [11, 31], [1 + k % 4, 4 - k % 4]) for k in range(6)]
    save("bnci2014_001.mat", {"data": cells([eyes, eyes, eyes, *runs])})
    save("bnci2014_004.mat", {"data": cells([graz_run(6, [11, 31], [1, 2]) for _ in range(3)])})
    run = graz_run(13, [11, 31], [2, 1])
    run["fs"] = 512.0
    save("bnci2015_001.mat", {"data": cells([run])})


def speller_run(n_channels: int) -> dict:
    """Rome: a code per sample, 0 between the flashes."""
    codes = np.zeros((40, 1), dtype=np.uint8)
    codes[5:9] = 1
    codes[15:19] = 2
    codes[25:29] = 1
    return {
        "X": counting(40, n_channels),
        "y": codes,
        "y_stim": codes,
        "trial": np.array([[1.0]]),
        "classes": cells(["NonTarget", "Target"]),
        "channels": cells([f"E{k}" for k in range(n_channels)]),
        "age": "40",
    }


def speller() -> None:
    save("bnci2014_008.mat", {"data": speller_run(8)})
    save("bnci2014_009.mat", {"data": cells([speller_run(16) for _ in range(3)])})


def cho2017() -> None:
    events = np.zeros((1, 60))
    events[0, [10, 40]] = 1
    eeg = {
        "imagery_left": counting(68, 60),
        "imagery_right": counting(68, 60) * 2,
        "imagery_event": events,
        "srate": 512.0,
        "rest": counting(68, 30),
        "n_imagery_trials": 2.0,
    }
    save("cho2017.mat", {"eeg": eeg})


def weibo2014() -> None:
    data, labels = counting(64, 20, 4), np.array([[1.0], [7.0], [4.0], [2.0]])
    save("weibo2014.mat", {"data": data, "label": labels})


def lee2019() -> None:
    for suffix in ("MI", "ERP", "SSVEP"):
        phase = {
            "x": counting(80, 62),
            "EMG": counting(80, 4),
            "chan": cells([f"E{k}" for k in range(62)]),
            "EMG_index": cells([f"EMG{k}" for k in range(4)]),
            "t": np.array([[10, 30, 50]]),
            "y_dec": np.array([[2, 1, 2]], dtype=np.uint8),
            "fs": 1000.0,
            "smt": counting(4, 3, 62),
        }
        save(f"lee2019_{suffix}.mat", {f"EEG_{suffix}_{p}": phase for p in ("train", "test")})


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    values()
    graz()
    speller()
    cho2017()
    weibo2014()
    lee2019()


if __name__ == "__main__":
    main()
