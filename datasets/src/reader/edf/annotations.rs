//! EDF+ annotations: time-stamped annotation lists (TALs).
//!
//! An annotation signal's bytes in a data record are TALs, each ended by a zero:
//! `onset [0x15 duration] 0x14 text 0x14 text 0x14 ... 0x00`. The first TAL of a
//! record has an empty first text and says when the record begins.

use crate::reader::text_from;
use acquisition::marker::Marker;
use acquisition::text::InlineText;

const DURATION_FOLLOWS: u8 = 0x15;
const TEXT_FOLLOWS: u8 = 0x14;

/// Onsets further away (thirty years) are nonsense; so no index can overflow.
const MAX_ONSET_SECS: f64 = 1e9;

/// One annotation list.
#[derive(Clone, Debug, PartialEq)]
pub struct Tal<'a> {
    /// Seconds from the start time in the header.
    pub onset_secs: f64,
    /// Seconds it lasts, 0 where nothing is said.
    pub duration_secs: f64,
    /// Its texts, separated by the byte 0x14.
    texts: &'a [u8],
}

impl Tal<'_> {
    /// Its texts as markers. Empty ones mean nothing and are left out.
    pub fn markers(&self) -> impl Iterator<Item = Marker> {
        let (onset_secs, duration_secs) = (self.onset_secs, self.duration_secs);
        self.texts.split(|&b| b == TEXT_FOLLOWS).filter(|text| !text.is_empty()).map(move |text| {
            Marker { onset_secs, duration_secs, text: InlineText::new(&text_from(text)) }
        })
    }
}

/// The annotation lists in one record of an annotation signal; `None` for one that
/// can't be understood.
pub fn tals(bytes: &[u8]) -> impl Iterator<Item = Option<Tal<'_>>> {
    bytes.split(|&b| b == 0).filter(|tal| !tal.is_empty()).map(tal)
}

/// Parses one list without its final zero.
fn tal(bytes: &[u8]) -> Option<Tal<'_>> {
    let end = bytes.iter().position(|&b| b == TEXT_FOLLOWS)?;
    let (stamp, texts) = (&bytes[..end], &bytes[end + 1..]);
    let mut parts = stamp.split(|&b| b == DURATION_FOLLOWS);
    let onset = parts.next()?;
    if !matches!(onset.first(), Some(b'+' | b'-')) {
        return None;
    }
    let duration_secs = match parts.next() {
        Some(duration) if !duration.is_empty() => seconds(duration)?,
        _ => 0.0,
    };
    Some(Tal { onset_secs: seconds(onset)?, duration_secs, texts })
}

fn seconds(bytes: &[u8]) -> Option<f64> {
    let secs: f64 = std::str::from_utf8(bytes).ok()?.trim().parse().ok()?;
    (secs.abs() <= MAX_ONSET_SECS).then_some(secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(tal: &Tal) -> Vec<String> {
        tal.markers().map(|m| m.text.as_str().to_owned()).collect()
    }

    #[test]
    fn lists_are_parsed() {
        let bytes =
            b"+567\x14\x14\0+567.25\x152.5\x14T1\x14both\x14\0-0.5\x14caf\xc3\xa9\x14\0\0\0";
        let all: Vec<_> = tals(bytes).map(Option::unwrap).collect();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].onset_secs, texts(&all[0]).len()), (567.0, 0));
        assert_eq!((all[1].onset_secs, all[1].duration_secs), (567.25, 2.5));
        assert_eq!(texts(&all[1]), ["T1", "both"]);
        assert_eq!((all[2].onset_secs, texts(&all[2])), (-0.5, vec!["café".to_owned()]));
    }

    #[test]
    fn nonsense_is_no_list() {
        for bytes in
            [&b"567\x14T1\x14\0"[..], b"+\x14T1\x14", b"+inf\x14T1\x14", b"+1", b"+1\x15x\x14T"]
        {
            assert_eq!(tals(bytes).collect::<Vec<_>>(), [None], "{}", bytes.escape_ascii());
        }
    }
}
