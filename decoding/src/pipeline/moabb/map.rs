//! Classes of Python as steps of ours.

use super::MoabbError;
use crate::pipeline::step::Step;
use toml::{Table, Value};

/// A parameter as ours: its name and value, or nothing where it says what ours does
/// anyway.
type Mapped = Result<Change, String>;
/// Our parameter and its value; none where ours needs no saying.
type Change = Option<(&'static str, Value)>;

/// Parameters that say how a solver gets to an optimum which is ours in any case, or what
/// is printed.
const PASSED_OVER: [&str; 14] = [
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
    "tsupdate",
    "store_covariance",
    "decision_function_shape",
];

/// The steps so far.
#[derive(Debug, Default)]
pub(super) struct Mapper {
    /// Class in lower case, the name of ours, its parameters.
    steps: Vec<(String, &'static str, Table)>,
}

/// Which of our steps a class is, with what Python's defaults are where ours differ.
fn counterpart(class: &str) -> Option<(&'static str, &'static [(&'static str, &'static str)])> {
    Some(match class {
        "AugmentedDataset" => ("augmented_covariance", &[("estimator", "scm")]),
        "Covariances" => ("covariance", &[("estimator", "scm")]),
        "ERPCovariances" => ("erp_covariance", &[("prototypes", "means"), ("estimator", "scm")]),
        "XdawnCovariances" => ("erp_covariance", &[("estimator", "scm")]),
        "LogVariance" => ("log_variance", &[]),
        "CSP" => ("csp", &[]),
        "TangentSpace" => ("tangent_space", &[]),
        "FGDA" => ("fgda", &[]),
        "StandardScaler" => ("standardise", &[]),
        "LinearDiscriminantAnalysis" => ("lda", &[]),
        "LogisticRegression" => ("logistic_regression", &[]),
        "SVC" => ("svm", &[]),
        "MDM" => ("mdm", &[]),
        "FgMDM" => ("fgmdm", &[]),
        "KNearestNeighbor" => ("knn", &[]),
        "MeanField" => ("mean_field", &[]),
        _ => return None,
    })
}

/// Modules whose classes are meant.
const MODULES: [&str; 4] = ["sklearn.", "pyriemann.", "moabb.pipelines", "moabb.pipelines."];

impl Mapper {
    /// Adds a step of the file.
    pub fn step(
        &mut self,
        at: usize,
        class: &str,
        from: &str,
        parameters: &[(String, Value)],
    ) -> Result<(), MoabbError> {
        let is_known = MODULES.iter().any(|module| from.starts_with(module));
        let Some((name, defaults)) = counterpart(class).filter(|_| is_known) else {
            let (name, from) = (class.to_owned(), from.to_owned());
            return Err(MoabbError::Step { at, name, from });
        };
        let mut table = Table::new();
        for (parameter, value) in defaults {
            table.insert((*parameter).to_owned(), Value::String((*value).to_owned()));
        }
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
        if class == "LinearDiscriminantAnalysis"
            && !parameters.iter().any(|(parameter, _)| parameter == "shrinkage")
        {
            let why = "ours shrinks automatically: only shrinkage: auto is the same";
            return Err(error("shrinkage", why.to_owned()));
        }
        // The covariance behind an augmented data set is part of one step here.
        let is_augmented = self.steps.last().is_some_and(|(class, ..)| class == "augmenteddataset");
        match self.steps.last_mut().filter(|_| is_augmented && class == "Covariances") {
            Some((_, _, augmented)) => augmented.extend(table),
            None => self.steps.push((class.to_lowercase(), name, table)),
        }
        Ok(())
    }

    /// The steps as ours, a filter and what they need before them.
    pub fn finish(&self) -> Result<Vec<Step>, MoabbError> {
        let needs_samples = self.steps.iter().any(|(_, name, _)| *name == "erp_covariance");
        let before = ["band_pass", "samples"].into_iter().take(1 + usize::from(needs_samples));
        let mut steps: Vec<_> = before
            .filter_map(|name| Step::read(name, Table::new()))
            .filter_map(Result::ok)
            .collect();
        for (at, (class, name, table)) in (1..).zip(&self.steps) {
            match Step::read(name, table.clone()) {
                Some(Ok(step)) => steps.push(step),
                Some(Err(error)) => {
                    return Err(MoabbError::Parameter {
                        at,
                        name: class.clone(),
                        parameter: "its parameters".to_owned(),
                        why: error.message().to_owned(),
                    });
                }
                None => {
                    let (name, from) = (class.clone(), String::new());
                    return Err(MoabbError::Step { at, name, from });
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
        let found = self.steps.iter().find(|(known, ..)| known == class);
        let (_, name, _) = found.ok_or_else(|| format!("no step is called {class}"))?;
        let class = CLASSES.iter().find(|known| known.to_lowercase() == class);
        let class = class.ok_or_else(|| "no class of that name".to_owned())?;
        Ok((name, mapped(class, parameter, value)?))
    }
}

/// The classes that have a counterpart.
const CLASSES: [&str; 16] = [
    "AugmentedDataset",
    "Covariances",
    "ERPCovariances",
    "XdawnCovariances",
    "LogVariance",
    "CSP",
    "TangentSpace",
    "FGDA",
    "StandardScaler",
    "LinearDiscriminantAnalysis",
    "LogisticRegression",
    "SVC",
    "MDM",
    "FgMDM",
    "KNearestNeighbor",
    "MeanField",
];

/// One parameter of a class.
fn mapped(class: &str, parameter: &str, value: &Value) -> Mapped {
    let as_it_is = |name: &'static str| Ok(Some((name, value.clone())));
    match (class, parameter) {
        ("Covariances" | "ERPCovariances" | "XdawnCovariances", "estimator") => {
            Ok(Some(("estimator", estimator(value)?)))
        }
        ("XdawnCovariances", "xdawn_estimator") => {
            Ok(Some(("filter_estimator", estimator(value)?)))
        }
        ("XdawnCovariances", "nfilter") => as_it_is("n_filters"),
        ("XdawnCovariances", "applyfilters") => Ok((value.as_bool() == Some(false))
            .then(|| ("prototypes", Value::String("xdawn_above".to_owned())))),
        ("ERPCovariances", "svd") => {
            Err("write prototypes = \"svd\" and n_filters as TOML".to_owned())
        }
        ("AugmentedDataset", "order") => as_it_is("order"),
        ("AugmentedDataset", "lag") => as_it_is("lag"),
        ("CSP", "nfilter") => {
            let filters = Table::from_iter([("n_filters".to_owned(), value.clone())]);
            let farthest = Table::from_iter([("farthest".to_owned(), Value::Table(filters))]);
            Ok(Some(("filters", Value::Table(farthest))))
        }
        ("CSP", "log") if value.as_bool() == Some(true) => Ok(None),
        ("CSP", "metric") if value.as_str() == Some("euclid") => Ok(None),
        (
            "TangentSpace" | "MDM" | "FgMDM" | "FGDA" | "KNearestNeighbor" | "MeanField",
            "metric",
        ) => Ok(Some(("metric", metric(value)?))),
        ("KNearestNeighbor", "n_neighbors") => as_it_is("n_neighbours"),
        ("MeanField", "power_list") => as_it_is("powers"),
        ("LinearDiscriminantAnalysis", "shrinkage") if value.as_str() == Some("auto") => Ok(None),
        ("LogisticRegression" | "SVC", "C") => as_it_is("c"),
        ("LogisticRegression", "l1_ratio") => as_it_is("l1_ratio"),
        ("LogisticRegression", "penalty") => match value.as_str() {
            Some("elasticnet") => Ok(Some(("penalty", Value::String("elastic_net".to_owned())))),
            Some("l1" | "l2") => as_it_is("penalty"),
            _ => Err(format!("{value} is none of l1, l2, elasticnet")),
        },
        ("SVC", "kernel") if matches!(value.as_str(), Some("linear" | "rbf")) => as_it_is("kernel"),
        ("SVC", "gamma") => as_it_is("gamma"),
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
