"""Golden values of the classifiers, the selection of features and the online adaptation.

Written as ``golden.py`` writes its files, and read in the same way.

    python golden_classify.py --data-dir DIR --out ../data/golden [--only svm]

``DIR`` holds EEGMMIDB as PhysioNet lays it out; only ``S001/S001R04.edf`` is
read (EEG Motor Movement/Imagery Database 1.0.0, doi:10.13026/C28G6P, ODC-By 1.0).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path
from typing import Any

import numpy as np
from golden import (run, Floats,
    Ints,
    generator,
    labelled_features,
    real_windows,
    shrunk,
)
from mne.stats import permutation_t_test
from pyriemann.geometry.base import invsqrtm
from pyriemann.geometry.geodesic import geodesic_riemann
from pyriemann.geometry.mean import mean_riemann
from pyriemann.geometry.tangentspace import tangent_space
from scipy.special import digamma, softmax
from scipy.stats import false_discovery_control, mannwhitneyu, ranksums, ttest_ind
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_selection import RFE, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

# Features


def standard_features(name: str) -> tuple[Floats, Ints, Floats]:
    """Three classes in six features of one scale, and held-out points."""
    features, labels, held_out = labelled_features(name)
    centre, scale = features.mean(axis=0), features.std(axis=0)
    return (
        np.round((features - centre) / scale, 6),
        labels,
        np.round((held_out - centre) / scale, 6),
    )


def tangent_features(data_dir: Path) -> tuple[Floats, Ints, Floats]:
    """Tangent vectors of thirty real windows, eight channels: more features than windows."""
    windows, labels = real_windows(data_dir)
    covs, _ = shrunk(windows)
    vectors = np.round(tangent_space(covs, mean_riemann(covs, tol=1e-12)), 6)
    return vectors[:24], labels[:24], vectors[24:]


def sets(name: str, data_dir: Path) -> list[dict[str, Any]]:
    simulated, real = standard_features(name), tangent_features(data_dir)
    return [
        {
            "name": "simulated",
            "features": simulated[0],
            "labels": simulated[1],
            "held_out": simulated[2],
        },
        {
            "name": "tangent vectors of S001R04",
            "features": real[0],
            "labels": real[1],
            "held_out": real[2],
        },
    ]


# Files


def elastic_net_file(data_dir: Path) -> dict[str, Any]:
    cases = []
    groups = sets("elastic_net", data_dir)
    for at, group in enumerate(groups):
        for classes in ((0, 1, 2), (0, 1)):
            used = np.isin(group["labels"], classes)
            x, y = group["features"][used], group["labels"][used]
            for c, l1_ratio in ((5.0, 1.0), (2.0, 0.5), (1.0, 0.2), (10.0, 0.15)):
                model = LogisticRegression(
                    C=c,
                    l1_ratio=l1_ratio,
                    solver="saga",
                    tol=1e-13,
                    max_iter=2_000_000,
                    random_state=0,
                ).fit(x, y)
                if not model.coef_.any():
                    raise AssertionError("saga stops before the intercept is found")
                coef, intercept = model.coef_, model.intercept_
                if len(classes) == 2:
                    coef, intercept = (
                        np.stack([-coef[0], coef[0]]) / 2,
                        np.array([-intercept[0], intercept[0]]) / 2,
                    )
                scores = x @ coef.T + intercept
                loss = (
                    np.logaddexp.reduce(scores, axis=1) - scores[np.arange(len(y)), y]
                )
                weights = model.coef_
                cases.append(
                    {
                        "set": at,
                        "classes": classes,
                        "c": c,
                        "l1_ratio": l1_ratio,
                        "coef": coef,
                        "intercept": intercept - intercept.mean(),
                        "objective": float(
                            c * loss.sum()
                            + l1_ratio * np.abs(weights).sum()
                            + (1 - l1_ratio) / 2 * (weights**2).sum()
                        ),
                        "proba": model.predict_proba(group["held_out"]),
                    }
                )
    return {
        "about": "sklearn LogisticRegression(solver='saga', tol=1e-13): coef, intercept (its mean over classes "
        "removed, which changes no probability), the objective l1_ratio |w|_1 + (1 - l1_ratio)/2 |w|^2 + C sum of "
        "losses, and predict_proba of held_out. Each case is fitted on the rows of its classes in its set. For two "
        "classes sklearn has one weight vector w, which is penalised; the rows here are -w/2 and w/2.",
        "sets": groups,
        "cases": cases,
    }


def sigmoid_fit(decisions: Floats, is_first: Ints) -> tuple[float, float]:
    """Platt's sigmoid with regularised targets, by Newton's method to the last digit."""
    n_first, n_second = int(is_first.sum()), int((1 - is_first).sum())
    target = np.where(is_first == 1, (n_first + 1) / (n_first + 2), 1 / (n_second + 2))
    design = np.stack([decisions, np.ones_like(decisions)], axis=1)
    at = np.array([0.0, np.log((n_second + 1) / (n_first + 1))])

    def entropy(at: Floats) -> float:
        z = design @ at
        return float(np.sum(target * z + np.logaddexp(0, -z)))

    for _ in range(200):
        p = 1 / (1 + np.exp(design @ at))
        gradient = design.T @ (target - p)
        if np.abs(gradient).max() < 1e-13 * len(decisions):
            break
        step = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design, gradient)
        length = 1.0
        # Rounding hides a decrease near the minimum; Newton's step needs none there.
        while entropy(at - length * step) > entropy(at) * (1 + 1e-13) and length > 1e-9:
            length /= 2
        at = at - length * step
    return float(at[0]), float(at[1])


def kernel_matrix(a: Floats, b: Floats, width: float | None) -> Floats:
    """Scalar products, or a Gaussian of the distances."""
    if width is None:
        return a @ b.T
    return np.exp(-width * ((a[:, None, :] - b[None, :, :]) ** 2).sum(axis=2))


def machine(
    x: Floats, is_first: Ints, c: float, width: float | None
) -> Callable[[Floats], Floats]:
    """Decision values of one machine in double precision.

    libsvm keeps kernel values in single precision while it optimises. Here its answer
    tells which examples lie on the margin and which at the bound; their equations are
    then solved anew.
    """
    sign = np.where(is_first, 1.0, -1.0)
    kernel = (
        {"kernel": "linear"} if width is None else {"kernel": "rbf", "gamma": width}
    )
    model = SVC(C=c, tol=1e-12, **kernel).fit(x, sign)
    alphas = np.zeros(len(x))
    alphas[model.support_] = np.abs(model.dual_coef_[0])
    free, bound = (alphas > 0) & (alphas < c), alphas >= c
    k = kernel_matrix(x, x, width)
    n_free = int(free.sum())
    system = np.zeros((n_free + 1, n_free + 1))
    system[:-1, :-1], system[:-1, -1], system[-1, :-1] = k[np.ix_(free, free)], 1.0, 1.0
    of_bound = c * sign[bound]
    right = np.append(sign[free] - k[np.ix_(free, bound)] @ of_bound, -of_bound.sum())
    solution = np.linalg.lstsq(system, right, rcond=1e-13)[0]
    coef = np.zeros(len(x))
    coef[bound], coef[free], intercept = of_bound, solution[:-1], solution[-1]
    if n_free == 0:
        # Anything between what the examples allow separates as well: the middle.
        offsets = sign - k @ coef
        rises = np.where(sign > 0, alphas < c, alphas > 0)
        intercept = (offsets[rises].max() + offsets[~rises].min()) / 2
    margin = sign * (k @ coef + intercept) - 1.0
    if (
        margin[alphas == 0].min(initial=0) < -1e-9
        or margin[bound].max(initial=0) > 1e-9
    ):
        raise AssertionError("libsvm's margin is not the margin")

    def decide(points: Floats) -> Floats:
        values = kernel_matrix(points, x, width) @ coef + intercept
        if np.abs(values - model.decision_function(points)).max() > 1e-5:
            raise AssertionError("not libsvm's decision values")
        return values

    return decide


def pairwise_probability(
    x: Floats, y: Ints, pair: tuple[int, int], c: float, width: float | None
) -> tuple[float, float]:
    """The sigmoid of a pair of classes from contiguous fifths of each class's rows."""
    rows = [np.flatnonzero(y == k) for k in pair]
    n_folds = min(5, *(len(r) for r in rows))
    decisions, is_first = [], []
    for fold in range(n_folds):
        bounds = [
            (fold * len(r) // n_folds, (fold + 1) * len(r) // n_folds) for r in rows
        ]
        out = [r[a:b] for r, (a, b) in zip(rows, bounds)]
        kept = np.sort(
            np.concatenate(
                [np.delete(r, np.s_[a:b]) for r, (a, b) in zip(rows, bounds)]
            )
        )
        decide = machine(x[kept], y[kept] == pair[0], c, width)
        for k in (0, 1):
            decisions.append(decide(x[out[k]]))
            is_first.append(np.full(len(out[k]), 1 - k))
    return sigmoid_fit(np.concatenate(decisions), np.concatenate(is_first))


def coupled(r: Floats) -> Floats:
    """The second method of Wu, Lin and Weng, from its conditions of optimality."""
    n = len(r)
    q = np.array(
        [
            [
                -r[j, i] * r[i, j]
                if i != j
                else sum(r[s, i] ** 2 for s in range(n) if s != i)
                for j in range(n)
            ]
            for i in range(n)
        ]
    )
    system = np.block([[q, np.ones((n, 1))], [np.ones((1, n)), np.zeros((1, 1))]])
    return np.linalg.solve(system, np.append(np.zeros(n), 1.0))[:n]


def svm_file(data_dir: Path) -> dict[str, Any]:
    cases = []
    groups = sets("svm", data_dir)
    for at, group in enumerate(groups):
        for classes in ((0, 1, 2), (0, 1)):
            used = np.isin(group["labels"], classes)
            x, y, held_out = (
                group["features"][used],
                group["labels"][used],
                group["held_out"],
            )
            for kernel, gamma, c in (
                ("linear", "scale", 1.0),
                ("rbf", "scale", 1.0),
                ("rbf", "auto", 1.5),
                ("rbf", 0.05, 20.0),
            ):
                width = {
                    "scale": 1 / (x.shape[1] * x.var()),
                    "auto": 1 / x.shape[1],
                }.get(gamma, gamma)

                width = None if kernel == "linear" else width
                model = SVC(
                    C=c,
                    kernel=kernel,
                    gamma=gamma,
                    tol=1e-12,
                    decision_function_shape="ovo",
                ).fit(x, y)
                sklearns = model.decision_function(held_out)
                if len(classes) == 2:
                    sklearns = -sklearns[:, None]
                columns = []
                for i, j in combinations(classes, 2):
                    rows = np.isin(y, (i, j))
                    columns.append(machine(x[rows], y[rows] == i, c, width)(held_out))
                decisions = np.stack(columns, axis=1)
                sigmoids = [
                    pairwise_probability(x, y, pair, c, width)
                    for pair in combinations(classes, 2)
                ]
                posteriors = []
                for values in decisions:
                    r = np.zeros((len(classes), len(classes)))
                    for (i, j), value, (slope, offset) in zip(
                        combinations(classes, 2), values, sigmoids
                    ):
                        r[i, j] = np.clip(
                            1 / (1 + np.exp(slope * value + offset)), 1e-7, 1 - 1e-7
                        )
                        r[j, i] = 1 - r[i, j]
                    posteriors.append(coupled(r))
                cases.append(
                    {
                        "set": at,
                        "classes": classes,
                        "kernel": kernel,
                        "gamma": gamma,
                        "c": c,
                        "sklearn_decisions": sklearns,
                        "decisions": decisions,
                        "sigmoids": sigmoids,
                        "posteriors": posteriors,
                    }
                )
    return {
        "about": "sklearn SVC(tol=1e-12, decision_function_shape='ovo'): sklearn_decisions of held_out, a column per "
        "pair of classes, positive for the first (sklearn's sign is turned for two classes). libsvm keeps kernel values "
        "in single precision: decisions are of the same machines, solved in double precision on the margin that it "
        "found. sigmoids: slope and offset of "
        "1/(1+exp(slope f + offset)) after Platt, fitted to decisions of such machines in chronological folds (contiguous "
        "fifths of each class's rows); posteriors: their coupling after Wu, Lin and Weng (2004), second method.",
        "sets": groups,
        "cases": cases,
    }


def information(x: Floats, y: Ints, n_neighbors: int) -> Floats:
    """Ross's estimate per feature, neighbours counted by comparing differences.

    sklearn's trees compare squares, whose rounding now and then counts the k-th
    neighbour as nearer than itself.
    """
    found = []
    for values in x.T:
        distances = np.abs(values[:, None] - values[None, :])
        terms = []
        for i, label in enumerate(y):
            own = np.sort(distances[i, y == label])
            k = min(n_neighbors, len(own) - 1)
            terms.append(
                digamma(k) - digamma(len(own)) - digamma((distances[i] < own[k]).sum())
            )
        found.append(max(0.0, digamma(len(y)) + np.mean(terms)))
    return np.array(found)


def selection_file(data_dir: Path) -> dict[str, Any]:
    windows = []
    for group in sets("selection", data_dir):
        x, y = group["features"], group["labels"]
        first, second = x[y == 1], x[y == 2]
        exact = mannwhitneyu(second, first, method="exact", axis=0)
        tests = ttest_ind(second, first)
        p = np.asarray(tests.pvalue)
        # With three classes, and with the two tasks alone.
        tasks = y > 0
        rfe = RFE(
            LogisticRegression(C=1.0, solver="newton-cg", tol=1e-10),
            n_features_to_select=3,
            step=2,
        )
        windows.append(
            {
                "features": x,
                "labels": y,
                "r2": tests.statistic**2
                / (tests.statistic**2 + len(first) + len(second) - 2)
                * np.sign(tests.statistic),
                "student_p": p,
                "ranksums_z": ranksums(second, first).statistic,
                "ranksums_p": ranksums(second, first).pvalue,
                "exact_p": exact.pvalue,
                # Rounded, so that values tie.
                "tied_p": mannwhitneyu(
                    np.round(second, 1), np.round(first, 1), method="asymptotic", axis=0
                ).pvalue,
                "benjamini_hochberg": false_discovery_control(p, method="bh"),
                "benjamini_yekutieli": false_discovery_control(p, method="by"),
                "mutual_information": information(x, y, 3),
                "mutual_information_tasks": information(x[tasks], y[tasks], 5),
                "sklearn_mutual_information": mutual_info_classif(
                    x, y, n_neighbors=3, random_state=0
                ),
                "rfe_ranks": rfe.fit(x, y).ranking_,
                "rfe_ranks_tasks": clone(rfe).fit(x[tasks], y[tasks]).ranking_,
            }
        )
    rng = generator("max_t")
    maps = np.round(
        rng.standard_normal((9, 24)) + np.where(np.arange(24) < 3, 1.5, 0.0), 6
    )
    statistic, corrected, _ = permutation_t_test(
        maps, n_permutations="all", verbose="ERROR"
    )
    # The same over every choice of signs: MNE leaves out one of them.
    signs = np.array([(1, *rest) for rest in product((1, -1), repeat=len(maps) - 1)])
    means = signs @ maps / len(maps)
    variances = ((maps**2).sum(axis=0) - len(maps) * means**2) / (len(maps) - 1)
    largest = np.abs(means / np.sqrt(variances / len(maps))).max(axis=1)
    return {
        "about": "Per feature, class 2 against class 1: r2 (signed; t^2 / (t^2 + n - 2) of scipy ttest_ind) and its p, "
        "ranksums, mannwhitneyu (exact; asymptotic with continuity, of the features rounded to one decimal: tied_p), "
        "false_discovery_control of student_p. mutual information after Ross (3 neighbours, all classes, and as sklearn mutual_info_classif rounds; 5, classes 1 "
        "and 2) and RFE(LogisticRegression, 3 features, step 2; all classes and classes 1 and 2). max_t: mne "
        "permutation_t_test of maps against 0, n_permutations='all' (255 of 256: mne_p_corrected), and with all of "
        "them (p_corrected).",
        "sets": windows,
        "max_t": {
            "maps": maps,
            "statistic": statistic,
            "mne_p_corrected": corrected,
            "p_corrected": (largest >= np.abs(statistic)[:, None] * (1 - 1e-12)).mean(
                axis=1
            ),
        },
    }


def recentred(
    covs: Floats, centre: str, rate: float | None, mean: Floats | None, n_seen: int
) -> dict[str, Any]:
    """Each covariance after the running mean has taken it up: Wimpff's online rule."""
    aligned = []
    for cov in covs:
        n_seen += 1
        share = 1.0 if n_seen == 1 else (1.0 / n_seen if rate is None else rate)
        if mean is None or share == 1.0:
            mean = cov
        elif centre == "euclidean":
            mean = (1.0 - share) * mean + share * cov
        else:
            mean = geodesic_riemann(mean, cov, share)
        whitener = invsqrtm(mean)
        aligned.append(whitener @ cov @ whitener)
    return {"aligned": aligned[4::5], "mean": mean}


def adaptive_discriminant(
    x: Floats, y: Ints, stream: Floats, rate: float, covariance_rate: float | None
) -> Floats:
    """Posteriors, each after its example was taken up: every matrix from its definition."""
    lda = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto").fit(x, y)
    priors, within = lda.priors_, lda.covariance_
    mean = priors @ lda.means_
    relative = (lda.means_ - mean).T
    total = within + relative @ np.diag(priors) @ relative.T
    gain = np.linalg.inv(
        np.eye(len(priors))
        - np.diag(priors) @ relative.T @ np.linalg.solve(total, relative)
    )
    posteriors = []
    for example in stream:
        mean = (1 - rate) * mean + rate * example
        if covariance_rate is not None:
            d = example - mean
            total = (1 - covariance_rate) * total + covariance_rate * np.outer(d, d)
        weights = np.linalg.solve(total, relative) @ gain
        scores = (
            (example - mean) @ weights
            - 0.5 * (weights * relative).sum(axis=0)
            + np.log(priors)
        )
        posteriors.append(softmax(scores))
    return np.array(posteriors)


def adaptation_file(data_dir: Path) -> dict[str, Any]:
    windows, _ = real_windows(data_dir)
    covs, _ = shrunk(windows)
    covs = np.stack([np.round(c, 6) for c in covs])
    start = covs[:10].mean(axis=0)
    cases = []
    for centre in ("euclidean", "riemannian"):
        for rate in (None, 0.1):
            for n_start in (0, 10):
                found = recentred(
                    covs[10:], centre, rate, start if n_start else None, n_start
                )
                cases.append(
                    {"centre": centre, "rate": rate, "n_start": n_start, **found}
                )
    x, y, held_out = standard_features("adaptation")
    stream = (
        np.vstack([held_out, x[:20]]) + np.linspace(0, 2, len(held_out) + 20)[:, None]
    )
    stream = np.round(stream, 6)
    return {
        "about": "recenter: covariances (oas) of windows of S001R04; the first ten are the start, by their arithmetic "
        "mean, where n_start is 10; the others are taken up one by one by the running mean (rate, or 1/k where null; "
        "pyriemann geodesic_riemann) and aligned by it (pyriemann invsqrtm): every fifth, and the last mean. lda: "
        "sklearn LinearDiscriminantAnalysis(solver='lsqr', shrinkage='auto') whose pooled mean (0.05) and covariance "
        "(0.015, or fixed) run along the stream; posteriors after each example was taken up.",
        "recenter": {"covariances": covs, "cases": cases},
        "lda": {
            "features": x,
            "labels": y,
            "stream": stream,
            "fixed": adaptive_discriminant(x, y, stream, 0.05, None),
            "running": adaptive_discriminant(x, y, stream, 0.05, 0.015),
        },
    }


def lda_svd_file(data_dir: Path) -> dict[str, Any]:
    cases = []
    groups = sets("lda_svd", data_dir)
    for at, group in enumerate(groups):
        for classes in ((0, 1, 2), (0, 1)):
            used = np.isin(group["labels"], classes)
            model = LinearDiscriminantAnalysis(solver="svd")
            model.fit(group["features"][used], group["labels"][used])
            proba = model.predict_proba(group["held_out"])
            cases.append({"set": at, "classes": classes, "proba": proba})
    return {
        "about": "sklearn LinearDiscriminantAnalysis(solver='svd'): predict_proba of held_out, without shrinkage. "
        "Each case is fitted on the rows of its classes in its set; the second set has more features than rows.",
        "sets": groups,
        "cases": cases,
    }


# Writing

FILES: dict[str, Callable[[Path], dict[str, Any]]] = {
    "elastic_net": elastic_net_file,
    "lda_svd": lda_svd_file,
    "svm": svm_file,
    "selection": selection_file,
    "adaptation": adaptation_file,
}


if __name__ == "__main__":
    run(__file__, __doc__, FILES)
