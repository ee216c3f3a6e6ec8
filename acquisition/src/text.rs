//! Text that came from a network or a file: kept without allocation
//! ([`InlineText`]) and made harmless before a terminal sees it ([`printable`]).

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::fmt;

/// `text` with every character that could steer a terminal written as an escape
/// (`\u{1b}`): controls, bidirectional overrides and other invisible formatting.
///
/// Everything from outside passes through here before it is printed or drawn.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if steers(c) { c.escape_unicode().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Whether a character is a control or an invisible formatting character.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Bytes an [`InlineText`] can hold.
pub const INLINE_TEXT_BYTES: usize = 54;

/// A short text stored in place: `Copy`, no allocation. Longer texts are cut at a
/// character boundary and end in `~`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct InlineText {
    len: u8,
    bytes: [u8; INLINE_TEXT_BYTES],
}

impl InlineText {
    /// The text, cut where it is too long.
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; INLINE_TEXT_BYTES];
        let fits = text.len() <= INLINE_TEXT_BYTES;
        let mut len = if fits { text.len() } else { INLINE_TEXT_BYTES - 1 };
        while !text.is_char_boundary(len) {
            len -= 1;
        }
        bytes[..len].copy_from_slice(&text.as_bytes()[..len]);
        if !fits {
            bytes[len] = b'~';
            len += 1;
        }
        Self { len: len as u8, bytes }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl From<String> for InlineText {
    fn from(text: String) -> Self {
        Self::new(&text)
    }
}

impl From<InlineText> for String {
    fn from(text: InlineText) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Debug for InlineText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sequences_are_spelled_out() {
        assert_eq!(printable("C3\u{1b}[2J"), "C3\\u{1b}[2J");
        assert_eq!(printable("a\u{202e}b"), "a\\u{202e}b");
        assert!(matches!(printable("Fp1 µV"), Cow::Borrowed(_)));
    }

    #[test]
    fn long_texts_are_cut_at_a_character() {
        let text = InlineText::new(&"é".repeat(40));
        assert!(text.as_str().ends_with("é~") && text.as_str().len() <= INLINE_TEXT_BYTES);
    }
}
