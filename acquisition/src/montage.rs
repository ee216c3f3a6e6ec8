//! Where sensors sit: the 10-10 electrodes on a spherical head, and an idealised
//! magnetometer and gradiometer helmet ([`helmet`]).
//!
//! These are *standard* positions, computed from the rule that names the
//! electrodes. They are not a digitised head, and no recording's labels are renamed
//! by anything here.
//!
//! Coordinates: metres, x right, y front, z up, origin at the centre of the sphere.
//! The rule of ten per cent: nasion, vertex (Cz) and inion lie on one arc, on which
//! ten per cent are 23 degrees; the ring through Fpz, T7, Oz and T8 lies 92 degrees
//! from the vertex, with an electrode every 18 degrees. Every row of electrodes is
//! the circle through its two ends on that ring and its middle on the arc, divided
//! evenly.
//!
//! # Reference
//! Oostenveld and Praamstra (2001), the five percent electrode system,
//! doi:10.1016/S1388-2457(00)00527-7.

pub mod helmet;

/// Radius of the spherical head in metres.
pub const HEAD_RADIUS_M: f64 = 0.09;

/// The 64 electrodes of the 10-10 system that BCI2000 records (and EEGMMIDB with
/// it), so ordered that the first 8, 16 and 32 are useful montages of their own: the
/// hand areas first, then eyes and occiput, then even coverage.
pub const TEN_TEN: [&str; 64] = [
    "C3", "Cz", "C4", "FC3", "FC4", "CP3", "CP4", "Pz", // 8
    "C1", "C2", "Fz", "CPz", "Fp1", "Fp2", "O1", "O2", // 16
    "C5", "C6", "F3", "F4", "P3", "P4", "F7", "F8", // 24
    "T7", "T8", "P7", "P8", "FC1", "FC2", "CP1", "CP2", // 32
    "FCz", "FC5", "FC6", "CP5", "CP6", "F1", "F2", "F5", // 40
    "F6", "P1", "P2", "P5", "P6", "Fpz", "Oz", "POz", // 48
    "AFz", "AF3", "AF4", "AF7", "AF8", "PO3", "PO4", "PO7", // 56
    "PO8", "FT7", "FT8", "TP7", "TP8", "T9", "T10", "Iz",
];

/// Rows from front to back: name before the number, angle of the middle from the
/// vertex towards the front, angle of the ends from the front along the ring.
const ROWS: [(&str, f64, f64); 9] = [
    ("Fp", 92.0, 18.0),
    ("AF", 69.0, 36.0),
    ("F", 46.0, 54.0),
    ("FC", 23.0, 72.0),
    ("C", 0.0, 90.0),
    ("CP", -23.0, 108.0),
    ("P", -46.0, 126.0),
    ("PO", -69.0, 144.0),
    ("O", -92.0, 162.0),
];

/// Angle between the vertex and the ring, in degrees.
const RING_DEG: f64 = 92.0;

/// Unit vector from the head's centre to an electrode of the 10-10 system.
///
/// Upper and lower case are the same, trailing dots are ignored (EEGMMIDB writes
/// `Fc5.`), and the older names T3, T4, T5 and T6 mean T7, T8, P7 and P8.
/// `None` for anything that is not such an electrode.
pub fn direction(label: &str) -> Option<[f64; 3]> {
    let label = label.trim().trim_end_matches('.').to_ascii_uppercase();
    let label = match label.as_str() {
        "T3" => "T7",
        "T4" => "T8",
        "T5" => "P7",
        "T6" => "P8",
        "IZ" => return Some(on_sphere(-115.0, 0.0)),
        "T9" => return Some(on_sphere(115.0, -90.0)),
        "T10" => return Some(on_sphere(115.0, 90.0)),
        other => other,
    };
    let digits = label.find(|c: char| c.is_ascii_digit());
    let (row, place) = match digits {
        Some(at) => (&label[..at], label[at..].parse::<u32>().ok().filter(|&n| n > 0)?),
        None => (label.strip_suffix('Z')?, 0),
    };
    if place > 8 || (place > 6 && !matches!(row, "AF" | "F" | "FT" | "T" | "TP" | "P" | "PO")) {
        return None;
    }
    let outer = place > 6;
    let row = match row {
        "FT" if outer => "FC",
        "T" if outer => "C",
        "TP" if outer => "CP",
        row => row,
    };
    let &(_, middle_deg, end_deg) =
        ROWS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(row))?;
    let fraction = match (row, place) {
        ("FP" | "O", 0..=2) => f64::from(place.min(1)),
        ("FP" | "O", _) => return None,
        _ => f64::from(place.div_ceil(2)) / 4.0,
    };
    let side = if place % 2 == 1 { -1.0 } else { 1.0 };
    Some(on_row(middle_deg, end_deg, fraction, side))
}

