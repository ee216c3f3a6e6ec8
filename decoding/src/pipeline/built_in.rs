//! The pipelines that come with the program, by name.

use super::choose::{Choose, SPLITS};
use super::step::{
    Adapt, AdaptiveLda, Classifier, Csp, FgMdm, FilterBankCsp, KernelKind, Lda, LogisticRegression,
    Mdm, Mirror, Penalty, Recenter, Step, Svm, TangentSpace, Thin, Transform,
};
use super::{Pipeline, Voter};
use crate::adaptation::Rate;
use crate::classifier::elastic_net::ElasticNetParams;
use crate::front_end::step::{
    Absent, AugmentedCovariance, BandPass, BandPower, Connectivity, Covariance, Feature,
    FilterBank, LogVariance, Pick, SignalStep,
};
use crate::riemann::covariance::Estimator;

/// The reference pipelines, whose scores are held against pyRiemann's and
/// scikit-learn's, in the order of the tables.
pub const REFERENCE: [&str; 5] = ["mdm", "ts+lr", "csp+lda", "logvar+lda", "psd+lda"];

/// All built-in pipelines, the reference ones first.
pub fn all() -> Vec<Pipeline> {
    vec![
        mdm(),
        ts_lr(),
        csp_lda(),
        logvar_lda(),
        psd_lda(),
        conn_lda(),
        fgmdm(),
        ts_el(),
        ts_svm(),
        csp_svm(),
        acm_ts_svm(),
        fb_ts_lr(),
        fbcsp_lda(),
        fbcsp_svm(),
        vote(),
        ra_ts_lr(),
        csp_alda(),
        mirror_vote(),
    ]
}

/// The five of [`REFERENCE`].
pub fn reference() -> Vec<Pipeline> {
    all().into_iter().filter(|pipeline| REFERENCE.contains(&pipeline.name.as_str())).collect()
}

/// The one of this name.
pub fn find(name: &str) -> Option<Pipeline> {
    all().into_iter().find(|pipeline| pipeline.name == name)
}

fn pipeline(name: &str, steps: Vec<Step>) -> Pipeline {
    Pipeline { name: name.to_owned(), steps, ..Pipeline::default() }
}

fn session_band() -> Step {
    Step::Signal(SignalStep::BandPass(BandPass::default()))
}

fn covariance(estimator: Estimator) -> Step {
    Step::Feature(Feature::Covariance(Covariance { estimator, ..Covariance::default() }))
}

fn tangent_space() -> Step {
    Step::Transform(Transform::TangentSpace(TangentSpace::default()))
}

fn lda() -> Step {
    Step::Classifier(Classifier::Lda(Lda::default()))
}

/// Running Riemannian recentering that grows out of the calibration's mean, then
/// [`ts_lr`] (Zanini et al. 2018, doi 10.1109/TBME.2017.2742541; Kumar et al. 2024, doi
/// 10.1093/pnasnexus/pgae076). Stateful.
pub fn ra_ts_lr() -> Pipeline {
    let recenter = Recenter { adapt: Some(Adapt::default()), ..Recenter::default() };
    let classifier = Classifier::LogisticRegression(LogisticRegression::default());
    let steps = vec![
        session_band(),
        covariance(Estimator::Oas),
        Step::Transform(Transform::Recenter(recenter)),
        tangent_space(),
        Step::Classifier(classifier),
    ];
    pipeline("ra+ts+lr", steps)
}

/// [`csp_lda`] whose discriminant follows the mean of the features, with a share of 0.002
/// of each window: windows are a tenth of a second apart, and a rate that takes up a task
/// of some seconds would take the task for drift (Vidaurre et al. 2011, doi
/// 10.1109/TBME.2010.2093133). Stateful.
pub fn csp_alda() -> Pipeline {
    let params = AdaptiveLda { mean_rate: Rate::Fixed(0.002), ..AdaptiveLda::default() };
    let mut steps = csp_lda().steps;
    steps.pop();
    steps.push(Step::Classifier(Classifier::AdaptiveLda(params)));
    pipeline("csp+alda", steps)
}

/// Covariance, minimum distance to Riemannian class means (Barachant et al. 2012, doi
/// 10.1109/TBME.2011.2172210).
pub fn mdm() -> Pipeline {
    let classifier = Step::Classifier(Classifier::Mdm(Mdm::default()));
    pipeline("mdm", vec![session_band(), covariance(Estimator::Oas), classifier])
}

/// Covariance, tangent space at the Riemannian mean, logistic regression (Barachant et
/// al. 2013, doi 10.1016/j.neucom.2012.12.039).
pub fn ts_lr() -> Pipeline {
    let classifier = Classifier::LogisticRegression(LogisticRegression::default());
    let steps = vec![
        session_band(),
        covariance(Estimator::Oas),
        tangent_space(),
        Step::Classifier(classifier),
    ];
    pipeline("ts+lr", steps)
}

