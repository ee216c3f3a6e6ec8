//! A stream's description in XML, read into [`StreamInfo`] and written from it.
//!
//! What senders write differs: labels under `label` or `name`, units as words,
//! symbols or powers of ten, often nothing at all. What is not said is not guessed,
//! but for the kind of channel, which the stream's content type tells.

use super::resolve::transport;
use crate::signal::{ChannelInfo, ChannelKind, MAX_CHANNELS, StreamInfo, Unit};
use crate::source::SourceError;
use crate::time::SampleRate;
use ::lsl::{ChannelFormat, XMLElement};

/// Longest description that is read.
const MAX_XML_BYTES: usize = 16 << 20;

/// Positions are written in millimetres, as the XDF vocabulary has it.
const MM_PER_M: f64 = 1000.0;

/// A stream's description, and what its values are multiplied with to be in the
/// units it states.
#[derive(Clone, Debug, PartialEq)]
pub struct Description {
    /// The stream as the rest of mindloop sees it.
    pub info: StreamInfo,
    /// One factor per channel; 1 where values are left as sent.
    pub scales: Vec<f64>,
}

/// Reads a description, as senders give it in full.
///
/// # Errors
/// [`SourceError::Unusable`] if the stream has no regular rate, no channels or more
/// than [`MAX_CHANNELS`], or the text is no description.
pub fn read(xml: &str) -> Result<Description, SourceError> {
    if xml.len() > MAX_XML_BYTES {
        return Err(SourceError::Unusable("its description is too long".into()));
    }
    let mut declared = ::lsl::StreamInfo::from_xml(xml)
        .map_err(|_| SourceError::Unusable("its description can't be read".into()))?;
    let n_channels = usize::try_from(declared.channel_count()).unwrap_or(0);
    if !(1..=MAX_CHANNELS).contains(&n_channels) {
        return Err(SourceError::Unusable(format!("it declares {n_channels} channels")));
    }
    let rate = SampleRate::new(declared.nominal_srate())
        .map_err(|_| SourceError::Unusable("it has no regular sampling rate".into()))?;
    let kind = declared.stream_type();
    let desc = declared.desc();
    let mut element = desc.child("channels").child("channel");
    let (mut channels, mut scales) = (Vec::new(), Vec::new());
    for channel_idx in 0..n_channels {
        let (channel, scale) = read_channel(&element, channel_idx, &kind);
        channels.push(channel);
        scales.push(scale);
        element = element.next_sibling_named("channel");
    }
    let info = StreamInfo {
        name: declared.stream_name(),
        kind,
        source_id: declared.source_id(),
        host: declared.hostname(),
        rate,
        channels,
        simulated: desc.child_value_named("simulated").trim() == "true",
    };
    Ok(Description { info, scales })
}

/// One channel and its factor. An element that is absent reads as empty texts.
fn read_channel(element: &XMLElement, channel_idx: usize, stream: &str) -> (ChannelInfo, f64) {
    let text = |name: &str| element.child_value_named(name).trim().to_owned();
    let label = [text("label"), text("name")].into_iter().find(|l| !l.is_empty());
    let unit_text = [text("unit"), text("units")].into_iter().find(|u| !u.is_empty());
    let unit_text = unit_text.unwrap_or_default();
    let kind = read_kind(&text("type"), stream, &unit_text);
    let (unit, scale) = read_unit(&unit_text, kind).unwrap_or((Unit::Unknown, 1.0));
    let channel = ChannelInfo {
        label: label.unwrap_or_else(|| format!("ch{}", channel_idx + 1)),
        kind,
        unit,
        position_m: read_position(&element.child("location")),
    };
    (channel, scale)
}

fn read_position(location: &XMLElement) -> Option<[f64; 3]> {
    let axis = |name: &str| location.child_value_named(name).trim().parse::<f64>().ok();
    let position = [axis("X")?, axis("Y")?, axis("Z")?].map(|mm| mm / MM_PER_M);
    position.iter().all(|m| m.is_finite()).then_some(position)
}

/// The kind of a channel from its own type, or else from the stream's content type.
fn read_kind(channel: &str, stream: &str, unit: &str) -> ChannelKind {
    let own = if channel.is_empty() { stream } else { channel };
    match own.to_ascii_lowercase().as_str() {
        "eeg" | "seeg" | "ecog" | "dbs" => ChannelKind::Eeg,
        "eog" | "heog" | "veog" => ChannelKind::Eog,
        "emg" => ChannelKind::Emg,
        "ecg" | "ekg" => ChannelKind::Ecg,
        "grad" | "meggrad" | "megplanar" => ChannelKind::MegGrad,
        "meg" if unit.contains('/') => ChannelKind::MegGrad,
        "mag" | "megmag" | "meg" => ChannelKind::MegMag,
        "stim" | "trig" | "trigger" | "status" | "marker" | "markers" => ChannelKind::Status,
        _ => ChannelKind::Misc,
    }
}

