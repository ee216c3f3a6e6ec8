//! Finding streams on the network.

use super::Format;
use super::ffi::{self, RawInfo};
use crate::source::SourceError;
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How long to go on listening after the first answer, in seconds: a second stream
/// that matches answers about as fast as the first one.
const AMBIGUITY_SECS: f64 = 0.25;

/// Properties a query may name.
const PROPERTIES: [&str; 5] = ["name", "type", "source_id", "hostname", "uid"];

/// Which streams are meant.
///
/// Written as `name=X`, `type=EEG`, `source_id=X`, `hostname=X`, `uid=X`, a bare name
/// (anything without `=`, `<`, `>`), or an `XPath` 1.0 predicate over a stream's
/// description such as `type='EEG' and channel_count>8` or `starts-with(name,'Bio')`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    predicate: String,
    text: String,
}

/// The query can't be understood: write it in one of the forms of [`Query`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// It is empty.
    #[error("empty stream query")]
    Empty,
    /// A control character would break the protocol's line in two.
    #[error("control character in stream query")]
    Control,
    /// `XPath` 1.0 has no way to write a text with both kinds of quotes.
    #[error("both kinds of quotes in a value of a stream query: {0}")]
    Quotes(String),
    /// Quotes or brackets don't match, so no sender could evaluate it.
    #[error("quotes or brackets don't match in a stream query: {0}")]
    Unbalanced(String),
}

impl Query {
    /// Reads a query.
    pub fn parse(text: &str) -> Result<Self, QueryError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(QueryError::Empty);
        }
        if text.chars().any(char::is_control) {
            return Err(QueryError::Control);
        }
        if let Some((property, value)) = text.split_once('=')
            && PROPERTIES.contains(&property.trim())
            && !value.trim_start().starts_with(['\'', '"'])
        {
            return Self::property(property.trim(), value.trim());
        }
        let is_call = text.contains('(') && text.contains(['\'', '"']) && text.ends_with(')');
        if !text.contains(['=', '<', '>']) && !is_call {
            return Self::property("name", text);
        }
        if !is_balanced(text) {
            return Err(QueryError::Unbalanced(text.to_owned()));
        }
        Ok(Self { predicate: text.to_owned(), text: text.to_owned() })
    }

    /// Streams whose property has exactly this value.
    pub(crate) fn property(property: &str, value: &str) -> Result<Self, QueryError> {
        if value.is_empty() {
            return Err(QueryError::Empty);
        }
        if value.chars().any(char::is_control) {
            return Err(QueryError::Control);
        }
        let quote = match (value.contains('\''), value.contains('"')) {
            (false, _) => '\'',
            (true, false) => '"',
            (true, true) => return Err(QueryError::Quotes(value.to_owned())),
        };
        let predicate = format!("{property}={quote}{value}{quote}");
        Ok(Self { predicate, text: format!("{property}={value}") })
    }

    /// The `XPath` predicate that is sent.
    pub fn predicate(&self) -> &str {
        &self.predicate
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Whether every quote is closed and every bracket has its partner outside quotes.
fn is_balanced(text: &str) -> bool {
    let (mut open, mut quote) = (Vec::new(), None);
    for c in text.chars() {
        match (quote, c) {
            (Some(q), _) if q == c => quote = None,
            (None, '\'' | '"') => quote = Some(c),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, ')' | ']') if open.pop() != Some(c) => return false,
            _ => {}
        }
    }
    quote.is_none() && open.is_empty()
}

/// A stream that answered. Texts are the sender's own: pass them through
/// [`crate::text::printable`] before a terminal sees them.
#[derive(Clone, Debug, Serialize)]
pub struct Found {
    /// Name.
    pub name: String,
    /// Content type: `EEG`, `Markers`, ...
    #[serde(rename = "type")]
    pub kind: String,
    /// Number of channels it claims.
    pub n_channels: usize,
    /// Nominal rate; 0 if it has none.
    pub rate_hz: f64,
    /// How values are transmitted.
    pub format: Format,
    /// Machine it comes from.
    pub host: String,
    /// Identity that survives restarts; empty if it has none.
    pub source_id: String,
    /// Identity of this run of the sender.
    pub uid: String,
    /// When it was created, on its sender's clock.
    pub created_at_secs: f64,
    /// Where it is, as discovery returned it.
    #[serde(skip)]
    pub(super) raw: Arc<RawInfo>,
}

