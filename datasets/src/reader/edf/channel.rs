//! What an EDF signal is, told from its label and physical dimension.

use acquisition::signal::{ChannelInfo, ChannelKind, Unit};

/// Label prefixes of the EDF+ specification and of common recorders, in lower case,
/// and the kind they stand for. A prefix is followed by a blank, a digit or nothing.
const KINDS: [(&str, ChannelKind); 19] = [
    ("eeg", ChannelKind::Eeg),
    ("meg", ChannelKind::MegMag),
    ("eog", ChannelKind::Eog),
    ("emg", ChannelKind::Emg),
    ("ecg", ChannelKind::Ecg),
    ("ekg", ChannelKind::Ecg),
    ("status", ChannelKind::Status),
    ("trigger", ChannelKind::Status),
    ("trig", ChannelKind::Status),
    ("sti", ChannelKind::Status),
    ("dig", ChannelKind::Status),
    ("event", ChannelKind::Status),
    ("marker", ChannelKind::Status),
    ("pol", ChannelKind::Misc),
    ("resp", ChannelKind::Misc),
    ("sao2", ChannelKind::Misc),
    ("temp", ChannelKind::Misc),
    ("light", ChannelKind::Misc),
    ("dc", ChannelKind::Misc),
];

/// Describes a signal.
///
/// The label is trimmed, loses a leading `EEG ` and trailing dots (`Fc5.` and
/// `EEG Fc5` are both the electrode `Fc5`), and is kept otherwise. The kind comes
/// from the label's first word; without one that is known, a signal in volts is
/// EEG, one in tesla MEG and any other miscellaneous.
///
/// Returns the factor from the physical dimension to the channel's unit beside it.
pub fn describe(label: &str, dimension: &str) -> (ChannelInfo, f64) {
    let (unit, factor) = unit_from(dimension);
    let by_unit = match unit {
        Unit::Microvolt => ChannelKind::Eeg,
        Unit::Femtotesla => ChannelKind::MegMag,
        Unit::FemtoteslaPerCm => ChannelKind::MegGrad,
        Unit::Unknown => ChannelKind::Misc,
    };
    let kind = match (kind_from(label), unit) {
        (Some(ChannelKind::MegMag), Unit::FemtoteslaPerCm) => ChannelKind::MegGrad,
        (Some(kind), _) => kind,
        (None, _) => by_unit,
    };
    (ChannelInfo { label: clean(label), kind, unit, position_m: None }, factor)
}

/// The label without the type prefix of EEG signals and without padding dots.
fn clean(label: &str) -> String {
    let label = label.trim();
    let bare = match label.split_once(' ') {
        Some((first, rest)) if first.eq_ignore_ascii_case("eeg") => rest.trim_start(),
        _ => label,
    };
    let bare = bare.trim_end_matches('.');
    if bare.is_empty() { label.to_owned() } else { bare.to_owned() }
}

/// The kind a label's first word stands for.
fn kind_from(label: &str) -> Option<ChannelKind> {
    let lower = label.trim().to_ascii_lowercase();
    let is_end = |rest: &str| !rest.starts_with(|c: char| c.is_alphabetic());
    let known = |(prefix, _): &&(&str, _)| lower.strip_prefix(prefix).is_some_and(is_end);
    KINDS.iter().find(known).map(|(_, kind)| *kind)
}

/// The unit inside mindloop of a physical dimension, and the factor to it.
fn unit_from(dimension: &str) -> (Unit, f64) {
    // Micro is written as u, as the micro sign, or as the Greek letter.
    let plain = dimension.trim().replace(['\u{b5}', '\u{3bc}'], "u");
    match plain.as_str() {
        "V" => (Unit::Microvolt, 1e6),
        "mV" => (Unit::Microvolt, 1e3),
        "uV" | "UV" | "uv" => (Unit::Microvolt, 1.0),
        "nV" => (Unit::Microvolt, 1e-3),
        "T" => (Unit::Femtotesla, 1e15),
        "nT" => (Unit::Femtotesla, 1e6),
        "pT" => (Unit::Femtotesla, 1e3),
        "fT" => (Unit::Femtotesla, 1.0),
        "T/m" => (Unit::FemtoteslaPerCm, 1e13),
        "fT/cm" => (Unit::FemtoteslaPerCm, 1.0),
        _ => (Unit::Unknown, 1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_cleaned_and_kinds_told() {
        let told = |label, dimension| {
            let (channel, factor) = describe(label, dimension);
            (channel.label, channel.kind, channel.unit, factor)
        };
        let uv = Unit::Microvolt;
        assert_eq!(told("Fc5.", "uV"), ("Fc5".into(), ChannelKind::Eeg, uv, 1.0));
        assert_eq!(told("EEG Fp1-Ref ", "mV"), ("Fp1-Ref".into(), ChannelKind::Eeg, uv, 1e3));
        assert_eq!(
            told("EOG horizontal", "µV"),
            ("EOG horizontal".into(), ChannelKind::Eog, uv, 1.0)
        );
        assert_eq!(told("ECG2", "V"), ("ECG2".into(), ChannelKind::Ecg, uv, 1e6));
        assert_eq!(told("stAtUs", "uV"), ("stAtUs".into(), ChannelKind::Status, uv, 1.0));
        assert_eq!(told("Temp rectal", "DegC").1, ChannelKind::Misc);
        // A word that merely begins like a kind is none.
        assert_eq!(told("Polygon", "uV").1, ChannelKind::Eeg);
        assert_eq!(told("...", "uV").0, "...");
        assert_eq!(told("MEG 0113", "T/m").1, ChannelKind::MegGrad);
    }
}
