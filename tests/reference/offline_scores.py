"""Offline scores of MOABB itself on local recordings: what ours are held against.

    python offline_scores.py --data-dir DIR --subjects 1-10 --json OUT [--pipelines mdm,ts+lr]

``DIR`` holds EEGMMIDB as PhysioNet lays it out (doi:10.13026/C28G6P, ODC-By 1.0); runs 4, 8
and 12 are read. MOABB's ``WithinSessionEvaluation`` with ``LeftRightImagery()`` (8-32 Hz,
forward and backward, 0-3 s after the cue, all 64 channels) and ``random_state=42``: shuffled
five-fold cross-validation, area under the ROC, mean over folds. The pipelines are those of
MOABB's benchmark, with fixed parameters where MOABB searches a grid with shuffled inner
folds: nothing of ours could repeat that search to the digit.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("MNE_DATA", tempfile.mkdtemp())

import mne
import numpy as np
from golden import dumps, plain, versions
from moabb.datasets import PhysionetMI
from moabb.datasets.base import BaseDataset
from moabb.datasets.utils import stim_channels_with_selected_ids
from moabb.evaluations import WithinSessionEvaluation
from moabb.paradigms import FilterBankLeftRightImagery, LeftRightImagery
from moabb.pipelines.features import LogVariance
from moabb.pipelines.utils import FilterBank
from pyriemann.classification import MDM, FgMDM
from pyriemann.estimation import Covariances
from pyriemann.spatialfilters import CSP
from pyriemann.tangentspace import TangentSpace
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

SEED = 42


class Local(PhysionetMI):
    """The recordings that are there, of the runs of imagined fists."""

    def __init__(self, data_dir: Path, subjects: list[int]) -> None:
        super().__init__()
        self.data_dir, self.subject_list = data_dir, subjects
        # Nothing is fetched.
        self.nemar_id = None

    def path(self, subject: int, run: int) -> Path:
        return self.data_dir / f"S{subject:03d}" / f"S{subject:03d}R{run:02d}.edf"

    def data_path(self, subject: int, *_: Any, **__: Any) -> list[str]:
        return [str(self.path(subject, run)) for run in (4, 8, 12)]

    def _get_single_subject_data(self, subject: int) -> dict[str, Any]:
        runs = {}
        for at, run in enumerate((4, 8, 12)):
            raw = mne.io.read_raw_edf(self.path(subject, run), preload=True, verbose="ERROR")
            raw.rename_channels(lambda label: label.strip("."))
            names = {"T0": "rest", "T1": "left_hand", "T2": "right_hand"}
            raw.annotations.description = np.array([names[d] for d in raw.annotations.description])
            runs[str(at)] = stim_channels_with_selected_ids(raw, desired_event_id=self.events)
        return {"0": runs}


def augmented(order: int, lag: int, kernel: str = "linear") -> Any:
    from moabb.pipelines.features import AugmentedDataset

    return make_pipeline(
        AugmentedDataset(order=order, lag=lag),
        Covariances("oas"),
        TangentSpace(metric="riemann"),
        SVC(C=1, kernel=kernel),
    )


def lda() -> LinearDiscriminantAnalysis:
    return LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


def pipelines() -> dict[str, Any]:
    cov = Covariances("oas")
    tangent = TangentSpace(metric="riemann")
    known = {
        "mdm": make_pipeline(cov, MDM(metric="riemann")),
        "fgmdm": make_pipeline(cov, FgMDM(metric="riemann")),
        "ts+lr": make_pipeline(cov, tangent, LogisticRegression(C=1.0, max_iter=10_000)),
        "logvar+lda": make_pipeline(LogVariance(), lda()),
        "ts+el": make_pipeline(
            cov,
            tangent,
            LogisticRegression(
                l1_ratio=0.5,
                C=1.0,
                solver="saga",
                max_iter=1000,
                tol=1e-4,
                intercept_scaling=1000,
            ),
        ),
        "csp+lda": make_pipeline(cov, CSP(nfilter=6), lda()),
        "csp+svm": make_pipeline(cov, CSP(nfilter=6), SVC(C=1, kernel="linear")),
        "ts+svm": make_pipeline(cov, tangent, SVC(C=1, kernel="linear")),
    }
    for order, lag in ((1, 1), (2, 1), (2, 4), (2, 8), (3, 1), (3, 4), (3, 8)):
        known[f"acm{order}.{lag}+ts+svm"] = augmented(order, lag)
    return known


def bank() -> dict[str, Any]:
    """MOABB's FBCSP: CSP of each of six bands, then an SVM."""
    csp = FilterBank(make_pipeline(Covariances("oas"), CSP(nfilter=4)))
    return {"fbcsp+svm": make_pipeline(csp, SVC(C=1, kernel="linear"))}


class AllBands(WithinSessionEvaluation):
    """Every band of a filter bank: MOABB 1.7.2 evaluates on the first of a paradigm's alone."""

    def _load_data(
        self, dataset: Any, run_pipes: Any, _: Any, postprocess_pipeline: Any, subjects: Any = None
    ) -> Any:
        kwargs = {"postprocess_pipeline": postprocess_pipeline, "subjects": subjects}
        return self.paradigm.get_data(dataset=dataset, cache_config=self.cache_config, **kwargs)


def evaluate(
    paradigm: Any,
    dataset: BaseDataset,
    chosen: dict[str, Any],
    kind: type[WithinSessionEvaluation] = WithinSessionEvaluation,
    **options: Any,
) -> list[dict[str, Any]]:
    evaluation = kind(
        paradigm=paradigm,
        datasets=[dataset],
        random_state=SEED,
        overwrite=True,
        hdf5_path=tempfile.mkdtemp(),
        suffix="offline",
        n_jobs=1,
        **options,
    )
    frame = evaluation.process(chosen)
    return [
        {"subject": int(row.subject), "pipeline": row.pipeline, "score": float(row.score)}
        for row in frame.itertuples()
    ]


def subject_list(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main() -> None:
    warnings.filterwarnings("ignore")
    mne.set_log_level("ERROR")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--subjects", default="1-10")
    parser.add_argument("--pipelines", default="")
    parser.add_argument("--json", type=Path, required=True)
    args = parser.parse_args()
    wanted = [name for name in args.pipelines.split(",") if name]
    keep = lambda known: {k: v for k, v in known.items() if not wanted or k in wanted}
    dataset = Local(args.data_dir, subject_list(args.subjects))
    started = time.perf_counter()
    rows = []
    for paradigm, known, kind in (
        (LeftRightImagery(), keep(pipelines()), WithinSessionEvaluation),
        (FilterBankLeftRightImagery(), keep(bank()), AllBands),
    ):
        if known:
            rows += evaluate(paradigm, dataset, known, kind)
    secs = time.perf_counter() - started
    rows.sort(key=lambda row: (row["pipeline"], row["subject"]))
    document = {
        "script": "tests/reference/offline_scores.py",
        "versions": versions("numpy", "scikit-learn", "mne", "pyriemann", "moabb"),
        "seed": SEED,
        "interval_secs": [0.0, 3.0],
        "band_hz": [8.0, 32.0],
        "scores": rows,
    }
    args.json.write_text(dumps(plain(document)) + "\n")
    print(f"{len(rows)} scores in {secs:.1f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
