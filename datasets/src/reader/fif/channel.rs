//! Channels of a FIF file: 96 bytes each, in SI units and the device's own scale.

use super::tag::{float, int};
use crate::reader::text_from;
use acquisition::signal::{ChannelInfo, ChannelKind, Unit};

/// Bytes of a channel's description.
pub const CH_INFO_BYTES: usize = 96;
/// Where the name stands in it.
const NAME_AT: usize = 80;
/// Where the position of the sensor stands in it: three floats in metres.
const POSITION_AT: usize = 24;

/// A channel, and what a stored value is multiplied by.
#[derive(Clone, Debug)]
pub struct FifChannel {
    /// As the project describes it.
    pub info: ChannelInfo,
    /// Stored value to the channel's unit: `range * cal`, and SI to the project's units.
    pub scale: f64,
}

impl FifChannel {
    /// Decodes a channel; `None` where the description is too short.
    ///
    /// `unit_mul` is not applied, as MNE does not: devices that write it have already
    /// put it into `cal`.
    pub fn decode(data: &[u8]) -> Option<Self> {
        let int_at = |at: usize| int(data.get(at..)?);
        let float_at = |at: usize| float(data.get(at..)?);
        let name = data.get(NAME_AT..CH_INFO_BYTES)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        let (kind, unit, si_scale) = meaning(int_at(8)?, int_at(72)?);
        let position = [0, 4, 8].map(|k| float_at(POSITION_AT + k).map_or(f64::NAN, f64::from));
        let is_placed = position.iter().all(|p| p.is_finite()) && position != [0.0; 3];
        let info = ChannelInfo {
            label: text_from(name).trim().to_owned(),
            kind,
            unit,
            position_m: (is_placed && kind.is_brain()).then_some(position),
        };
        let scale = f64::from(float_at(12)?) * f64::from(float_at(16)?) * si_scale;
        Some(Self { info, scale })
    }
}

/// Kind and unit by the format's numbers, and the factor from SI to the project's unit.
fn meaning(kind: i32, unit: i32) -> (ChannelKind, Unit, f64) {
    const TESLA: i32 = 112;
    const TESLA_PER_METRE: i32 = 201;
    const VOLT: i32 = 107;
    let kind = match kind {
        1 if unit == TESLA_PER_METRE => ChannelKind::MegGrad,
        1 => ChannelKind::MegMag,
        2 => ChannelKind::Eeg,
        3 => return (ChannelKind::Status, Unit::Unknown, 1.0),
        202 => ChannelKind::Eog,
        302 => ChannelKind::Emg,
        402 => ChannelKind::Ecg,
        _ => ChannelKind::Misc,
    };
    let (unit, scale) = match unit {
        TESLA => (Unit::Femtotesla, 1e15),
        TESLA_PER_METRE => (Unit::FemtoteslaPerCm, 1e13),
        VOLT => (Unit::Microvolt, 1e6),
        _ => (Unit::Unknown, 1.0),
    };
    (kind, unit, scale)
}
