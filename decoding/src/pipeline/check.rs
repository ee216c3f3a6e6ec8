//! Whether a list of steps is a pipeline: what each takes and gives, and what is wrong
//! where two neighbours do not fit.

use super::Pipeline;
use super::step::{Classifier, Step, Transform};
use crate::front_end::step::group::BadParameter;
use crate::front_end::step::{Bands, Feature, MAX_BANDS, SignalStep};

/// What flows from one step to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Frames of a signal, in one or more bands.
    Signal,
    /// One matrix per band of a window.
    Matrices,
    /// The samples of a window, per band.
    Samples,
    /// One vector of a window.
    Vector,
    /// A probability per class: the end.
    Posterior,
}

impl Form {
    fn in_words(self) -> &'static str {
        match self {
            Self::Signal => "a signal",
            Self::Matrices => "matrices",
            Self::Samples => "samples of a window",
            Self::Vector => "a vector",
            Self::Posterior => "a posterior",
        }
    }
}

/// Why steps are no pipeline. Every message names the step by its position, from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PipelineError {
    /// Choose a name of letters, digits, `+`, `-`, `_` and `.`.
    #[error(
        "{name:?} can't name a pipeline: use 1 to {MAX_NAME_LEN} letters, digits, `+`, `-`, `_`, `.`"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// Name the steps.
    #[error("a pipeline needs steps: a feature and a classifier at least")]
    NoSteps,
    /// Put a step between the two, or exchange one of them.
    #[error(
        "step {at} `{step}` takes {}, but {} gives {}: {remedy}", takes.in_words(), before(previous.as_deref(), *at), gives.in_words()
    )]
    Order {
        /// The position of the second of them, from 1.
        at: usize,
        /// Its name.
        step: String,
        /// What it takes.
        takes: Form,
        /// The step before, or nothing where the stream itself comes before.
        previous: Option<String>,
        /// What that gives.
        gives: Form,
        /// What to write instead.
        remedy: &'static str,
    },
    /// Add the step that is missing at the end.
    #[error("the last step `{step}` gives {}: end with {}", gives.in_words(), one_of(Classifier::NAMES))]
    NoClassifier {
        /// The last step.
        step: String,
        /// What it gives.
        gives: Form,
    },
    /// Use one band there, or a tangent space, which joins the bands in one vector.
    #[error(
        "step {at} `{step}` takes one matrix per window, but there are several bands or parts: put `tangent_space` or `csp` and a classifier of vectors before it, or take one of each"
    )]
    SeveralBands {
        /// Its position, from 1.
        at: usize,
        /// Its name.
        step: String,
    },
    /// Let the lists of steps stand alone, two of them at least.
    #[error("a vote needs two [[vote]] lists of steps or more, and no steps beside them")]
    Vote,
    /// Give idle a weight that is a positive number.
    #[error("an idle_weight of {weight} is not a positive number")]
    IdleWeight {
        /// As it was written.
        weight: String,
    },
    /// Change its numbers.
    #[error("the decision policy: {why}")]
    Decision {
        /// What they may be.
        why: String,
    },
    /// Change that list.
    #[error("vote {at}: {error}")]
    Voter {
        /// Its position, from 1.
        at: usize,
        /// What is wrong with it.
        error: Box<PipelineError>,
    },
    /// Take fewer bands, or one filter bank.
    #[error("step {at} `{step}` makes {n_bands} bands, at most {MAX_BANDS} are possible")]
    TooManyBands {
        /// Its position, from 1.
        at: usize,
        /// Its name.
        step: String,
        /// How many there would be.
        n_bands: usize,
    },
    /// Move the step.
    #[error("step {at} `{step}` can't stand there: {why}")]
    Place {
        /// Its position, from 1.
        at: usize,
        /// Its name.
        step: String,
        /// What has to be where.
        why: &'static str,
    },
    /// Change what is chosen.
    #[error("choice {at}: {why}")]
    Choose {
        /// Its position among the parameters that are chosen, from 1.
        at: usize,
        /// What is wrong.
        why: String,
    },
    /// Change the parameter's value.
    #[error("step {at} `{step}`: {error}")]
    Parameter {
        /// Its position, from 1.
        at: usize,
        /// Its name.
        step: String,
        /// Which, and why.
        error: BadParameter,
    },
}