/// Position of an electrode in metres on a head of [`HEAD_RADIUS_M`]; names as in
/// [`direction`].
pub fn position_m(label: &str) -> Option<[f64; 3]> {
    direction(label).map(|unit| unit.map(|x| x * HEAD_RADIUS_M))
}

/// The unit vector `tilt_deg` from the vertex, towards the front turned to the right
/// by `azimuth_deg`.
fn on_sphere(tilt_deg: f64, azimuth_deg: f64) -> [f64; 3] {
    let (sin_tilt, cos_tilt) = tilt_deg.to_radians().sin_cos();
    let (sin_azimuth, cos_azimuth) = azimuth_deg.to_radians().sin_cos();
    [sin_tilt * sin_azimuth, sin_tilt * cos_azimuth, cos_tilt]
}

/// The point a fraction of the way from a row's middle to its end.
///
/// The row is a circle on the sphere, symmetric about the plane x = 0. With `u` the
/// unit vector from the midpoint of its ends to its middle, `h` that distance and
/// `a` half the distance of the ends, the circle's centre lies `(h^2 - a^2) / 2h`
/// from that midpoint along `u`.
fn on_row(middle_deg: f64, end_deg: f64, fraction: f64, side: f64) -> [f64; 3] {
    let middle = on_sphere(middle_deg, 0.0);
    let [a, y, z] = on_sphere(RING_DEG, end_deg);
    let (dy, dz) = (middle[1] - y, middle[2] - z);
    let h = dy.hypot(dz);
    if h < 1e-9 || fraction == 0.0 {
        return middle;
    }
    let (uy, uz) = (dy / h, dz / h);
    let shift = (h * h - a * a) / (2.0 * h);
    let radius = h - shift;
    let (sin, cos) = (fraction * a.atan2(-shift)).sin_cos();
    let along = shift + radius * cos;
    [side * radius * sin, y + along * uy, z + along * uz]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn norm([x, y, z]: [f64; 3]) -> f64 {
        (x * x + y * y + z * z).sqrt()
    }

    #[test]
    fn all_64_lie_on_the_unit_sphere_apart_from_each_other() {
        let places: Vec<_> = TEN_TEN.iter().map(|l| direction(l).expect(l)).collect();
        for (i, p) in places.iter().enumerate() {
            assert!((norm(*p) - 1.0).abs() < 1e-12, "{}", TEN_TEN[i]);
            for q in &places[..i] {
                assert!(norm([p[0] - q[0], p[1] - q[1], p[2] - q[2]]) > 0.2, "{}", TEN_TEN[i]);
            }
        }
    }

    #[test]
    fn sides_are_mirrored_and_odd_numbers_are_left() {
        for (left, right) in
            [("C3", "C4"), ("Fp1", "Fp2"), ("PO7", "PO8"), ("T9", "T10"), ("F5", "F6")]
        {
            let (l, r) = (direction(left).unwrap(), direction(right).unwrap());
            assert!(l[0] < 0.0);
            assert_eq!([-l[0], l[1], l[2]], r, "{left} {right}");
        }
    }

    /// The published spherical coordinates of F3 are whole degrees (60 and 39 here),
    /// hence the tolerance of a degree and a half.
    #[test]
    fn landmarks_are_where_the_rule_puts_them() {
        assert!((direction("Cz").unwrap()[2] - 1.0).abs() < 1e-12);
        let [x, y, z] = direction("F3").unwrap();
        assert!((z.acos().to_degrees() - 60.0).abs() < 1.5);
        assert!(((-x / y).atan().to_degrees() - 39.0).abs() < 1.5);
        let [x, y, _] = direction("C3").unwrap();
        assert!(y.abs() < 1e-12 && ((-x).asin().to_degrees() - 46.0).abs() < 1e-9);
    }

    #[test]
    fn names_are_read_leniently_and_nonsense_is_refused() {
        assert_eq!(direction("Fc5."), direction("FC5"));
        assert_eq!(direction("T3"), direction("T7"));
        assert_eq!(direction("T6"), direction("P8"));
        for label in [
            "",
            "z",
            "X3",
            "C",
            "C7",
            "C0",
            "C99999999999",
            "Fp3",
            "O5",
            "T1",
            "FT3",
            "EOG1",
            "\u{e9}z",
        ] {
            assert_eq!(direction(label), None, "{label}");
        }
    }
}
