//! Classes of Python as steps of ours.

use super::MoabbError;
use crate::front_end::step::{BandPass, Feature, Raw, SignalStep};
use crate::pipeline::step::Step;
use toml::{Table, Value};

/// A parameter as ours: its name and value, or nothing where it says what ours does
/// anyway.
type Mapped = Result<Change, String>;
/// Our parameter and its value; none where ours needs no saying.
type Change = Option<(&'static str, Value)>;

/// Parameters that say how a solver gets to an optimum which is ours in any case, or what
/// is printed.
const PASSED_OVER: [&str; 13] = [
    "solver",
    "max_iter",
    "tol",
    "random_state",
    "probability",
    "multi_class",
    "verbose",
    "n_jobs",
    "intercept_scaling",
    "warm_start",
    "cache_size",
    "store_covariance",
    "decision_function_shape",
];

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Mapper {
    /// Class, the name of ours, its parameters.
    steps: Vec<(&'static str, &'static str, Table)>,
}

/// A class, which of our steps it is, and Python's defaults where ours differ.
pub(super) type Counterpart = (&'static str, &'static str, fn() -> Table);

/// The classes that have a counterpart.
const COUNTERPARTS: [Counterpart; 19] = [
    ("AugmentedDataset", "augmented_covariance", || {
        table([("estimator", "scm".into()), ("order", 1.into()), ("lag", 1.into())])
    }),
    ("Covariances", "covariance", || table([("estimator", "scm".into())])),
    ("ERPCovariances", "erp_covariance", || {
        table([("prototypes", "means".into()), ("estimator", "scm".into())])
    }),
    ("XdawnCovariances", "erp_covariance", || table([("estimator", "scm".into())])),
    ("LogVariance", "log_variance", Table::new),
    ("CSP", "csp", || table([pyriemann(&4.into())])),
    ("TRCSP", "csp", || table([tikhonov(2, &1.0.into())])),
    ("Xdawn", "xdawn", || table([("estimator", "scm".into())])),
    ("Vectorizer", "vectorise", Table::new),
    ("TangentSpace", "tangent_space", Table::new),
    ("FGDA", "fgda", Table::new),
    ("StandardScaler", "standardise", Table::new),
    ("LinearDiscriminantAnalysis", "lda", || table([("shrinkage", "none".into())])),
    ("LogisticRegression", "logistic_regression", Table::new),
    ("SVC", "svm", Table::new),
    ("MDM", "mdm", Table::new),
    ("FgMDM", "fgmdm", Table::new),
    ("KNearestNeighbor", "knn", Table::new),
    ("MeanField", "mean_field", Table::new),
];

fn table<const N: usize>(entries: [(&str, Value); N]) -> Table {
    entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// pyRiemann's choice of spatial filters.
fn pyriemann(n_filters: &Value) -> (&'static str, Value) {
    let filters = Value::Table(table([("n_filters", n_filters.clone())]));
    ("filters", Value::Table(table([("farthest_or_joint", filters)])))
}

/// MOABB's penalised filters.
fn tikhonov(n_per_end: i64, alpha: &Value) -> (&'static str, Value) {
    let filters = table([("n_per_end", n_per_end.into()), ("alpha", alpha.clone())]);
    ("filters", Value::Table(table([("tikhonov", Value::Table(filters))])))
}

/// Modules whose classes are meant.
const MODULES: [&str; 4] = ["sklearn.", "pyriemann.", "moabb.pipelines", "mne.decoding"];

/// Classes of MOABB that are no step here although much of them is, and why.
const NEARLY: [(&str, &str); 5] = [
    (
        "ExtendedSSVEPSignal",
        "its bands are the paradigm's, around the frequencies of a data set: write `filter_bank` \
         with these as bands_hz and `covariance` with bands = \"stacked\" as TOML",
    ),
    (
        "SSVEP_CCA",
        "the frequencies are the data set's: write `cca` with these as frequencies_hz, \
         n_harmonics = 3, and `largest` after it as TOML",
    ),
    (
        "SSVEP_TRCA",
        "its filter bank runs backwards in time as well: write `filter_bank`, `samples`, `trca` \
         and a classifier after it as TOML",
    ),
    (
        "SSVEP_MsetCCA",
        "correlations with a set of trials are not offered: write `trca` or `cca` as TOML",
    ),
    ("SSVEP_itCCA", "correlations with mean trials are not offered: write `trca` or `cca` as TOML"),
];

/// What stands for a class of a module.
pub(super) fn counterpart(at: usize, class: &str, from: &str) -> Result<Counterpart, MoabbError> {
    let is_known = MODULES.iter().any(|module| from.starts_with(module));
    let found = COUNTERPARTS.iter().find(|(known, ..)| is_known && *known == class);
    found.copied().ok_or_else(|| {
        let (name, from, why) = (class.to_owned(), from.to_owned(), why_not(class));
        MoabbError::Step { at, name, from, why }
    })
}

/// Why a class is no step.
fn why_not(class: &str) -> &'static str {
    let nearly = NEARLY.iter().find(|(known, _)| *known == class);
    nearly.map_or("write the pipeline as TOML, of steps that there are", |(_, why)| *why)
}

impl Mapper {
    /// Adds a step of the file.
    pub fn step(
        &mut self,
        at: usize,
        class: &str,
        from: &str,
        parameters: &[(String, Value)],
    ) -> Result<(), MoabbError> {
        let (class, name, defaults) = counterpart(at, class, from)?;
        let mut table = defaults();
        let error = |parameter: &str, why: String| MoabbError::Parameter {
            at,
            name: class.to_owned(),
            parameter: parameter.to_owned(),
            why,
        };
        for (parameter, value) in parameters {
            let mapped = mapped(class, parameter, value).map_err(|why| error(parameter, why))?;
            table.extend(mapped.map(|(parameter, value)| (parameter.to_owned(), value)));
        }
        if class == "LinearDiscriminantAnalysis" {
            let of = |name: &str| parameters.iter().find(|(parameter, _)| parameter == name);
            let solver = of("solver").and_then(|(_, solver)| solver.as_str());
            if of("shrinkage").is_none() && solver.is_some_and(|solver| solver != "svd") {
                let why = "without shrinkage only the solver svd has a counterpart here";
                return Err(error("solver", why.to_owned()));
            }
        }
        if class == "TRCSP" {
            table.extend([trcsp(parameters).map_err(|why| error("nfilter", why))?]);
        }
        // The covariance behind an augmented data set is part of one step here.
        let is_augmented =
            self.steps.last().is_some_and(|(class, ..)| *class == "AugmentedDataset");
        match self.steps.last_mut().filter(|_| is_augmented && class == "Covariances") {
            Some((_, _, augmented)) => augmented.extend(table),
            None => self.steps.push((class, name, table)),
        }
        Ok(())
    }

    /// The steps as ours, a filter and what they need before them.
    pub fn finish(&self) -> Result<Vec<Step>, MoabbError> {
        let takes_samples = ["erp_covariance", "xdawn", "vectorise"];
        let needs_samples = self.steps.iter().any(|(_, name, _)| takes_samples.contains(name));
        let mut steps = vec![Step::Signal(SignalStep::BandPass(BandPass::default()))];
        if needs_samples {
            steps.push(Step::Feature(Feature::Raw(Raw {})));
        }
        for (at, (class, name, table)) in (1..).zip(&self.steps) {
            match Step::read(name, table.clone()) {
                Some(Ok(step)) => steps.push(step),
                Some(Err(error)) => {
                    return Err(MoabbError::Parameter {
                        at,
                        name: (*class).to_owned(),
                        parameter: "its parameters".to_owned(),
                        why: error.message().to_owned(),
                    });
                }
                None => {
                    let (name, from, why) = ((*class).to_owned(), String::new(), why_not(class));
                    return Err(MoabbError::Step { at, name, from, why });
                }
            }
        }
        Ok(steps)
    }

    /// Our step and parameter of a line of the grid.
    pub fn parameter(
        &self,
        class: &str,
        parameter: &str,
        value: &Value,
    ) -> Result<(&'static str, Change), String> {
        if class == "trcsp" {
            return Err("two of its parameters are one here: write the choice as TOML".to_owned());
        }
        // scikit-learn calls the steps of a pipeline by their classes in lower case.
        let found = self.steps.iter().find(|(known, ..)| known.to_lowercase() == class);
        let (class, name, _) = found.ok_or_else(|| format!("no step is called {class}"))?;
        Ok((name, mapped(class, parameter, value)?))
    }
}

/// The filters of MOABB's penalised patterns, half from each end: both of its parameters make
/// one of ours.
fn trcsp(parameters: &[(String, Value)]) -> Result<(String, Value), String> {
    let of = |name: &str| parameters.iter().find(|(parameter, _)| parameter == name);
    let n_filters = of("nfilter").map_or(Some(4), |(_, n)| n.as_integer());
    let n_filters = n_filters.filter(|n| *n >= 2).ok_or("it is a number from 2 on")?;
    let alpha = of("alpha").map_or(Value::Float(1.0), |(_, alpha)| alpha.clone());
    let (name, filters) = tikhonov(n_filters / 2, &alpha);
    Ok((name.to_owned(), filters))
}

/// One parameter of a class.
fn mapped(class: &str, parameter: &str, value: &Value) -> Mapped {
    let as_it_is = |name: &'static str| Ok(Some((name, value.clone())));
    match (class, parameter) {
        ("Covariances" | "ERPCovariances" | "XdawnCovariances" | "Xdawn", "estimator") => {
            Ok(Some(("estimator", estimator(value)?)))
        }
        ("XdawnCovariances", "xdawn_estimator") => {
            Ok(Some(("filter_estimator", estimator(value)?)))
        }
        ("XdawnCovariances" | "Xdawn", "nfilter") => as_it_is("n_filters"),
        ("XdawnCovariances", "applyfilters") => Ok((value.as_bool() == Some(false))
            .then(|| ("prototypes", Value::String("xdawn_above".to_owned())))),
        ("ERPCovariances", "svd") => {
            Err("write prototypes = \"svd\" and n_filters as TOML".to_owned())
        }
        ("AugmentedDataset", "order") => as_it_is("order"),
        ("AugmentedDataset", "lag") => as_it_is("lag"),
        ("CSP", "nfilter") => Ok(Some(pyriemann(value))),
        ("TRCSP", "nfilter" | "alpha") => Ok(None),
        ("CSP" | "TRCSP", "log") if value.as_bool() == Some(true) => Ok(None),
        ("CSP" | "TRCSP", "metric") if value.as_str() == Some("euclid") => Ok(None),
        (
            "TangentSpace" | "MDM" | "FgMDM" | "FGDA" | "KNearestNeighbor" | "MeanField",
            "metric",
        ) => Ok(Some(("metric", metric(value)?))),
        ("KNearestNeighbor", "n_neighbors") => as_it_is("n_neighbours"),
        ("MeanField", "power_list") => as_it_is("powers"),
        ("LinearDiscriminantAnalysis", "shrinkage") if value.as_str() == Some("auto") => {
            as_it_is("shrinkage")
        }
        ("LogisticRegression" | "SVC", "C") => as_it_is("c"),
        ("LogisticRegression", "l1_ratio") => as_it_is("l1_ratio"),
        ("LogisticRegression", "penalty") => match value.as_str() {
            Some("elasticnet") => Ok(Some(("penalty", Value::String("elastic_net".to_owned())))),
            Some("l1" | "l2") => as_it_is("penalty"),
            _ => Err(format!("{value} is none of l1, l2, elasticnet")),
        },
        ("SVC", "kernel") if matches!(value.as_str(), Some("linear" | "rbf")) => as_it_is("kernel"),
        ("SVC", "gamma") => as_it_is("gamma"),
        ("TangentSpace" | "FGDA" | "FgMDM", "tsupdate") if value.as_bool() == Some(false) => {
            Ok(None)
        }
        ("LogisticRegression" | "SVC" | "LinearDiscriminantAnalysis" | "TangentSpace", other)
            if PASSED_OVER.contains(&other) =>
        {
            Ok(None)
        }
        _ => Err(format!("{value} has no counterpart here")),
    }
}

fn estimator(value: &Value) -> Result<Value, String> {
    let ours = match value.as_str() {
        Some("oas") => "oas",
        Some("scm" | "cov") => "scm",
        Some("lwf") => "ledoit_wolf",
        Some("sch") => "schaefer_strimmer",
        _ => return Err(format!("{value} is none of oas, scm, cov, lwf, sch")),
    };
    Ok(Value::String(ours.to_owned()))
}

fn metric(value: &Value) -> Result<Value, String> {
    let ours = match value.as_str() {
        Some("riemann") => "affine_invariant",
        Some("logeuclid") => "log_euclidean",
        Some("wasserstein") => "wasserstein",
        Some("euclid") => "euclidean",
        _ => return Err(format!("{value} is none of riemann, logeuclid, wasserstein, euclid")),
    };
    Ok(Value::String(ours.to_owned()))
}
