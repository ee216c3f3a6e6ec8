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

#[cfg(test)]
mod tests {
    use super::*;
    use std::f64::consts::PI;

    fn dipole(moment_am: Vec3) -> Dipole {
        Dipole { position_m: [0.01, -0.02, 0.06], moment_am, depth: Depth::UnderScalp }
    }

    /// The series of a radial dipole in a homogeneous sphere,
    /// `V = q / (4 pi sigma R^2) sum_n (2 n + 1) f^(n-1) P_n(cos)`; 200 terms at
    /// `f = 0.7` leave nothing above rounding.
    #[test]
    fn potentials_agree_with_the_legendre_series() {
        let f = 0.7;
        let source = Dipole {
            position_m: [0.0, 0.0, f * HEAD_RADIUS_M],
            moment_am: [0.0, 0.0, 1e-8],
            depth: Depth::UnderScalp,
        };
        let scale = 1e6 * 1e-8 / (4.0 * PI * CONDUCTIVITY_S_PER_M * HEAD_RADIUS_M.powi(2));
        for angle in [0.1f64, 0.7, 1.6, 3.0] {
            let c = angle.cos();
            let (mut before, mut legendre, mut series) = (1.0, c, 0.0);
            for n in 1..200 {
                let k = f64::from(n);
                series += (2.0 * k + 1.0) * f.powi(n - 1) * legendre;
                let after = ((2.0 * k + 1.0) * c * legendre - k * before) / (k + 1.0);
                (before, legendre) = (legendre, after);
            }
            let at = scaled([angle.sin(), 0.0, c], HEAD_RADIUS_M);
            assert!((source.potential_uv(at) / (scale * series) - 1.0).abs() < 1e-9, "{angle}");
        }
    }

    /// Volume currents of a sphere add nothing to the radial component, which is thus
    /// `mu0 / (4 pi) q x d . r / (|d|^3 |r|)`; both formulas agree to rounding.
    #[test]
    fn the_radial_field_is_that_of_the_primary_current() {
        let source = dipole([3e-9, 5e-9, -2e-9]);
        for at in [[0.0, 0.05, 0.11], [0.09, 0.0, 0.08], [-0.1, -0.06, 0.01]] {
            let d = sum(at, scaled(source.position_m, -1.0));
            let primary = 1e8 * dot(cross(source.moment_am, d), unit(at)) / dot(d, d).powf(1.5);
            let radial = dot(source.field_ft(at), unit(at));
            assert!((radial / primary - 1.0).abs() < 1e-9, "{radial} {primary}");
        }
    }

    /// Outside the head there are no currents, so the field has no divergence and no
    /// curl. Central differences over 0.2 mm err by about 1e-5 of the gradients.
    #[test]
    fn the_field_has_neither_sources_nor_whirls() {
        let source = dipole([3e-9, 5e-9, -2e-9]);
        let (at, h) = ([0.03, 0.06, 0.1], 1e-4);
        let slope = |axis: usize| {
            let mut step = [0.0; 3];
            step[axis] = h;
            let ahead = source.field_ft(sum(at, step));
            let behind = source.field_ft(sum(at, scaled(step, -1.0)));
            scaled(sum(ahead, scaled(behind, -1.0)), 0.5 / h)
        };
        let [x, y, z] = [slope(0), slope(1), slope(2)];
        let size = dot(x, x).sqrt();
        for residual in [x[0] + y[1] + z[2], x[1] - y[0], x[2] - z[0], y[2] - z[1]] {
            assert!(residual.abs() < 1e-4 * size, "{residual} against {size}");
        }
    }

    #[test]
    fn radial_dipoles_are_magnetically_silent() {
        let source = dipole([1e-9, -2e-9, 6e-9]);
        let size = dot(source.moment_am, source.moment_am).sqrt();
        let field = source.field_ft([0.05, 0.05, 0.1]);
        assert!(dot(field, field).sqrt() < 1e-6 * size * 1e12);
    }

    #[test]
    fn gradiometers_measure_the_slope_of_the_magnetometer() {
        let source = dipole([3e-9, 5e-9, -2e-9]);
        let triplet = helmet::triplets()[7];
        let [mag, along, _] = source.seen_by_triplet(&triplet);
        let moved = |cm: f64| {
            let offset = scaled(triplet.along, cm / 100.0);
            dot(source.field_ft(sum(triplet.position_m, offset)), triplet.normal)
        };
        assert_eq!(mag, moved(0.0));
        // The baseline of 1.68 cm blurs the slope by a few per cent.
        let slope = (moved(0.01) - moved(-0.01)) / 0.02;
        assert!((along / slope - 1.0).abs() < 0.05, "{along} {slope}");
    }
}