/// Longest name of a pipeline: it stands in tables.
pub(super) const MAX_NAME_LEN: usize = 40;

fn before(previous: Option<&str>, at: usize) -> String {
    previous.map_or_else(|| "the stream".to_owned(), |step| format!("step {} `{step}`", at - 1))
}

/// `a, b or c`, each in backticks.
pub(crate) fn one_of(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

impl Step {
    /// What the step takes.
    pub fn takes(&self) -> Form {
        match self {
            Self::Signal(_) | Self::Feature(_) => Form::Signal,
            Self::Transform(step) => match step {
                Transform::Csp(_)
                | Transform::FilterBankCsp(_)
                | Transform::Spoc(_)
                | Transform::TangentSpace(_)
                | Transform::Thin(_)
                | Transform::Mirror(_)
                | Transform::Recenter(_)
                | Transform::Potato(_)
                | Transform::Fgda(_) => Form::Matrices,
                Transform::Standardise(_) | Transform::Select(_) => Form::Vector,
                Transform::ErpCovariance(_)
                | Transform::Trca(_)
                | Transform::Xdawn(_)
                | Transform::Vectorise(_) => Form::Samples,
            },
            Self::Classifier(step) => match step {
                Classifier::Lda(_)
                | Classifier::AdaptiveLda(_)
                | Classifier::LogisticRegression(_)
                | Classifier::Largest(_)
                | Classifier::Svm(_) => Form::Vector,
                Classifier::Mdm(_)
                | Classifier::FgMdm(_)
                | Classifier::Knn(_)
                | Classifier::MeanField(_) => Form::Matrices,
                Classifier::Network(_) => Form::Samples,
            },
        }
    }

    /// What it gives.
    pub fn gives(&self) -> Form {
        match self {
            Self::Signal(_) => Form::Signal,
            Self::Feature(step) => match step {
                Feature::Covariance(_) | Feature::AugmentedCovariance(_) => Form::Matrices,
                Feature::LogVariance(_)
                | Feature::BandPower(_)
                | Feature::SpectralEntropy(_)
                | Feature::TimeDomain(_)
                | Feature::Cca(_)
                | Feature::Connectivity(_) => Form::Vector,
                Feature::Raw(_) => Form::Samples,
            },
            Self::Transform(step) => match step {
                Transform::Thin(_)
                | Transform::Mirror(_)
                | Transform::Recenter(_)
                | Transform::Potato(_)
                | Transform::Fgda(_)
                | Transform::ErpCovariance(_) => Form::Matrices,
                Transform::Xdawn(_) => Form::Samples,
                Transform::Csp(_)
                | Transform::FilterBankCsp(_)
                | Transform::Spoc(_)
                | Transform::Trca(_)
                | Transform::Vectorise(_)
                | Transform::TangentSpace(_)
                | Transform::Standardise(_)
                | Transform::Select(_) => Form::Vector,
            },
            Self::Classifier(_) => Form::Posterior,
        }
    }

    /// How many bands it makes of one; the parts of a window count as bands.
    fn n_bands(&self) -> usize {
        match self {
            Self::Signal(SignalStep::FilterBank(bank)) => bank.bands_hz.len(),
            Self::Feature(Feature::Covariance(covariance)) => covariance.parts,
            _ => 1,
        }
    }

    /// Whether it makes one of all bands.
    fn joins_bands(&self) -> bool {
        let Self::Feature(Feature::Covariance(step)) = self else { return false };
        step.bands == Bands::Stacked
    }

    /// Whether it wants one matrix or one signal, not one per band.
    fn takes_one(&self) -> bool {
        matches!(self, Self::Classifier(_)) && self.takes() != Form::Vector
    }
}

/// What to write where `gives` meets a step that `takes` something else.
fn remedy(gives: Form, takes: Form) -> &'static str {
    match (gives, takes) {
        (Form::Signal, Form::Matrices) => "put `covariance` between them",
        (Form::Signal, Form::Samples) => "put `samples` between them",
        (Form::Samples, Form::Matrices | Form::Vector) => {
            "put `erp_covariance`, `trca` or `vectorise` between them, or take another feature than `samples`"
        }
        (_, Form::Samples) => "begin with `samples` as the feature",
        (Form::Signal, _) => {
            "put a feature between them, such as `log_variance`, `band_power`, or `covariance` and `tangent_space`"
        }
        (Form::Matrices, Form::Vector) => "put `tangent_space` or `csp` between them",
        (Form::Vector, Form::Matrices) => {
            "begin with `covariance` as the feature, and leave out what makes a vector of it"
        }
        (Form::Posterior, _) => "a classifier is the last step",
        (_, Form::Signal) => "signal steps and the feature come first",
        _ => "exchange one of them",
    }
}

