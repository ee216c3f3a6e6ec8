//! Text on its way to a terminal.

use acquisition::text::printable;
use anyhow::Result;
use serde::Serialize;
use std::fmt::Write as _;

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