impl Found {
    /// What was found, unless it can't be read.
    fn new(raw: RawInfo) -> Option<Self> {
        let info = ::lsl::StreamInfo::from_xml(&raw.xml().ok()?).ok()?;
        Some(Self {
            name: info.stream_name(),
            kind: info.stream_type(),
            n_channels: usize::try_from(info.channel_count()).unwrap_or(0),
            rate_hz: info.nominal_srate(),
            format: info.channel_format().into(),
            host: info.hostname(),
            source_id: info.source_id(),
            uid: info.uid(),
            created_at_secs: info.created_at(),
            raw: Arc::new(raw),
        })
    }
}

/// All streams that answer within `timeout`, by name and host.
pub fn list(timeout: Duration) -> Result<Vec<Found>, SourceError> {
    let found = ffi::resolve_all(timeout.as_secs_f64()).map_err(transport)?;
    Ok(sorted(found))
}

/// The streams that match: waits at most `timeout` for the first and a quarter of a
/// second longer for others.
pub fn resolve(query: &Query, timeout: Duration) -> Result<Vec<Found>, SourceError> {
    let look = |minimum, secs| ffi::resolve_matching(&query.predicate, minimum, secs);
    let mut found = look(1, timeout.as_secs_f64()).map_err(transport)?;
    if found.len() == 1 {
        let again = look(2, AMBIGUITY_SECS).map_err(transport)?;
        // A lone sender may also miss the second question.
        found = if again.is_empty() { found } else { again };
    }
    Ok(sorted(found))
}

/// The streams that match, as soon as one has answered: for identities, of which
/// there should be one.
pub(crate) fn resolve_first(query: &Query, timeout: Duration) -> Result<Vec<Found>, SourceError> {
    let found = ffi::resolve_matching(&query.predicate, 1, timeout.as_secs_f64());
    found.map(sorted).map_err(transport)
}

/// The stream that matches.
pub fn resolve_one(query: &Query, timeout: Duration) -> Result<Found, SourceError> {
    let found = resolve(query, timeout)?;
    let none = SourceError::NotFound { query: query.to_string(), secs: timeout.as_secs_f64() };
    only(query, found)?.ok_or(none)
}

/// The one stream found, if any.
pub(crate) fn only(query: &Query, mut found: Vec<Found>) -> Result<Option<Found>, SourceError> {
    match found.len() {
        0 | 1 => Ok(found.pop()),
        n_found => Err(SourceError::Ambiguous { query: query.to_string(), n_found }),
    }
}

fn sorted(found: Vec<RawInfo>) -> Vec<Found> {
    let mut found: Vec<Found> = found.into_iter().filter_map(Found::new).collect();
    found.sort_by(|a, b| (&a.name, &a.host, &a.uid).cmp(&(&b.name, &b.host, &b.uid)));
    found
}

/// What liblsl's error means to the user of a source.
pub(crate) fn transport(error: ::lsl::Error) -> SourceError {
    SourceError::Transport(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn predicate(text: &str) -> String {
        Query::parse(text).unwrap().predicate
    }

    #[test]
    fn forms_of_a_query() {
        assert_eq!(predicate("Board 1"), "name='Board 1'");
        assert_eq!(predicate(" type=EEG "), "type='EEG'");
        assert_eq!(predicate("source_id=a=b"), "source_id='a=b'");
        assert_eq!(predicate("name=Bob's cap"), "name=\"Bob's cap\"");
        assert_eq!(predicate("Cap (left)"), "name='Cap (left)'");
        let xpath = "type='EEG' and channel_count>8";
        assert_eq!(predicate(xpath), xpath);
        assert_eq!(predicate("starts-with(name,'Bio')"), "starts-with(name,'Bio')");
    }

    #[test]
    fn values_stay_values() {
        assert_eq!(predicate("name=x' or '1'='1"), "name=\"x' or '1'='1\"");
        assert!(matches!(Query::parse("name=x' or \"1\"='1"), Err(QueryError::Quotes(_))));
        assert_eq!(Query::parse("name=a\nLSL:x"), Err(QueryError::Control));
        assert!(matches!(Query::parse("type='EEG"), Err(QueryError::Unbalanced(_))));
        assert!(matches!(Query::parse("type='EEG'] | /x['a'='a'"), Err(QueryError::Unbalanced(_))));
        assert_eq!(Query::parse("name="), Err(QueryError::Empty));
    }
}
