"""Covariances, their geometry and decisions on it, as pyRiemann and scikit-learn do them."""

from typing import Any

from peers import Comparison, Data, case
from pyriemann.classification import MDM
from pyriemann.estimation import Covariances
from pyriemann.geometry.distance import distance
from pyriemann.geometry.mean import gmean, mean_riemann, mean_wasserstein
from pyriemann.geometry.tangentspace import tangent_space
from pyriemann.tangentspace import TangentSpace

# The whole set is one call; a mean ends at ‖J‖ <= 1e-8 on both sides.
TOLERANCE_OF_MEANS = 1e-7
BY_MEANS = "both means stop within 1e-8 of their limit"


def estimated(data: Data, estimator: str, shape: tuple[int, int, int]) -> Comparison:
    def wide() -> Any:
        n_epochs, n_channels, n_samples = shape
        x = data.wide(n_channels, n_epochs * n_samples)
        return x.reshape(n_channels, n_epochs, n_samples).transpose(1, 0, 2).copy()

    x = data.epochs(*shape) if shape[1] <= 64 else data.once(("wide", shape), wide)
    estimate = Covariances({"scm": "scm"}.get(estimator, estimator))
    peers = {"pyRiemann": lambda: estimate.transform(x)}
    return Comparison("covariance", [x], peers, args={"estimator": estimator})


@case("covariance-oas/288x22ch-750", target=5.0)
def oas(data: Data) -> Comparison:
    return estimated(data, "oas", (288, 22, 750))


@case("covariance-scm/288x22ch-750")
def scm(data: Data) -> Comparison:
    return estimated(data, "scm", (288, 22, 750))


@case("covariance-lwf/288x22ch-750")
def lwf(data: Data) -> Comparison:
    return estimated(data, "lwf", (288, 22, 750))


@case("covariance-sch/288x22ch-750")
def sch(data: Data) -> Comparison:
    return estimated(data, "sch", (288, 22, 750))


@case("covariance-oas/8x306ch-2000")
def oas_306(data: Data) -> Comparison:
    return estimated(data, "oas", (8, 306, 2000))


@case("covariance-oas/2x1024ch-2000")
def oas_1024(data: Data) -> Comparison:
    return estimated(data, "oas", (2, 1024, 2000))


@case("covariance-lwf/8x306ch-2000")
def lwf_306(data: Data) -> Comparison:
    return estimated(data, "lwf", (8, 306, 2000))


@case("covariance-sch/8x306ch-2000")
def sch_306(data: Data) -> Comparison:
    return estimated(data, "sch", (8, 306, 2000))


