//! Text on its way to a terminal.

use acquisition::text::printable;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write as _;
use std::io::Write as _;

/// Writes a result to standard output as it is: the caller made it printable. A reader
/// that has gone away is an error, and never a panic.
pub fn say(text: impl AsRef<str>) -> Result<()> {
    Ok(std::io::stdout().lock().write_all(text.as_ref().as_bytes())?)
}

/// Tells the user something beside the result, as one line on standard error. Where
/// nobody reads it any more there is nothing to be done.
pub fn note(text: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", printable(text.as_ref()));
}

/// JSON without a character that could steer a terminal: what a string would carry as
/// it is gets escaped the way JSON does.
pub fn printable_json(value: &impl Serialize) -> Result<String> {
    let text = serde_json::to_string_pretty(value)?;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || printable(c.encode_utf8(&mut [0; 4])).len() == c.len_utf8() {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
    }
    Ok(out)
}
