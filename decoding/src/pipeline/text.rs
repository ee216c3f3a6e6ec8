//! Descriptions as TOML: a name and a list of steps, each with its parameters.
//!
//! ```toml
//! name = "my+ts+lr"
//!
//! [[steps]]
//! step = "filter_bank"
//! bands_hz = [[8, 12], [12, 20], [20, 30]]
//!
//! [[steps]]
//! step = "covariance"
//!
//! [[steps]]
//! step = "tangent_space"
//!
//! [[steps]]
//! step = "logistic_regression"
//! c = 0.1
//! ```
//! Where several lists of steps vote, each stands under a `[[vote]]` of its own, its steps
//! under `[[vote.steps]]`. `idle_weight`, a number, makes idle more or less ready to be
//! decided; `[decision]` has the numbers of a [`DecisionPolicy`]; `[choose]` with `[[choose.parameters]]` or a list of `idle_weights` leaves both
//! to the calibration. Parameters that are left out have their defaults; [`Pipeline::to_toml`] writes all of
//! them. Nothing is read from a file here: text comes in, a description goes out.

mod nearest;

pub use self::nearest::did_you_mean;
use super::check::PipelineError;
use super::choose::Choose;
use super::policy::DecisionPolicy;
use super::step::Step;
use super::{Pipeline, Voter};
use crate::front_end::step::LEARNED;
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeArray, DeTable, DeValue};

#[cfg(test)]
mod tests;

/// Why a text describes no pipeline. Every message says the line, counted from 1.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DescriptionError {
    /// Mend the TOML.
    #[error("line {line}: {why}")]
    Toml {
        /// Where.
        line: usize,
        /// What the parser says.
        why: String,
    },
    /// Write one of the known keys.
    #[error("line {line}: {found:?} is no key of a description{hint}")]
    UnknownKey {
        /// Where.
        line: usize,
        /// The key.
        found: String,
        /// The nearest known one.
        hint: String,
    },
    /// Add what is missing.
    #[error("line {line}: {what}")]
    Missing {
        /// Where.
        line: usize,
        /// What is missing, and what to write.
        what: &'static str,
    },
    /// Write one of the known steps.
    #[error("line {line}: no step is called {found:?}{hint}")]
    UnknownStep {
        /// Where.
        line: usize,
        /// The name.
        found: String,
        /// The nearest known one.
        hint: String,
    },
    /// Write one of the step's parameters.
    #[error("line {line}: `{step}` has no parameter {found:?}{hint}")]
    UnknownParameter {
        /// Where.
        line: usize,
        /// The step.
        step: String,
        /// The parameter.
        found: String,
        /// The nearest known one, or that it has none.
        hint: String,
    },
    /// Give the parameter a value of the right kind.
    #[error("line {line}: `{step}`: {why}")]
    Parameter {
        /// Where.
        line: usize,
        /// The step.
        step: String,
        /// What is wrong.
        why: String,
    },
    /// Change the steps.
    #[error("line {line}: {error}")]
    Steps {
        /// Where the step begins.
        line: usize,
        /// Which, and why.
        error: PipelineError,
    },
}

/// The keys of a description.
const KEYS: [&str; 6] = ["name", "steps", "vote", "idle_weight", "decision", "choose"];