def sliding(data: Data, n_channels: int) -> Comparison:
    """One hop of a session: 0.1 s of new frames, and the covariance of the last 2 s."""
    import numpy as np

    rate_hz = 160 if n_channels <= 64 else 1000
    if n_channels <= 64:
        window = data.epochs(1, n_channels, 2 * rate_hz)[0]
    else:
        window = data.wide(n_channels, 2 * rate_hz)
        window = window - window.mean(axis=1, keepdims=True)
    estimate = Covariances("scm")
    return Comparison(
        "sliding_covariance",
        [np.ascontiguousarray(window.T)],
        {"pyRiemann": lambda: estimate.transform(window[None])},
        args={"step_samples": rate_hz // 10},
    )


@case("covariance-hop/64ch-2s-160Hz")
def hop_64(data: Data) -> Comparison:
    return sliding(data, 64)


@case("covariance-hop/306ch-2s-1kHz")
def hop_306(data: Data) -> Comparison:
    return sliding(data, 306)


@case("covariance-hop/1024ch-2s-1kHz")
def hop_1024(data: Data) -> Comparison:
    return sliding(data, 1024)


def covariances(data: Data, n: int, n_channels: int) -> Any:
    def make() -> Any:
        if n_channels <= 64:
            return Covariances("oas").transform(data.epochs(n, n_channels, 750))
        x = data.wide(n_channels, n * 500)
        x = x.reshape(n_channels, n, 500).transpose(1, 0, 2).copy()
        return Covariances("oas").transform(x)

    return data.once(("covariances", n, n_channels), make)


def mean(data: Data, n: int, n_channels: int) -> Comparison:
    covs = covariances(data, n, n_channels)
    args = {"metric": "affine_invariant"}
    peers = {"pyRiemann": lambda: mean_riemann(covs, tol=1e-8)[None]}
    return Comparison("mean", [covs], peers, args=args)


@case("mean-riemann/288x22ch", target=2.0, tolerance=TOLERANCE_OF_MEANS, why=BY_MEANS)
def mean_22(data: Data) -> Comparison:
    return mean(data, 288, 22)


@case("mean-riemann/288x64ch", target=2.0, tolerance=TOLERANCE_OF_MEANS, why=BY_MEANS)
def mean_64(data: Data) -> Comparison:
    return mean(data, 288, 64)


@case("mean-riemann/8x306ch", tolerance=TOLERANCE_OF_MEANS, why=BY_MEANS)
def mean_306(data: Data) -> Comparison:
    return mean(data, 8, 306)


@case("mean-wasserstein/288x22ch", tolerance=TOLERANCE_OF_MEANS, why=BY_MEANS)
def wasserstein(data: Data) -> Comparison:
    covs = covariances(data, 288, 22)
    # Ours ends at 1e-8 of the mean's norm.
    tol = 1e-8 * float((gmean(covs, metric="euclid") ** 2).sum() ** 0.5)
    peers = {"pyRiemann": lambda: mean_wasserstein(covs, tol=tol)[None]}
    return Comparison("mean", [covs], peers, args={"metric": "wasserstein"})


@case("mean-logeuclid/288x22ch")
def logeuclid(data: Data) -> Comparison:
    covs = covariances(data, 288, 22)
    peers = {"pyRiemann": lambda: gmean(covs, metric="logeuclid")[None]}
    return Comparison("mean", [covs], peers, args={"metric": "log_euclidean"})


def distances(data: Data, ours: str, theirs: str, n: int, n_channels: int) -> Comparison:
    import numpy as np

    covs = covariances(data, n, n_channels)

    def squared() -> Any:
        each = [distance(covs, c, metric=theirs, squared=True)[:, 0] for c in covs[:5]]
        return np.stack(each, axis=1)

    return Comparison("distances", [covs], {"pyRiemann": squared}, args={"metric": ours})


@case("distances-riemann/288x22ch-to-5")
def distances_riemann(data: Data) -> Comparison:
    return distances(data, "affine_invariant", "riemann", 288, 22)


@case("distances-logeuclid/288x22ch-to-5")
def distances_logeuclid(data: Data) -> Comparison:
    return distances(data, "log_euclidean", "logeuclid", 288, 22)


@case("distances-wasserstein/288x22ch-to-5")
def distances_wasserstein(data: Data) -> Comparison:
    return distances(data, "wasserstein", "wasserstein", 288, 22)


@case("distances-riemann/8x306ch-to-5")
def distances_306(data: Data) -> Comparison:
    return distances(data, "affine_invariant", "riemann", 8, 306)


def tangent(data: Data, ours: str, metric: str, n: int, n_channels: int) -> Comparison:
    theirs = {"affine_invariant": "riemann", "log_euclidean": "logeuclid"}.get(metric, metric)
    covs = covariances(data, n, n_channels)
    peers = {"pyRiemann": lambda: tangent_space(covs, covs[0], metric=theirs)}
    return Comparison(ours, [covs], peers, args={"metric": metric})


# One matrix after the other against their call on all of them at once.
@case("tangent-one-by-one/288x22ch", target=1.3)
def tangent_alone(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors", "affine_invariant", 288, 22)


@case("tangent-batch/288x22ch", target=2.0)
def tangent_batch(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors_batch", "affine_invariant", 288, 22)


@case("tangent-batch/288x64ch", target=2.0)
def tangent_batch_64(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors_batch", "affine_invariant", 288, 64)


@case("tangent-batch-wasserstein/288x22ch")
def tangent_wasserstein(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors_batch", "wasserstein", 288, 22)


@case("tangent-batch/8x306ch")
def tangent_306(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors_batch", "affine_invariant", 8, 306)


@case("tangent-batch/2x1024ch")
def tangent_1024(data: Data) -> Comparison:
    return tangent(data, "tangent_vectors_batch", "affine_invariant", 2, 1024)


# Live decisions: 22 channels at 250 Hz, five classes, windows of 1.5 s every 0.1 s.
RATE_HZ, WINDOW, STEP, N_WINDOWS = 250, 375, 25, 100


class Recording:
    """Ten minutes in which four tasks weaken a rhythm each, filtered causally at 8-30 Hz."""

    def __init__(self) -> None:
        import numpy as np
        from scipy.signal import butter, sosfilt, sosfiltfilt

        rng, n = np.random.default_rng(20231102), 150_000

        def band(n_sources: int, low: float, high: float) -> Any:
            sos = butter(4, [low, high], "bandpass", fs=RATE_HZ, output="sos")
            x = sosfiltfilt(sos, rng.standard_normal((n_sources, n)))
            return x / x.std(axis=1, keepdims=True)

        mixing = rng.standard_normal((22, 12))
        mixing /= np.linalg.norm(mixing, axis=0)
        gain, classes, start = np.ones((4, n)), np.zeros(n, int), 1000
        while start + 1500 < n:
            task = int(rng.integers(4))
            gain[task, start : start + 1000] = 0.45
            classes[start : start + 1000] = task + 1
            start += int(1000 + rng.integers(500, 1250))
        x = mixing @ (6 * np.cumsum(rng.standard_normal((12, n)), axis=1) / np.sqrt(n))
        x += mixing[:, :4] @ (gain * (6 * band(4, 9, 13) + 3 * band(4, 18, 25)))
        x += 1.5 * rng.standard_normal((22, n))
        sos = butter(4, [8, 30], "bandpass", fs=RATE_HZ, output="sos")
        self.samples = sosfilt(sos, x, axis=1)
        starts = np.arange(0, n - WINDOW + 1, STEP)
        voted = [np.bincount(classes[s : s + WINDOW], minlength=5).argmax() for s in starts]
        train = starts + WINDOW <= n // 2
        chosen = np.flatnonzero(train)[::5]
        self.train, self.labels = self.windows(starts[chosen]), np.array(voted)[chosen]
        self.live = self.windows(starts[-N_WINDOWS:])
        self.frames = self.samples[:, starts[-N_WINDOWS] : starts[-1] + WINDOW]

    def windows(self, starts: Any) -> Any:
        import numpy as np

        x = np.stack([self.samples[:, s : s + WINDOW] for s in starts])
        # Without their mean: then it does not matter whether a variance is about it.
        return x - x.mean(axis=2, keepdims=True)


def recording(data: Data) -> Recording:
    return data.once("pseudo-online", Recording)


def one_by_one(pipeline: Any, x: Any) -> Any:
    def decide() -> None:
        for k in range(len(x)):
            pipeline.predict(x[k : k + 1])

    return decide


@case("live-oas+mdm/22ch-1.5s-x100", target=8.0)
def live_mdm(data: Data) -> Comparison:
    from sklearn.pipeline import make_pipeline

    r = recording(data)
    pipeline = make_pipeline(Covariances("oas"), MDM()).fit(r.train, r.labels)
    return Comparison(
        "live_mdm",
        [r.live, pipeline[-1].covmeans_],
        {"pyRiemann": one_by_one(pipeline, r.live)},
        outputs=lambda _: [pipeline.predict_proba(r.live)],
    )


@case("live-session-oas+mdm/22ch-1.5s-x100", target=8.0)
def live_session(data: Data) -> Comparison:
    import numpy as np
    from sklearn.pipeline import make_pipeline

    r = recording(data)
    pipeline = make_pipeline(Covariances("oas"), MDM()).fit(r.train, r.labels)
    return Comparison(
        "live_session_mdm",
        [np.ascontiguousarray(r.frames.T), pipeline[-1].covmeans_],
        {"pyRiemann": one_by_one(pipeline, r.live)},
        args={"window_samples": WINDOW, "step_samples": STEP},
        outputs=lambda _: [pipeline.predict_proba(r.live)],
    )


@case("live-oas+ts+lr/22ch-1.5s-x100", target=12.0)
def live_tangent(data: Data) -> Comparison:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    r = recording(data)
    logistic = LogisticRegression(max_iter=1000)
    pipeline = make_pipeline(Covariances("oas"), TangentSpace(), logistic).fit(r.train, r.labels)
    return Comparison(
        "live_tangent_logistic",
        [r.live, pipeline[1].reference_[None], logistic.coef_, logistic.intercept_],
        {"pyRiemann + scikit-learn": one_by_one(pipeline, r.live)},
        outputs=lambda _: [pipeline.predict_proba(r.live)],
    )


def csp_pipeline(r: Recording) -> Any:
    import mne
    from mne.decoding import CSP
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    from sklearn.pipeline import make_pipeline

    with mne.use_log_level("ERROR"):
        pipeline = make_pipeline(CSP(n_components=8), LinearDiscriminantAnalysis())
        return pipeline.fit(r.train, r.labels)


@case("live-csp8+lda/22ch-1.5s-x100", target=20.0)
def live_csp(data: Data) -> Comparison:
    r = recording(data)
    pipeline = csp_pipeline(r)
    csp, lda = pipeline[0], pipeline[1]
    return Comparison(
        "live_csp_lda",
        [r.live, csp.filters_[:8], lda.coef_, lda.intercept_],
        {"MNE + scikit-learn": one_by_one(pipeline, r.live)},
        outputs=lambda _: [pipeline.predict_proba(r.live)],
    )


@case("live-session-csp8+lda/22ch-1.5s-x100", target=20.0)
def live_session_csp(data: Data) -> Comparison:
    import numpy as np

    r = recording(data)
    pipeline = csp_pipeline(r)
    csp, lda = pipeline[0], pipeline[1]
    return Comparison(
        "live_session_csp_lda",
        [np.ascontiguousarray(r.frames.T), csp.filters_[:8], lda.coef_, lda.intercept_],
        {"MNE + scikit-learn": one_by_one(pipeline, r.live)},
        args={"window_samples": WINDOW, "step_samples": STEP},
        outputs=lambda _: [pipeline.predict_proba(r.live)],
    )
