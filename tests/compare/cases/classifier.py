"""Classifiers, selections and adaptive steps, as scikit-learn, MNE and pyRiemann have them."""

from typing import Any

import numpy as np
from mne.stats import permutation_t_test
from peers import Comparison, Data, case
from pyriemann.estimation import Covariances
from pyriemann.geometry.base import invsqrtm
from pyriemann.geometry.geodesic import geodesic_riemann
from pyriemann.tangentspace import TangentSpace
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

ARGS = {"c": 1.0, "l1_ratio": 0.5}


def tangent(data: Data, n_channels: int = 22) -> tuple[Any, Any]:
    """Tangent vectors of 288 windows and three classes that take turns every 32."""

    def make() -> Any:
        x = data.epochs(288, n_channels, 480)
        return TangentSpace().fit_transform(Covariances("oas").transform(x))

    labels = np.arange(288) // 32 % 3
    # Half a standard deviation in some features: classes overlap.
    vectors = data.once(("tangent", n_channels), make)
    shift = np.zeros((3, vectors.shape[1]))
    shift[1, ::5], shift[2, 1::5] = 0.5, 0.5
    return vectors / vectors.std() + shift[labels], labels.astype(float)


@case(
    "elastic_net/288x253-3classes",
    tolerance=1e-3,
    why="saga stops where no weight moves by 1e-6 of the largest in an epoch",
)
def elastic_net(data: Data) -> Comparison:
    x, y = tangent(data)
    model = LogisticRegression(
        C=1.0, l1_ratio=0.5, solver="saga", tol=1e-6, max_iter=100_000, random_state=0
    )
    return Comparison(
        "elastic_net_fit",
        [x, y],
        {"scikit-learn": lambda: model.fit(x, y).coef_.ravel()},
        args=ARGS,
    )


@case(
    "svm_rbf/288x253-3classes",
    tolerance=1e-5,
    why="libsvm keeps kernel values in single precision",
)
def svm(data: Data) -> Comparison:
    x, y = tangent(data)
    # With the five folds of calibration on both sides.
    model = SVC(C=1.0, tol=1e-8, probability=True, random_state=0)
    return Comparison(
        "svm_fit",
        [x, y],
        {"scikit-learn": lambda: model.fit(x, y).intercept_},
        args=ARGS,
    )


@case(
    "svm_rbf_decision/253-3classes",
    tolerance=1e-5,
    why="libsvm keeps kernel values in single precision",
)
def svm_decision(data: Data) -> Comparison:
    x, y = tangent(data)
    model = SVC(C=1.0, tol=1e-8, decision_function_shape="ovo").fit(x, y)
    return Comparison(
        "svm_decide",
        [x, y],
        {"scikit-learn": lambda: model.decision_function(x[:1])[0]},
        args=ARGS,
    )


@case(
    "lda_decision/253-3classes", tolerance=1e-8, why="the covariance's condition is 1e5"
)
def lda_decision(data: Data) -> Comparison:
    x, y = tangent(data)
    model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)
    return Comparison(
        "lda_decide",
        [x, y],
        {"scikit-learn": lambda: model.predict_proba(x[:1])[0]},
        args=ARGS,
    )


@case(
    "logistic_decision/253-3classes",
    tolerance=1e-8,
    why="both stop at 1e-10 of the gradient",
)
def logistic_decision(data: Data) -> Comparison:
    x, y = tangent(data)
    model = LogisticRegression(
        C=1.0, solver="newton-cg", tol=1e-12, max_iter=10_000
    ).fit(x, y)
    return Comparison(
        "logistic_decide",
        [x, y],
        {"scikit-learn": lambda: model.predict_proba(x[:1])[0]},
        args=ARGS,
    )


@case(
    "mutual_information/288x253-3classes",
    tolerance=0.05,
    why="scikit-learn's rounding counts some k-th neighbours as nearer than themselves",
)
def information(data: Data) -> Comparison:
    x, y = tangent(data)
    return Comparison(
        "mutual_information",
        [x, y],
        {"scikit-learn": lambda: mutual_info_classif(x, y, random_state=0)},
        args=ARGS,
    )


def maps(data: Data, n_points: int) -> Comparison:
    x = np.random.default_rng(20240229).standard_normal((24, n_points))
    return Comparison(
        "max_t",
        [x],
        {"MNE": lambda: permutation_t_test(x, 1000, rng=0, verbose="ERROR")[0]},
    )


@case("max_t/24x64ch-40freqs-1000permutations")
def max_t(data: Data) -> Comparison:
    return maps(data, 64 * 40)


@case("max_t/24x306ch-40freqs-1000permutations")
def max_t_meg(data: Data) -> Comparison:
    return maps(data, 306 * 40)


def recentring(data: Data, n_channels: int) -> Comparison:
    x = (
        data.epochs(2, n_channels, 480)
        if n_channels <= 64
        else data.wide(n_channels, 4000)[None]
    )
    cov = Covariances("oas").transform(x)[0]
    state = {"mean": cov + np.eye(n_channels)}

    def step() -> Any:
        state["mean"] = geodesic_riemann(state["mean"], cov, 0.01)
        whitener = invsqrtm(state["mean"])
        return whitener @ cov @ whitener

    return Comparison("recenter_step", [cov], {"pyRiemann": step})


WHY = "the centre moves with every call; golden_classify.py holds the values"


@case("recenter_step/22ch", tolerance=None, why=WHY)
def recenter(data: Data) -> Comparison:
    return recentring(data, 22)


@case("recenter_step/306ch", tolerance=None, why=WHY)
def recenter_meg(data: Data) -> Comparison:
    return recentring(data, 306)


@case("recenter_step/1024ch", tolerance=None, why=WHY)
def recenter_wide(data: Data) -> Comparison:
    return recentring(data, 1024)
