//! Small and large surface Laplacians over the 10-10 grid.
//!
//! An electrode has up to four neighbours at one step, one in each quadrant (front,
//! back, left, right) of the plane that touches the sphere there: the nearest electrode
//! of [`TEN_TEN`] whose bearing lies within 45 degrees of that direction and which is at
//! most [`MAX_STEP_DEG`] away. The neighbour at two steps is the electrode of the grid
//! nearest to the mirror image of the electrode in its neighbour at one step, so that a
//! step is as long as the grid's is there. The neighbours depend on the grid alone: a
//! recording that lacks one lacks it, and no electrode farther away takes its place.
//!
//! At the edge of the cap an electrode has fewer than four; [`Edge`] says what becomes of
//! it.

use super::{ChannelMap, SpatialError};
use acquisition::montage::{TEN_TEN, direction};
use faer::Mat;
use serde::{Deserialize, Serialize};

/// Longest arc to a neighbour at one step: one and a half times the 10 % step of the
/// midline, 23 degrees.
pub const MAX_STEP_DEG: f64 = 34.5;

/// An electrode this near to a mirror image is the neighbour at two steps.
const MAX_MISS_DEG: f64 = 15.0;

/// How far away the neighbours are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// One step of the grid: the small Laplacian, for sources of a few centimetres.
    #[default]
    Small,
    /// Two steps: the large Laplacian, which keeps wider sources.
    Large,
}

/// What becomes of an electrode that has fewer than four neighbours among the channels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edge {
    /// It is left out: every output has four neighbours.
    Drop,
    /// It is kept if it has two or more, with the weights shared among them; its
    /// estimate leans to one side.
    #[default]
    Fewer,
}

/// `y_i = x_i - Σ_j g_ij x_j`, `g_ij = d_ij⁻¹ / Σ_k d_ik⁻¹` over the neighbours `j` of
/// electrode `i`, with `d` the straight distance on the sphere. In units of the input;
/// weights of a row sum to zero, so that any common reference cancels.
///
/// Outputs keep the labels and order of `labels`, as far as they are kept.
///
/// # Errors
/// [`SpatialError::UnknownElectrode`] for a label that is not of the 10-10 system (leave
/// EOG channels out first), [`SpatialError::NoNeighbours`] where nothing is left.
///
/// # Reference
/// D. J. `McFarland`, L. M. `McCane`, S. V. David, J. R. Wolpaw (1997),
/// Electroencephalography and Clinical Neurophysiology 103(3),
/// doi:10.1016/S0013-4694(97)00022-2. There distances are 3 and 6 cm on one cap; here
/// they are steps of the grid.
pub fn laplacian(
    labels: &[impl AsRef<str>],
    reach: Reach,
    edge: Edge,
) -> Result<ChannelMap, SpatialError> {
    let places = labels.iter().map(|l| place(l.as_ref())).collect::<Result<Vec<_>, _>>()?;
    let grid: Vec<_> = TEN_TEN.iter().filter_map(|label| direction(label)).collect();
    let needed = match edge {
        Edge::Drop => 4,
        Edge::Fewer => 2,
    };
    let mut rows = Vec::new();
    for (i, centre) in places.iter().enumerate() {
        let here = neighbours(*centre, reach, &grid)
            .filter_map(|to| places.iter().position(|p| arc_deg(*p, to) < 1e-6));
        // Near the edge two directions may lead to one electrode.
        let found: std::collections::BTreeSet<usize> = here.collect();
        if found.len() >= needed {
            rows.push((i, found));
        }
    }
    if rows.is_empty() {
        return Err(SpatialError::NoNeighbours);
    }
    let mut weights = Mat::<f64>::zeros(rows.len(), labels.len());
    for (row, (i, found)) in rows.iter().enumerate() {
        let inverse = |j: &usize| 1.0 / norm(minus(places[*i], places[*j]));
        let total: f64 = found.iter().map(inverse).sum();
        weights[(row, *i)] = 1.0;
        for j in found {
            weights[(row, *j)] = -inverse(j) / total;
        }
    }
    let outputs: Vec<_> = rows.iter().map(|(i, _)| labels[*i].as_ref()).collect();
    ChannelMap::from_faer(labels, &outputs, weights.as_ref())
}

fn place(label: &str) -> Result<[f64; 3], SpatialError> {
    direction(label).ok_or_else(|| SpatialError::UnknownElectrode { label: label.to_owned() })
}

/// The neighbours of `centre`: front, back, left, right.
fn neighbours(centre: [f64; 3], reach: Reach, grid: &[[f64; 3]]) -> impl Iterator<Item = [f64; 3]> {
    let front = tangent_front(centre);
    let left = cross(centre, front);
    let bearings = [front, left.map(|x| -x), left, front.map(|x| -x)];
    bearings.into_iter().filter_map(move |bearing| {
        let one = one_step(centre, bearing, grid)?;
        match reach {
            Reach::Small => Some(one),
            Reach::Large => two_steps(centre, one, grid),
        }
    })
}

/// The nearest electrode whose bearing is within 45 degrees of `bearing`.
fn one_step(centre: [f64; 3], bearing: [f64; 3], grid: &[[f64; 3]]) -> Option<[f64; 3]> {
    let ahead = |to: &&[f64; 3]| {
        let arc = arc_deg(centre, **to);
        let along = minus(**to, centre.map(|x| x * dot(centre, **to)));
        let cosine = dot(along, bearing) / norm(along);
        arc > 1e-6 && arc <= MAX_STEP_DEG && cosine >= std::f64::consts::FRAC_1_SQRT_2
    };
    let by_arc =
        |a: &&[f64; 3], b: &&[f64; 3]| arc_deg(centre, **a).total_cmp(&arc_deg(centre, **b));
    grid.iter().filter(ahead).min_by(by_arc).copied()
}

/// The electrode nearest to the mirror image of `centre` in `one`.
fn two_steps(centre: [f64; 3], one: [f64; 3], grid: &[[f64; 3]]) -> Option<[f64; 3]> {
    let target = minus(one.map(|x| 2.0 * dot(centre, one) * x), centre);
    let by_miss =
        |a: &&[f64; 3], b: &&[f64; 3]| arc_deg(target, **a).total_cmp(&arc_deg(target, **b));
    let nearest = grid.iter().min_by(by_miss)?;
    (arc_deg(target, *nearest) <= MAX_MISS_DEG).then_some(*nearest)
}

/// The unit tangent at `centre` that points to the front; the back of a head that looks
/// straight up is down, so at the very front and back it is the way the midline goes.
fn tangent_front(centre: [f64; 3]) -> [f64; 3] {
    let along = minus([0.0, 1.0, 0.0], centre.map(|x| x * centre[1]));
    let length = norm(along);
    if length > 1e-9 { along.map(|x| x / length) } else { [0.0, 0.0, -centre[1].signum()] }
}

fn arc_deg(a: [f64; 3], b: [f64; 3]) -> f64 {
    norm(cross(a, b)).atan2(dot(a, b)).to_degrees()
}

fn dot(a: [f64; 3], b: [f64; 3]) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn minus(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn norm(a: [f64; 3]) -> f64 {
    dot(a, a).sqrt()
}