/// The unit a text stands for, and the factor into it. Spellings are those of the
/// XDF vocabulary, of MNE (also powers of ten of the SI unit) and of SI.
fn read_unit(text: &str, kind: ChannelKind) -> Option<(Unit, f64)> {
    // Only the prefix's case carries meaning: mV and MV, pT and PT.
    let text = text.replace(['\u{b5}', '\u{3bc}'], "u").replace(' ', "");
    if let Ok(power) = text.parse::<i32>() {
        return power_of_ten(power, kind);
    }
    if let Some((above, below)) = text.split_once('/') {
        let per_cm = match below.to_ascii_lowercase().as_str() {
            "cm" => 1.0,
            "m" => 0.01,
            _ => return None,
        };
        return Some((Unit::FemtoteslaPerCm, prefix_power(above, "t", "tesla")? * 1e15 * per_cm));
    }
    if let Some(scale) = prefix_power(&text, "v", "volt") {
        return Some((Unit::Microvolt, round_power(scale * 1e6)));
    }
    let scale = prefix_power(&text, "t", "tesla")?;
    Some((Unit::Femtotesla, round_power(scale * 1e15)))
}

/// The factor of `uV`, `microvolt`, `microvolts`, `microV`, ... into the bare unit.
fn prefix_power(text: &str, symbol: &str, word: &str) -> Option<f64> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('s').unwrap_or(&lower);
    let prefix = lower.strip_suffix(word).or_else(|| lower.strip_suffix(symbol))?;
    let power = match prefix {
        "" => 0,
        // Nobody measures brains in megavolts, but "M" is not "milli" either.
        "m" if text.starts_with('M') => return None,
        "m" | "milli" => -3,
        "u" | "mu" | "micro" => -6,
        "n" | "nano" => -9,
        "p" | "pico" => -12,
        "f" | "femto" => -15,
        _ => return None,
    };
    Some(10.0_f64.powi(power))
}

/// A power of ten of the SI unit of this kind of channel, as MNE writes units.
fn power_of_ten(power: i32, kind: ChannelKind) -> Option<(Unit, f64)> {
    let (unit, target) = match kind {
        ChannelKind::Eeg | ChannelKind::Eog | ChannelKind::Emg | ChannelKind::Ecg => {
            (Unit::Microvolt, 6)
        }
        ChannelKind::MegMag => (Unit::Femtotesla, 15),
        // T/m into fT/cm.
        ChannelKind::MegGrad => (Unit::FemtoteslaPerCm, 13),
        ChannelKind::Status | ChannelKind::Misc => return None,
    };
    (-18..=3).contains(&power).then(|| (unit, 10.0_f64.powi(power + target)))
}

/// A power of ten that was multiplied together, rounded to the nearest exact one: so
/// that microvolts are left bit for bit as they were sent.
fn round_power(scale: f64) -> f64 {
    10.0_f64.powi(scale.log10().round() as i32)
}

/// A description for an outlet of this stream: labels, kinds, units and positions of
/// its channels, the maker, and whether it is simulated.
pub fn write(info: &StreamInfo) -> Result<::lsl::StreamInfo, SourceError> {
    let n_channels = u32::try_from(info.n_channels()).unwrap_or(u32::MAX);
    let float = ChannelFormat::Float32;
    let (name, kind, source_id) = (plain(&info.name), plain(&info.kind), plain(&info.source_id));
    let mut declared =
        ::lsl::StreamInfo::new(&name, &kind, n_channels, info.rate.hz(), float, &source_id)
            .map_err(transport)?;
    let mut desc = declared.desc();
    write_origin(&mut desc, info.simulated);
    let mut channels = desc.append_child("channels");
    for channel in &info.channels {
        let mut element = channels.append_child("channel");
        element.append_child_value("label", &plain(&channel.label));
        element.append_child_value("type", kind_text(channel.kind));
        if let Some(unit) = unit_text(channel.unit) {
            element.append_child_value("unit", unit);
        }
        if let Some(position) = channel.position_m {
            let mut location = element.append_child("location");
            for (axis, metres) in ["X", "Y", "Z"].into_iter().zip(position) {
                location.append_child_value(axis, &format!("{}", metres * MM_PER_M));
            }
        }
    }
    Ok(declared)
}

/// Writes who made a stream, and whether it is simulated, into its description.
pub(super) fn write_origin(desc: &mut XMLElement, simulated: bool) {
    desc.append_child("acquisition").append_child_value("manufacturer", "mindloop");
    desc.append_child_value("simulated", if simulated { "true" } else { "false" });
}

/// Text without the characters that XML has no place for.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn kind_text(kind: ChannelKind) -> &'static str {
    match kind {
        ChannelKind::Eeg => "EEG",
        ChannelKind::Eog => "EOG",
        ChannelKind::Emg => "EMG",
        ChannelKind::Ecg => "ECG",
        ChannelKind::MegMag => "MAG",
        ChannelKind::MegGrad => "GRAD",
        ChannelKind::Status => "STIM",
        ChannelKind::Misc => "MISC",
    }
}

fn unit_text(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Microvolt => Some("microvolts"),
        Unit::Femtotesla => Some("fT"),
        Unit::FemtoteslaPerCm => Some("fT/cm"),
        Unit::Unknown => None,
    }
}

#[cfg(test)]
mod tests;
