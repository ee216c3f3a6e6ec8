//! The head: current dipoles in a conducting sphere, and what sensors see of them.
//!
//! *Not* a realistic volume conductor: no folded cortex, no real skull. It gives
//! what decoders feel: smooth, overlapping, physically consistent EEG and MEG
//! patterns of the same sources.

use super::config::Modality;
use crate::montage::helmet::{self, Triplet};
use crate::montage::{self, HEAD_RADIUS_M};
use crate::signal::{ChannelInfo, ChannelKind, Unit};

pub(super) type Vec3 = [f64; 3];

/// Conductivity of the head in siemens per metre.
const CONDUCTIVITY_S_PER_M: f64 = 0.33;

/// What lies between a dipole and the scalp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The skull: a source of the brain.
    UnderSkull,
    /// Soft tissue: an eye or a muscle.
    UnderScalp,
}

impl Depth {
    /// Ratio by which the dipole is moved towards the centre for EEG: what skull and
    /// scalp do to a cortical dipole's map is nearly what this shift does in one sphere.
    fn shift(self) -> f64 {
        match self {
            Self::UnderSkull => 0.6,
            Self::UnderScalp => 1.0,
        }
    }
}

pub(super) fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub(super) fn scaled(a: Vec3, k: f64) -> Vec3 {
    a.map(|x| k * x)
}

pub(super) fn sum(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

pub(super) fn cross(a: Vec3, b: Vec3) -> Vec3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub(super) fn unit(a: Vec3) -> Vec3 {
    scaled(a, 1.0 / dot(a, a).sqrt())
}

/// A current dipole: place in metres, moment in ampere metres.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dipole {
    pub position_m: Vec3,
    pub moment_am: Vec3,
    pub depth: Depth,
}

impl Dipole {
    /// The dipole made stronger or weaker, so that `|potential|` at the scalp position
    /// `at` becomes `size_uv`.
    pub fn sized(self, at: Vec3, size_uv: f64) -> Self {
        let gain = size_uv / self.potential_uv(at).abs();
        Self { moment_am: scaled(self.moment_am, gain), ..self }
    }

    /// Potential on the scalp in microvolts, against the mean over the whole sphere.
    ///
    /// For a dipole `q` at `r0` in a homogeneous sphere of radius `R`, seen at `r` on
    /// its surface, with `d = r - r0`:
    ///
    /// `V = q . [2 d / |d|^3 + (r / R + d / |d|) / (R^2 - r . r0 + R |d|)] / (4 pi sigma)`,
    ///
    /// the gradient over `r0` of the sphere's Neumann function. Under the skull three shells
    /// are imitated by placing the dipole at 0.6 of its distance from the centre; the map's
    /// shape is then near that of a layered head, its absolute strength is not.
    ///
    /// # Reference
    /// Frank (1952), doi:10.1063/1.1702037, for the sphere. Ary, Klein and Fender (1981),
    /// doi:10.1109/TBME.1981.324817, for the shift.
    pub fn potential_uv(&self, at: Vec3) -> f64 {
        let r = HEAD_RADIUS_M;
        let from = scaled(self.position_m, self.depth.shift());
        let d = sum(at, scaled(from, -1.0));
        let distance = dot(d, d).sqrt();
        let image = 1.0 / (r * r - dot(at, from) + r * distance);
        let near = scaled(d, 2.0 / distance.powi(3) + image / distance);
        let field = sum(near, scaled(at, image / r));
        1e6 * dot(self.moment_am, field) / (4.0 * std::f64::consts::PI * CONDUCTIVITY_S_PER_M)
    }

    /// Magnetic field outside the head, in femtotesla.
    ///
    /// For a dipole `q` at `r0`, seen at `r`, with `a = r - r0` and
    /// `F = a (r a + r^2 - r0 . r)`:
    ///
    /// `B = mu0 / (4 pi F^2) [F q x r0 - ((q x r0) . r) grad F]`,
    /// `grad F = (a^2 / r + a . r / a + 2 a + 2 r) r - (a + 2 r + a . r / a) r0`.
    ///
    /// Holds for any conductivity that depends on the radius alone; dipoles that point
    /// along the radius are silent.
    ///
    /// # Reference
    /// Sarvas (1987), doi:10.1088/0031-9155/32/1/004.
    pub fn field_ft(&self, at: Vec3) -> Vec3 {
        let from = self.position_m;
        let d = sum(at, scaled(from, -1.0));
        let (a, r) = (dot(d, d).sqrt(), dot(at, at).sqrt());
        let f = a * (r * a + r * r - dot(from, at));
        let slope = dot(d, at) / a;
        let outward = scaled(at, a * a / r + slope + 2.0 * a + 2.0 * r);
        let gradient = sum(outward, scaled(from, -(a + 2.0 * r + slope)));
        let turn = cross(self.moment_am, from);
        let bracket = sum(scaled(turn, f), scaled(gradient, -dot(turn, at)));
        // mu0 / (4 pi) is 1e-7 T m / A.
        scaled(bracket, 1e-7 * 1e15 / (f * f))
    }

    /// What the channels of `modality` see, in frame order and in their units.
    pub fn seen_by(&self, modality: Modality, n_channels: usize) -> Vec<f64> {
        match modality {
            Modality::Eeg => {
                electrode_positions(n_channels).map(|at| self.potential_uv(at)).collect()
            }
            Modality::Meg => helmet::triplets()
                .iter()
                .flat_map(|triplet| self.seen_by_triplet(triplet))
                .collect(),
        }
    }

    /// Magnetometer in fT and the two gradiometers in fT/cm: the difference of the
    /// normal component between two points a baseline apart, over the baseline.
    fn seen_by_triplet(&self, t: &Triplet) -> [f64; 3] {
        let normal = |offset: Vec3| dot(self.field_ft(sum(t.position_m, offset)), t.normal);
        let gradient = |along: Vec3| {
            let half = helmet::BASELINE_M / 2.0;
            let difference = normal(scaled(along, half)) - normal(scaled(along, -half));
            difference / (helmet::BASELINE_M * 100.0)
        };
        [normal([0.0; 3]), gradient(t.along), gradient(t.across)]
    }
}

/// Positions of the first electrodes of the montage, in metres.
fn electrode_positions(n_channels: usize) -> impl Iterator<Item = Vec3> {
    montage::TEN_TEN[..n_channels].iter().map(|label| electrode(label))
}

/// Position of an electrode that the montage has.
pub(super) fn electrode(label: &str) -> Vec3 {
    montage::position_m(label).expect("the montage knows its own labels")
}

/// The channels of a frame.
pub(super) fn channels(modality: Modality, n_channels: usize) -> Vec<ChannelInfo> {
    match modality {
        Modality::Eeg => montage::TEN_TEN[..n_channels]
            .iter()
            .map(|label| ChannelInfo {
                position_m: Some(electrode(label)),
                ..ChannelInfo::eeg(*label)
            })
            .collect(),
        Modality::Meg => helmet::triplets()
            .iter()
            .enumerate()
            .flat_map(|(triplet_idx, triplet)| {
                (0..3).map(move |sensor_idx| ChannelInfo {
                    label: helmet::label(triplet_idx, sensor_idx),
                    kind: if sensor_idx == 0 { ChannelKind::MegMag } else { ChannelKind::MegGrad },
                    unit: if sensor_idx == 0 { Unit::Femtotesla } else { Unit::FemtoteslaPerCm },
                    position_m: Some(triplet.position_m),
                })
            })
            .collect(),
    }
}
