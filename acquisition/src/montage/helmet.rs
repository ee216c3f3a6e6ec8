//! An idealised helmet of 102 triplets: one magnetometer and two planar
//! gradiometers each, on a sphere around the head.
//!
//! It has the counts, channel names, orientations and baseline of the common
//! 306-channel systems, *not* the places of a real device: triplet numbers follow
//! the spiral below, so `MEG0111` is not where a real `MEG0111` is.

/// Triplets of the helmet.
pub const N_TRIPLETS: usize = 102;
/// Channels of the helmet: three per triplet.
pub const N_CHANNELS: usize = 3 * N_TRIPLETS;
/// Distance of the sensors from the head's centre, in metres: a gap of 3 cm to the
/// scalp for dewar and hair.
pub const HELMET_RADIUS_M: f64 = 0.12;
/// Distance between the two loops of a planar gradiometer, in metres.
pub const BASELINE_M: f64 = 0.0168;

/// Half the opening angle of the cap that the sensors cover.
const CAP_DEG: f64 = 100.0;
/// How far the cap is tilted backwards, so that the face stays free.
const TILT_DEG: f64 = 20.0;

/// One triplet: a magnetometer along `normal`, gradiometers along `along` and `across`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Triplet {
    /// Centre of the three, in metres (x right, y front, z up, head's centre 0).
    pub position_m: [f64; 3],
    /// Unit vector out of the head: the field component all three measure.
    pub normal: [f64; 3],
    /// Unit vector in the sensor's plane: direction of the first gradient.
    pub along: [f64; 3],
    /// Unit vector in the sensor's plane, at right angles to it: the second.
    pub across: [f64; 3],
}

/// The triplets, evenly spread by a golden-angle spiral from the top of the cap.
pub fn triplets() -> Vec<Triplet> {
    let golden_angle = std::f64::consts::PI * (3.0 - 5f64.sqrt());
    let height = 1.0 - CAP_DEG.to_radians().cos();
    (0..N_TRIPLETS)
        .map(|k| {
            let z = 1.0 - height * (k as f64 + 0.5) / N_TRIPLETS as f64;
            let (sin, cos) = (k as f64 * golden_angle).sin_cos();
            let ring = (1.0 - z * z).sqrt();
            triplet(tilted([ring * cos, ring * sin, z]))
        })
        .collect()
}

/// Name of a channel: `MEG` + group (01 to 26) + triplet in the group (1 to 4) + 1
/// for the magnetometer, 2 and 3 for the gradiometers. Group 08 has two triplets,
/// the others four.
///
/// # Panics
/// If there is no such triplet or sensor.
pub fn label(triplet_idx: usize, sensor_idx: usize) -> String {
    assert!(triplet_idx < N_TRIPLETS && sensor_idx < 3, "no such sensor");
    let slot = if triplet_idx < 30 { triplet_idx } else { triplet_idx + 2 };
    format!("MEG{:02}{}{}", slot / 4 + 1, slot % 4 + 1, sensor_idx + 1)
}

fn tilted([x, y, z]: [f64; 3]) -> [f64; 3] {
    let (sin, cos) = TILT_DEG.to_radians().sin_cos();
    [x, cos * y - sin * z, sin * y + cos * z]
}

fn triplet(normal: [f64; 3]) -> Triplet {
    let [x, y, _] = normal;
    let ring = x.hypot(y);
    let along = if ring < 1e-9 { [1.0, 0.0, 0.0] } else { [-y / ring, x / ring, 0.0] };
    let across = [
        normal[1] * along[2] - normal[2] * along[1],
        normal[2] * along[0] - normal[0] * along[2],
        normal[0] * along[1] - normal[1] * along[0],
    ];
    Triplet { position_m: normal.map(|c| c * HELMET_RADIUS_M), normal, along, across }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_run_from_0111_to_2643() {
        let names: HashSet<String> =
            (0..N_TRIPLETS).flat_map(|t| (0..3).map(move |s| label(t, s))).collect();
        assert_eq!(names.len(), N_CHANNELS);
        assert_eq!((label(0, 0), label(29, 0)), ("MEG0111".into(), "MEG0821".into()));
        assert_eq!((label(30, 0), label(101, 2)), ("MEG0911".into(), "MEG2643".into()));
    }

    #[test]
    fn sensors_leave_the_face_free_and_are_orthonormal() {
        let dot = |a: [f64; 3], b: [f64; 3]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        for t in triplets() {
            assert!(t.normal[1] < 0.5 || t.normal[2] > 0.0, "in the face: {t:?}");
            for (a, b, expected) in [
                (t.normal, t.along, 0.0),
                (t.normal, t.across, 0.0),
                (t.along, t.across, 0.0),
                (t.across, t.across, 1.0),
            ] {
                assert!((dot(a, b) - expected).abs() < 1e-12);
            }
        }
    }
}