/// Common spatial patterns, log-variance, shrinkage LDA (Blankertz et al. 2008, doi
/// 10.1109/MSP.2008.4408441).
pub fn csp_lda() -> Pipeline {
    let csp = Step::Transform(Transform::Csp(Csp::default()));
    pipeline("csp+lda", vec![session_band(), covariance(Estimator::Oas), csp, lda()])
}

/// Log-variance per channel, shrinkage LDA.
pub fn logvar_lda() -> Pipeline {
    let feature = Step::Feature(Feature::LogVariance(LogVariance::default()));
    pipeline("logvar+lda", vec![session_band(), feature, lda()])
}

/// Log band power per channel and band, shrinkage LDA.
pub fn psd_lda() -> Pipeline {
    let feature = Step::Feature(Feature::BandPower(BandPower::default()));
    pipeline("psd+lda", vec![session_band(), feature, lda()])
}

/// Node strength of the imaginary coherence in mu and beta, shrinkage LDA.
pub fn conn_lda() -> Pipeline {
    let feature = Step::Feature(Feature::Connectivity(Connectivity::default()));
    pipeline("conn+lda", vec![session_band(), feature, lda()])
}

/// Covariance, geodesic filter, minimum distance to class means (Barachant et al. 2010,
/// doi 10.1007/978-3-642-15995-4_78).
pub fn fgmdm() -> Pipeline {
    let classifier = Step::Classifier(Classifier::FgMdm(FgMdm::default()));
    pipeline("fgmdm", vec![session_band(), covariance(Estimator::Oas), classifier])
}

fn elastic_net() -> Step {
    let step = LogisticRegression {
        penalty: Penalty::ElasticNet,
        l1_ratio: Some(ElasticNetParams::default().l1_ratio),
        ..LogisticRegression::default()
    };
    Step::Classifier(Classifier::LogisticRegression(step))
}

fn svm(kernel: KernelKind) -> Step {
    Step::Classifier(Classifier::Svm(Svm { kernel, ..Svm::default() }))
}

/// Tangent space, regression with an elastic net (as MOABB's `TSEL`; Corsi et al. 2022,
/// doi 10.1088/1741-2552/ac9218).
pub fn ts_el() -> Pipeline {
    let steps = vec![session_band(), covariance(Estimator::Oas), tangent_space(), elastic_net()];
    pipeline("ts+el", steps)
}

/// Tangent space, linear support-vector machine.
pub fn ts_svm() -> Pipeline {
    let classifier = svm(KernelKind::Linear);
    let steps = vec![session_band(), covariance(Estimator::Oas), tangent_space(), classifier];
    pipeline("ts+svm", steps)
}

/// Common spatial patterns, log-variance, support-vector machine with a Gaussian kernel.
pub fn csp_svm() -> Pipeline {
    let csp = Step::Transform(Transform::Csp(Csp::default()));
    let steps = vec![session_band(), covariance(Estimator::Oas), csp, svm(KernelKind::Rbf)];
    pipeline("csp+svm", steps)
}

/// Augmented covariance, tangent space, support-vector machine with a Gaussian kernel
/// (Carrara and Papadopoulo 2023, doi 10.48550/arXiv.2302.04508; order and lag are
/// theirs to choose per subject, here they are fixed).
pub fn acm_ts_svm() -> Pipeline {
    let feature = Feature::AugmentedCovariance(AugmentedCovariance::default());
    let steps = vec![session_band(), Step::Feature(feature), tangent_space(), svm(KernelKind::Rbf)];
    pipeline("acm+ts+svm", steps)
}

/// Tangent spaces of the bands of the default [`FilterBank`] side by side,
/// logistic regression.
pub fn fb_ts_lr() -> Pipeline {
    let classifier = Classifier::LogisticRegression(LogisticRegression::default());
    let steps = vec![
        Step::Signal(SignalStep::FilterBank(FilterBank::default())),
        covariance(Estimator::Oas),
        tangent_space(),
        Step::Classifier(classifier),
    ];
    pipeline("fb+ts+lr", steps)
}

fn fbcsp(name: &str, classifier: Step) -> Pipeline {
    let steps = vec![
        Step::Signal(SignalStep::FilterBank(FilterBank::default())),
        covariance(Estimator::Oas),
        Step::Transform(Transform::FilterBankCsp(FilterBankCsp::default())),
        classifier,
    ];
    pipeline(name, steps)
}

