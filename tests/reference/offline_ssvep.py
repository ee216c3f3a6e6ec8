"""Offline scores of MOABB itself on local recordings of flicker: what ours are held against.

    python offline_ssvep.py --data-dir DIR --subjects 1,2,5 --json OUT [--pipelines cca,ts+lr]

``DIR`` holds ``subject01`` and so on as sylvchev/dataset-ssvep-exoskeleton lays them out
(Kalunga et al. 2016, doi:10.1016/j.neucom.2016.01.007, CC0): ``*_raw.fif`` with ``*-eve.fif``
beside each. MOABB reads the same recordings with the events in a channel, which is added
here. MOABB's ``WithinSessionEvaluation`` with ``random_state=42``: shuffled five-fold
cross-validation over both recordings, accuracy, mean over folds; 2-4 s after each event. The
pipelines are those of MOABB's ``pipelines/*-SSVEP.yml``:

- ``cca``, ``trca`` and ``trca-each`` (not ``is_ensemble``) with ``SSVEP(n_classes=3)``, 7-45 Hz
  forward and backward, and ``mne_labels`` as MOABB's command line has it, so that frequencies
  are read off the labels. ``trca`` has as many bands as classes: its own five raise. It
  subtracts the channels' mean, so its covariance is singular and its components of 8
  channels are rounding: changes of 1e-13 change half of what it decides.
- ``cca-codes`` and ``trca-codes``: the same without ``mne_labels``, the evaluation's default. It
  then takes the events' codes (2, 4, 3) for the hertz of ``cca``, and 0, 1, 2 for those that
  the bands of ``trca`` follow from.
- ``ts+lr`` with ``FilterBankSSVEP(n_classes=3)``, half a hertz on both sides of each frequency,
  ``ts+lr-rest`` with ``FilterBankSSVEP()``: the same bands, and rest as a fourth class.
  ``ts+lr-first``: the first band alone, which is what MOABB 1.7.2 evaluates.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import mne
import numpy as np
from golden import dumps, plain, versions
from moabb.datasets import Kalunga2016
from moabb.paradigms import SSVEP, FilterBankSSVEP
from moabb.pipelines import SSVEP_CCA, SSVEP_TRCA, ExtendedSSVEPSignal
from offline_scores import SEED, AllBands, evaluate
from pyriemann.estimation import Covariances
from pyriemann.tangentspace import TangentSpace
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

CLASSES = 3


class Kalunga2016Local(Kalunga2016):
    """The recordings that are there."""

    def __init__(self, data_dir: Path, subjects: list[int]) -> None:
        super().__init__()
        self.data_dir, self.subject_list = data_dir, subjects
        # Nothing is fetched.
        self.nemar_id = None

    def data_path(self, subject: int, *_: Any, **__: Any) -> list[str]:
        folder = self.data_dir / f"subject{subject:02d}"
        return [str(path) for path in sorted(folder.glob("*_raw.fif"))]

    def _get_single_subject_data(self, subject: int) -> dict[str, Any]:
        paths = self.data_path(subject)
        return {"0": {str(at): with_events(Path(path)) for at, path in enumerate(paths)}}


def with_events(path: Path) -> mne.io.BaseRaw:
    raw = mne.io.read_raw_fif(path, preload=True, verbose="ERROR")
    events = mne.read_events(path.with_name(path.name.replace("_raw.fif", "-eve.fif")))
    stim = np.zeros((1, raw.n_times))
    stim[0, events[:, 0] - raw.first_samp] = events[:, 2]
    info = mne.create_info(["stim"], raw.info["sfreq"], "stim")
    raw.add_channels([mne.io.RawArray(stim, info)], force_update_info=True)
    return raw


def tangent() -> Any:
    return make_pipeline(
        ExtendedSSVEPSignal(),
        Covariances("oas"),
        TangentSpace(metric="riemann"),
        LogisticRegression(C=1.0, max_iter=10_000),
    )


def trca(is_ensemble: bool) -> Any:
    return make_pipeline(SSVEP_TRCA(n_fbands=CLASSES, is_ensemble=is_ensemble))


def plans() -> list[tuple[Any, dict[str, Any], dict[str, Any]]]:
    """Paradigms, the pipelines of each, and what the evaluation is told."""
    cca = make_pipeline(SSVEP_CCA(n_harmonics=3))
    named = {"cca": cca, "trca": trca(True), "trca-each": trca(False)}
    flicker, bank = SSVEP(n_classes=CLASSES), FilterBankSSVEP(n_classes=CLASSES)
    return [
        (flicker, named, {"return_epochs": True, "mne_labels": True}),
        (flicker, {"cca-codes": cca, "trca-codes": trca(True)}, {}),
        (bank, {"ts+lr": tangent()}, {"kind": AllBands}),
        (bank, {"ts+lr-first": tangent()}, {}),
        (FilterBankSSVEP(), {"ts+lr-rest": tangent()}, {"kind": AllBands}),
    ]


def main() -> None:
    warnings.filterwarnings("ignore")
    mne.set_log_level("ERROR")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--subjects", default="1,2,5")
    parser.add_argument("--pipelines", default="")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    wanted = [name for name in args.pipelines.split(",") if name]
    dataset = Kalunga2016Local(args.data_dir, [int(s) for s in args.subjects.split(",")])
    started = time.perf_counter()
    rows = []
    for paradigm, known, options in plans():
        chosen = {k: v for k, v in known.items() if not wanted or k in wanted}
        if chosen:
            rows += evaluate(paradigm, dataset, chosen, **options)
    secs = time.perf_counter() - started
    rows.sort(key=lambda row: (row["pipeline"], row["subject"]))
    document = {
        "script": "tests/reference/offline_ssvep.py",
        "versions": versions("numpy", "scikit-learn", "mne", "pyriemann", "moabb"),
        "seed": SEED,
        "interval_secs": dataset.interval,
        "scores": rows,
    }
    args.json.write_text(dumps(plain(document)) + "\n")
    print(f"{len(rows)} scores in {secs:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