impl Pipeline {
    /// Reads a description.
    pub fn from_toml(text: &str) -> Result<Self, DescriptionError> {
        let at = Lines { text };
        let document = DeTable::parse(text).map_err(|e| DescriptionError::Toml {
            line: e.span().map_or(1, |span| at.line(span.start)),
            why: e.message().to_owned(),
        })?;
        let mut name = None;
        let mut steps = None;
        let mut vote = None;
        let mut idle_weight = None;
        let mut decision = None;
        let mut choose = None;
        for (key, value) in document.get_ref() {
            let line = at.line(key.span().start);
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("name", DeValue::String(text)) => name = Some(text.to_string()),
                ("name", _) => {
                    let what = "the name is a text: name = \"my-pipeline\"";
                    return Err(DescriptionError::Missing { line, what });
                }
                ("steps", DeValue::Array(array)) => steps = Some(read_steps(array, &at)?),
                ("steps", _) => {
                    let what = "steps are a list: begin each with [[steps]]";
                    return Err(DescriptionError::Missing { line, what });
                }
                ("vote", DeValue::Array(array)) => vote = Some(read_vote(array, &at)?),
                ("vote", _) => {
                    let what = "votes are a list: begin each with [[vote]]";
                    return Err(DescriptionError::Missing { line, what });
                }
                ("idle_weight", value) => idle_weight = Some(read_idle_weight(line, value)?),
                ("decision", value) => decision = Some((line, read_decision(line, value, &at)?)),
                ("choose", value) => choose = Some((line, read_choose(line, value, &at)?)),
                (found, _) => {
                    let (found, hint) = (found.to_owned(), did_you_mean(found, KEYS));
                    return Err(DescriptionError::UnknownKey { line, found, hint });
                }
            }
        }
        let missing = |what| DescriptionError::Missing { line: 1, what };
        let name = name.ok_or_else(|| missing("the name is missing: name = \"my-pipeline\""))?;
        if steps.is_none() && vote.is_none() {
            return Err(missing("no steps: begin each with [[steps]]"));
        }
        let (lines, steps): (Vec<_>, Vec<_>) = steps.unwrap_or_default().into_iter().unzip();
        let (vote_lines, vote): (Vec<_>, Vec<_>) = vote.unwrap_or_default().into_iter().unzip();
        let (choose_line, choose) = choose.unzip();
        let (decision_line, decision) = decision.unzip();
        let decision = decision.and_then(DecisionPolicy::unless_raw);
        let pipeline = Self { name, idle_weight, steps, vote, decision, choose };
        pipeline.check().map_err(|error| {
            let of_step = || error.step().and_then(|at| lines.get(at - 1)).or(lines.last());
            let line = match error {
                PipelineError::Choose { .. } => choose_line,
                PipelineError::Decision { .. } => decision_line,
                PipelineError::Name { .. }
                | PipelineError::Vote
                | PipelineError::IdleWeight { .. } => Some(1),
                PipelineError::Voter { at, .. } => vote_lines.get(at - 1).copied(),
                _ => of_step().copied(),
            };
            DescriptionError::Steps { line: line.unwrap_or(1), error }
        })?;
        Ok(pipeline)
    }

    /// The description as TOML, every parameter written; reading it gives the same
    /// description, every number to the bit. What signal steps have learned is no part
    /// of it.
    #[expect(
        clippy::missing_panics_doc,
        reason = "a description is plain data, which always serialises"
    )]
    pub fn to_toml(&self) -> String {
        let mut description = self.clone();
        let of_voters = description.vote.iter_mut().flat_map(|voter| &mut voter.steps);
        for step in description.steps.iter_mut().chain(of_voters) {
            if let Step::Signal(step) = step {
                step.forget();
            }
        }
        toml::to_string(&description).expect("a description is tables of plain values")
    }
}

impl PipelineError {
    /// The position of the step it is about, from 1.
    fn step(&self) -> Option<usize> {
        match self {
            Self::Order { at, .. }
            | Self::SeveralBands { at, .. }
            | Self::TooManyBands { at, .. }
            | Self::Place { at, .. }
            | Self::Parameter { at, .. } => Some(*at),
            Self::Name { .. }
            | Self::NoSteps
            | Self::NoClassifier { .. }
            | Self::Vote
            | Self::IdleWeight { .. }
            | Self::Voter { .. }
            | Self::Decision { .. }
            | Self::Choose { .. } => None,
        }
    }
}

/// Positions in a text.
struct Lines<'a> {
    text: &'a str,
}

impl Lines<'_> {
    /// The line of a byte, from 1.
    fn line(&self, byte: usize) -> usize {
        self.text
            .char_indices()
            .take_while(|(at, _)| *at < byte)
            .filter(|(_, c)| *c == '\n')
            .count()
            + 1
    }
}

/// The weight of idle.
fn read_idle_weight(line: usize, value: &DeValue<'_>) -> Result<f64, DescriptionError> {
    let what = "the weight of idle is a number: idle_weight = 0.7";
    match plain(value) {
        toml::Value::Float(weight) => Ok(weight),
        toml::Value::Integer(weight) => Ok(weight as f64),
        _ => Err(DescriptionError::Missing { line, what }),
    }
}

/// The decision policy, with the lines of keys that are not known.
fn read_decision(
    line: usize,
    value: &DeValue<'_>,
    at: &Lines<'_>,
) -> Result<DecisionPolicy, DescriptionError> {
    let what = "the decision policy is a table: begin it with [decision]";
    let table = value.as_table().ok_or(DescriptionError::Missing { line, what })?;
    known_keys(table, &["smooth_secs", "dwell_windows", "refractory_secs"], at)?;
    from_table(line, table, "the decision policy")
}

/// What is chosen, with the lines of keys that are not known.
fn read_choose(
    line: usize,
    value: &DeValue<'_>,
    at: &Lines<'_>,
) -> Result<Choose, DescriptionError> {
    let what = "what is chosen is a table: begin it with [choose]";
    let table = value.as_table().ok_or(DescriptionError::Missing { line, what })?;
    known_keys(table, &["splits", "parameters", "idle_weights"], at)?;
    for (_, value) in table.iter().filter(|(key, _)| key.get_ref() == "parameters") {
        let items = value.get_ref().as_array().into_iter().flat_map(|array| array.iter());
        for item in items.filter_map(|item| item.get_ref().as_table()) {
            known_keys(item, &["step", "parameter", "values"], at)?;
        }
    }
    from_table(line, table, "what is chosen")
}

/// What a table describes, of which `what` is said where it does not.
fn from_table<T: DeserializeOwned>(
    line: usize,
    table: &DeTable<'_>,
    what: &str,
) -> Result<T, DescriptionError> {
    plain(&DeValue::Table(table.clone())).try_into().map_err(|error: toml::de::Error| {
        DescriptionError::Toml { line, why: format!("{what}: {}", error.message()) }
    })
}

