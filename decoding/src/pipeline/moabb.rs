//! MOABB's pipelines: YAML files that name classes of scikit-learn, pyRiemann and MOABB,
//! read as far as their steps are steps of ours.
//!
//! What has no counterpart is an error that names the step or the parameter, and never a
//! pipeline that merely resembles the file. A file says nothing of the filter, which is
//! the paradigm's there; here every pipeline begins with the session's `band_pass`.
//!
//! # Conventions
//! - `param_grid` becomes [`Choose`], judged by inner splits in time order, where MOABB
//!   shuffles.
//! - `Covariances` with the estimator `cov` divides by `n - 1`, ours by `n`: a common
//!   factor.
//! - `TRCSP` of MOABB is for two classes; here it is, with more, each class against the rest.
//! - Options of solvers (`solver`, `max_iter`, `tol`, `random_state`, `probability`, ...)
//!   are passed over: ours run to the optimum.
//!
//! # Reference
//! S. Chevallier et al. (2024), doi 10.48550/arXiv.2404.15319.

mod map;

use self::map::{Mapper, counterpart};
use super::Pipeline;
use super::check::PipelineError;
use super::choose::{Choice, Choose};
use saphyr::{LoadableYamlNode as _, Scalar, Yaml};

#[cfg(test)]
mod tests;

/// Why a file of MOABB gives no pipeline.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoabbError {
    /// Mend the YAML.
    #[error("{why}")]
    Yaml {
        /// What the parser says.
        why: String,
    },
    /// Give it the keys of MOABB's pipelines: `name`, and `pipeline` with a list.
    #[error("{what}")]
    NoPipeline {
        /// What is missing.
        what: &'static str,
    },
    /// Write the pipeline as TOML, with steps that there are.
    #[error("step {at}, {name} of {from}, is no step here: {why}")]
    Step {
        /// Its position, from 1.
        at: usize,
        /// The class.
        name: String,
        /// Its module.
        from: String,
        /// What keeps it from being one, and what to write.
        why: &'static str,
    },
    /// Write the pipeline as TOML, with parameters that there are.
    #[error("step {at}, {name}: {parameter}: {why}")]
    Parameter {
        /// Its position, from 1.
        at: usize,
        /// The class.
        name: String,
        /// The parameter.
        parameter: String,
        /// What does not map.
        why: String,
    },
    /// Leave the line out of the grid, or write the pipeline as TOML.
    #[error("param_grid: {key}: {why}")]
    Grid {
        /// Its key.
        key: String,
        /// What does not map.
        why: String,
    },
    /// The steps are no pipeline: write it as TOML.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl Pipeline {
    /// Reads one of MOABB's files.
    pub fn from_moabb(text: &str) -> Result<Self, MoabbError> {
        let documents =
            Yaml::load_from_str(text).map_err(|e| MoabbError::Yaml { why: e.to_string() })?;
        let missing = |what| MoabbError::NoPipeline { what };
        let document = documents.first().ok_or_else(|| missing("the file is empty"))?;
        let name = get(document, "name").and_then(text_of);
        let name = name.ok_or_else(|| missing("the file has no name"))?;
        let Some(Yaml::Sequence(items)) = get(document, "pipeline") else {
            return Err(missing("the file has no list called pipeline"));
        };
        let mut mapper = Mapper::default();
        for (at, item) in (1..).zip(items) {
            let class = get(item, "name").and_then(text_of);
            let class = class.ok_or_else(|| missing("a step of the list has no name"))?;
            let from = get(item, "from").and_then(text_of).unwrap_or_default();
            // A class that is no step is the better reason than a parameter of it.
            counterpart(at, &class, &from)?;
            mapper.step(at, &class, &from, &parameters(at, &class, item)?)?;
        }
        let mut pipeline =
            Self { name: fit_name(&name), steps: mapper.finish()?, ..Self::default() };
        pipeline.choose = grid(document, &mapper)?;
        pipeline.check()?;
        Ok(pipeline)
    }
}

/// A name without what tables and files can't hold.
fn fit_name(name: &str) -> String {
    let joined = name.replace(" + ", "+");
    let fit = |c: char| if c.is_ascii_alphanumeric() || "+-_.".contains(c) { c } else { '_' };
    joined.chars().map(fit).take(super::check::MAX_NAME_LEN).collect()
}

/// The value of a key of a mapping.
fn get<'a, 'i>(node: &'a Yaml<'i>, key: &str) -> Option<&'a Yaml<'i>> {
    let Yaml::Mapping(mapping) = node else { return None };
    mapping.iter().find(|(k, _)| text_of(k).as_deref() == Some(key)).map(|(_, value)| value)
}

fn text_of(node: &Yaml<'_>) -> Option<String> {
    match node {
        Yaml::Value(Scalar::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// A plain value; nothing where it is none.
fn plain(node: &Yaml<'_>) -> Option<toml::Value> {
    match node {
        Yaml::Value(Scalar::String(text)) => Some(toml::Value::String(text.to_string())),
        Yaml::Value(Scalar::Integer(integer)) => Some(toml::Value::Integer(*integer)),
        Yaml::Value(Scalar::FloatingPoint(float)) => Some(toml::Value::Float(**float)),
        Yaml::Value(Scalar::Boolean(is)) => Some(toml::Value::Boolean(*is)),
        Yaml::Sequence(items) => {
            items.iter().map(plain).collect::<Option<Vec<_>>>().map(toml::Value::Array)
        }
        _ => None,
    }
}

/// The parameters of a step, those that are null left out.
fn parameters(
    at: usize,
    class: &str,
    item: &Yaml<'_>,
) -> Result<Vec<(String, toml::Value)>, MoabbError> {
    let Some(Yaml::Mapping(mapping)) = get(item, "parameters") else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (key, value) in mapping {
        if matches!(value, Yaml::Value(Scalar::Null)) {
            continue;
        }
        let parameter = text_of(key).unwrap_or_default();
        let Some(value) = plain(value).filter(|_| !parameter.is_empty()) else {
            let (name, why) = (class.to_owned(), "it is no plain value".to_owned());
            return Err(MoabbError::Parameter { at, name, parameter, why });
        };
        found.push((parameter, value));
    }
    Ok(found)
}

/// What is chosen: lines like `svc__C` with a list of values.
fn grid(document: &Yaml<'_>, mapper: &Mapper) -> Result<Option<Choose>, MoabbError> {
    let Some(Yaml::Mapping(mapping)) = get(document, "param_grid") else { return Ok(None) };
    let mut parameters = Vec::new();
    for (key, values) in mapping {
        let key = text_of(key).unwrap_or_default();
        let error = |why: &str| MoabbError::Grid { key: key.clone(), why: why.to_owned() };
        let Some((class, parameter)) = key.split_once("__") else {
            return Err(error("a line of the grid is called STEP__PARAMETER"));
        };
        let Some(toml::Value::Array(values)) = plain(values) else {
            return Err(error("its values are no list of plain values"));
        };
        let mut choice: Option<Choice> = None;
        for value in values {
            let (step, changed) = mapper
                .parameter(class, parameter, &value)
                .map_err(|why| MoabbError::Grid { key: key.clone(), why })?;
            let Some((parameter, value)) = changed else { continue };
            let choice = choice.get_or_insert_with(|| Choice {
                step: step.to_owned(),
                parameter: parameter.to_owned(),
                values: Vec::new(),
            });
            choice.values.push(value);
        }
        parameters.extend(choice);
    }
    let (splits, idle_weights) = (super::choose::SPLITS, Vec::new());
    Ok((!parameters.is_empty()).then_some(Choose { splits, idle_weights, parameters }))
}