impl Pipeline {
    /// Whether the steps follow from each other and every parameter can be used. What
    /// depends on the stream is found when it is planned.
    pub fn check(&self) -> Result<(), PipelineError> {
        check_name(&self.name)?;
        if let Some(weight) = self.idle_weight {
            check_idle_weight(weight)?;
        }
        if let Some(policy) = &self.decision {
            policy.check()?;
        }
        if self.vote.is_empty() {
            self.check_steps()?;
        } else if self.vote.len() < 2 || !self.steps.is_empty() {
            return Err(PipelineError::Vote);
        } else {
            for (at, member) in (1..).zip(self.members()) {
                let voter = |error| PipelineError::Voter { at, error: Box::new(error) };
                member.check_steps().map_err(voter)?;
            }
        }
        self.candidates().map(|_| ())
    }

    /// The same of one list of steps.
    fn check_steps(&self) -> Result<(), PipelineError> {
        let mut gives = Form::Signal;
        let mut n_bands = 1;
        let mut previous: Option<&Step> = None;
        for (at, step) in (1..).zip(&self.steps) {
            let name = || step.name().to_owned();
            let takes = step.takes();
            if takes != gives {
                let previous = previous.map(|step| step.name().to_owned());
                let remedy = remedy(gives, takes);
                return Err(PipelineError::Order {
                    at,
                    step: name(),
                    takes,
                    previous,
                    gives,
                    remedy,
                });
            }
            step.check().map_err(|error| PipelineError::Parameter { at, step: name(), error })?;
            if let Some(why) = misplaced(step, &self.steps[..at - 1], n_bands) {
                return Err(PipelineError::Place { at, step: name(), why });
            }
            n_bands = if step.joins_bands() { 1 } else { step.n_bands().saturating_mul(n_bands) };
            if n_bands > MAX_BANDS {
                return Err(PipelineError::TooManyBands { at, step: name(), n_bands });
            }
            if n_bands > 1 && step.takes_one() {
                return Err(PipelineError::SeveralBands { at, step: name() });
            }
            gives = step.gives();
            previous = Some(step);
        }
        match previous {
            None => Err(PipelineError::NoSteps),
            Some(Step::Classifier(_)) => Ok(()),
            Some(step) => Err(PipelineError::NoClassifier { step: step.name().to_owned(), gives }),
        }
    }
}

/// Why a step can't do what it does behind those `before`, if so.
fn misplaced(step: &Step, before: &[Step], n_bands: usize) -> Option<&'static str> {
    let keeps_channels =
        |step: &Step| !matches!(step, Step::Transform(t) if !matches!(t, Transform::Thin(_)));
    if matches!(step, Step::Transform(Transform::Mirror(_))) && !before.iter().all(keeps_channels) {
        return Some("it needs the channels as they are: put it right after the feature");
    }
    let Step::Signal(step) = step else { return None };
    if step.learns() && n_bands > 1 {
        return Some("it learns from one signal: put it before the filter bank");
    }
    let is_filter = |step: &Step| matches!(step, Step::Signal(step) if step.is_filter());
    if matches!(step, SignalStep::EogRegression(_)) && !before.iter().all(is_filter) {
        return Some("only filters may stand before it, which do the same to every channel");
    }
    None
}

/// A factor that keeps posteriors posteriors.
pub(super) fn check_idle_weight(weight: f64) -> Result<(), PipelineError> {
    if weight > 0.0 && weight.is_finite() {
        return Ok(());
    }
    Err(PipelineError::IdleWeight { weight: weight.to_string() })
}

fn check_name(name: &str) -> Result<(), PipelineError> {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || "+-_.".contains(c);
    if (1..=MAX_NAME_LEN).contains(&name.len()) && name.chars().all(is_fit) {
        return Ok(());
    }
    Err(PipelineError::Name { name: name.to_owned() })
}