fn known_keys(table: &DeTable<'_>, known: &[&str], at: &Lines<'_>) -> Result<(), DescriptionError> {
    match table.iter().find(|(key, _)| !known.contains(&key.get_ref().as_ref())) {
        None => Ok(()),
        Some((key, _)) => Err(DescriptionError::UnknownKey {
            line: at.line(key.span().start),
            found: key.get_ref().to_string(),
            hint: did_you_mean(key.get_ref(), known.iter().copied()),
        }),
    }
}

/// The lists of steps that vote, each with its line.
fn read_vote(array: &DeArray<'_>, at: &Lines<'_>) -> Result<Vec<(usize, Voter)>, DescriptionError> {
    let voter = |item: &Spanned<DeValue<'_>>| {
        let line = at.line(item.span().start);
        let missing = DescriptionError::Missing { line, what: "a vote needs [[vote.steps]]" };
        let DeValue::Table(table) = item.get_ref() else { return Err(missing) };
        known_keys(table, &["steps"], at)?;
        let steps = table.iter().find_map(|(_, value)| value.get_ref().as_array());
        let steps = read_steps(steps.ok_or(missing)?, at)?;
        Ok((line, Voter { steps: steps.into_iter().map(|(_, step)| step).collect() }))
    };
    array.iter().map(voter).collect()
}

/// The steps of a list, each with its line.
fn read_steps(array: &DeArray<'_>, at: &Lines<'_>) -> Result<Vec<(usize, Step)>, DescriptionError> {
    array.iter().map(|item| read_step(item, at)).collect()
}

fn read_step(
    item: &Spanned<DeValue<'_>>,
    at: &Lines<'_>,
) -> Result<(usize, Step), DescriptionError> {
    let line = at.line(item.span().start);
    let missing = |what| DescriptionError::Missing { line, what };
    let DeValue::Table(table) = item.get_ref() else {
        return Err(missing("a step is a table: begin it with [[steps]]"));
    };
    let named = table.iter().find(|(key, _)| key.get_ref() == "step");
    let Some((_, name_value)) = named else {
        return Err(missing("a step needs its name: step = \"covariance\""));
    };
    let DeValue::String(name) = name_value.get_ref() else {
        return Err(missing("a step's name is a text: step = \"covariance\""));
    };
    let Some(known) = Step::parameters(name) else {
        return Err(DescriptionError::UnknownStep {
            line: at.line(name_value.span().start),
            found: name.to_string(),
            hint: did_you_mean(name, Step::names()),
        });
    };
    let mut parameters = toml::Table::new();
    for (key, value) in table.iter().filter(|(key, _)| key.get_ref() != "step") {
        let parameter = key.get_ref();
        if !known.contains(&parameter.as_ref()) || parameter == LEARNED {
            return Err(DescriptionError::UnknownParameter {
                line: at.line(key.span().start),
                step: name.to_string(),
                found: parameter.to_string(),
                hint: if known.is_empty() {
                    ": it has none".to_owned()
                } else {
                    let written = known.iter().copied().filter(|known| *known != LEARNED);
                    did_you_mean(parameter, written)
                },
            });
        }
        // One parameter alone first, so that the message can name its line.
        let value = plain(value.get_ref());
        let alone = toml::Table::from_iter([(parameter.to_string(), value.clone())]);
        if let Some(Err(error)) = Step::read(name, alone)
            && !error.message().starts_with("missing field")
        {
            return Err(DescriptionError::Parameter {
                line: at.line(key.span().start),
                step: name.to_string(),
                why: format!("{parameter}: {}", error.message()),
            });
        }
        parameters.insert(parameter.to_string(), value);
    }
    match Step::read(name, parameters) {
        Some(Ok(step)) => Ok((line, step)),
        Some(Err(error)) => {
            let why = error.message().to_owned();
            Err(DescriptionError::Parameter { line, step: name.to_string(), why })
        }
        None => Err(missing("a step needs its name: step = \"covariance\"")),
    }
}

/// A parsed value without its places. A number beyond every range becomes a text, which
/// no parameter of numbers takes.
fn plain(value: &DeValue<'_>) -> toml::Value {
    match value {
        DeValue::String(text) => toml::Value::String(text.to_string()),
        DeValue::Integer(integer) => i64::from_str_radix(integer.as_str(), integer.radix())
            .map_or_else(|_| toml::Value::String(integer.to_string()), toml::Value::Integer),
        DeValue::Float(float) => float
            .as_str()
            .parse()
            .map_or_else(|_| toml::Value::String(float.to_string()), toml::Value::Float),
        DeValue::Boolean(is) => toml::Value::Boolean(*is),
        DeValue::Datetime(time) => toml::Value::Datetime(*time),
        DeValue::Array(array) => {
            toml::Value::Array(array.iter().map(|item| plain(item.get_ref())).collect())
        }
        DeValue::Table(table) => toml::Value::Table(
            table
                .iter()
                .map(|(key, item)| (key.get_ref().to_string(), plain(item.get_ref())))
                .collect(),
        ),
    }
}