/// Spatial patterns of the bands of the default [`FilterBank`], those that tell most with
/// their pairs, shrinkage LDA (Ang et al. 2012, doi 10.3389/fnins.2012.00039).
pub fn fbcsp_lda() -> Pipeline {
    fbcsp("fbcsp+lda", lda())
}

/// The same, linear support-vector machine (as MOABB's `FBCSP`, which keeps the ten
/// log-variances of most information without their pairs: `csp`, then `select` with
/// `by = "mutual_information"` and `k = 10`).
pub fn fbcsp_svm() -> Pipeline {
    fbcsp("fbcsp+svm", svm(KernelKind::Linear))
}

/// Electrodes over the hands' and the feet's part of the motor cortex.
const SENSORIMOTOR: [&str; 21] = [
    "FC5", "FC3", "FC1", "FCz", "FC2", "FC4", "FC6", "C5", "C3", "C1", "Cz", "C2", "C4", "C6",
    "CP5", "CP3", "CP1", "CPz", "CP2", "CP4", "CP6",
];

fn band(low_hz: f64, high_hz: f64) -> Step {
    let (low_hz, high_hz, order) = (Some(low_hz), Some(high_hz), Some(4));
    Step::Signal(SignalStep::BandPass(BandPass { low_hz, high_hz, order, ..BandPass::default() }))
}

fn motor_cortex() -> Step {
    let channels = SENSORIMOTOR.iter().map(|label| (*label).to_owned()).collect();
    Step::Signal(SignalStep::Pick(Pick { channels, absent: Absent::LeaveOut }))
}

fn regression(c: f64) -> Step {
    let step = LogisticRegression { c, ..LogisticRegression::default() };
    Step::Classifier(Classifier::LogisticRegression(step))
}

/// Five decoders that vote: tangent spaces of slow, of broad and of the session's
/// frequencies, each with a strongly regularised regression, and spatial patterns of all
/// channels and of those over the motor cortex.
///
/// Whether somebody moves at all shows broadly, also in slow responses to the cue; which
/// hand it is shows over the motor cortex in mu and beta: members that look at different
/// things err at different times.
pub fn vote() -> Pipeline {
    let tangent = |band| {
        let steps = vec![band, covariance(Estimator::Oas), tangent_space(), regression(0.01)];
        Voter { steps }
    };
    let mut motor = csp_lda().steps;
    motor.insert(0, motor_cortex());
    let vote = vec![
        tangent(band(1.0, 4.0)),
        tangent(band(4.0, 40.0)),
        tangent(session_band()),
        Voter { steps: csp_lda().steps },
        Voter { steps: motor },
    ];
    Pipeline { name: "vote".to_owned(), vote, ..Pipeline::default() }
}

/// As [`vote`], for two hands: every covariance but the slowest is taken of the older and
/// of the newer half of the window apart and with the mirrored twins of the examples, a
/// sixth list looks at 6-16 Hz, and how readily idle is decided is chosen inside the
/// calibration.
///
/// A window that straddles the beginning of a task looks different in its halves, which
/// the covariance of the whole can't say. The twins double what is known about the hands,
/// of which a calibration run of two minutes shows each only seven times. Regressions take
/// every third window, so that the calibration is not kept waiting.
pub fn mirror_vote() -> Pipeline {
    let halves = || {
        let step = Covariance { estimator: Estimator::Oas, parts: 2, ..Covariance::default() };
        Step::Feature(Feature::Covariance(step))
    };
    let mirror = || {
        let step = Mirror { absent: Absent::LeaveOut, ..Mirror::default() };
        Step::Transform(Transform::Mirror(step))
    };
    let thin = || Step::Transform(Transform::Thin(Thin::default()));
    let mirrored = |band| vec![band, halves(), thin(), mirror(), tangent_space(), regression(0.03)];
    let csp = || Step::Transform(Transform::Csp(Csp::default()));
    let patterns = |band| vec![band, halves(), mirror(), csp(), lda()];
    let whole = covariance(Estimator::Oas);
    let slow = vec![band(1.0, 4.0), whole, thin(), tangent_space(), regression(0.03)];
    let motor = [vec![motor_cortex()], patterns(session_band())].concat();
    let lists = [
        slow,
        mirrored(band(4.0, 40.0)),
        mirrored(session_band()),
        patterns(session_band()),
        motor,
        mirrored(band(6.0, 16.0)),
    ];
    let vote = lists.into_iter().map(|steps| Voter { steps }).collect();
    let idle_weights = vec![1.0, 0.8, 0.65, 0.5];
    let choose = Choose { splits: SPLITS, parameters: Vec::new(), idle_weights };
    let (name, choose) = ("mirror+vote".to_owned(), Some(choose));
    Pipeline { name, vote, choose, ..Pipeline::default() }
}
