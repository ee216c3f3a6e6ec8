"""The pseudo-online evaluation of the nine pipelines of ``plan.toml`` in Python.

Six decoders more than ``tests/reference/pseudo_online.py`` has, on its windows and with its
scores; the command line is its own.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "reference"))

import pseudo_online as base
from pyriemann.classification import FgMDM
from pyriemann.spatialfilters import CSP
from pyriemann.tangentspace import TangentSpace
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC


def scores(model: Any, features: base.Floats) -> base.Floats:
    """A score per class whose largest is the predicted class."""
    predicted = model.predict(features)
    return (predicted[:, None] == np.arange(3)).astype(float)


def on_covariances(make: Any) -> Any:
    def decode(split: base.Split) -> base.Floats:
        model = make()
        model.fit(split.train(lambda run: run.covariances), split.labels)
        return scores(model, split.test(lambda run: run.covariances))

    return decode


def elastic() -> LogisticRegression:
    return LogisticRegression(
        l1_ratio=0.5, C=1.0, solver="saga", max_iter=1000, tol=1e-4, intercept_scaling=1000
    )


def tangent() -> TangentSpace:
    return TangentSpace(metric="riemann")


def augmented(windows: base.Floats) -> base.Floats:
    """Windows above their copies of four samples earlier."""
    return np.concatenate([windows[:, :, :-4], windows[:, :, 4:]], axis=1)


def decode_augmented(split: base.Split) -> base.Floats:
    def covariances(run: base.Run) -> base.Floats:
        return base.oas_numpy(augmented(run.windows))

    model = make_pipeline(tangent(), SVC(C=1, kernel="linear"))
    model.fit(split.train(covariances), split.labels)
    return scores(model, split.test(covariances))


base.PIPELINES = {
    "mdm": base.decode_mdm,
    "fgmdm": on_covariances(lambda: FgMDM(metric="riemann")),
    "ts+lr": base.decode_tangent_logistic,
    "ts+el": on_covariances(lambda: make_pipeline(tangent(), elastic())),
    "ts+svm": on_covariances(lambda: make_pipeline(tangent(), SVC(C=1, kernel="linear"))),
    "logvar+lda": base.decode_logvar_lda,
    "csp+lda": on_covariances(lambda: make_pipeline(CSP(nfilter=6), base_lda())),
    "csp+svm": on_covariances(lambda: make_pipeline(CSP(nfilter=6), SVC(C=1, kernel="linear"))),
    "acm2.4+ts+svm": decode_augmented,
}


def base_lda() -> Any:
    return base.LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")


if __name__ == "__main__":
    names = ",".join(base.PIPELINES)
    base.main([*sys.argv[1:], "--pipelines", names, "--oas", "numpy"])
