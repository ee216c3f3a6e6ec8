//! Signal steps that mix channels frame by frame, without memory and without delay.

use super::group::{BadParameter, Checked};
use crate::spatial::spline::SphericalSpline;
use serde::{Deserialize, Serialize};

/// Differences of pairs of channels, `[anode, cathode]`, called `anode-cathode`
/// ([`ChannelMap::bipolar`](crate::spatial::ChannelMap::bipolar)); the other channels are left
/// out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bipolar {
    /// The pairs, by label.
    pub pairs: Vec<[String; 2]>,
}

impl Checked for Bipolar {
    fn check(&self) -> Result<(), BadParameter> {
        let is_one = |[a, b]: &&[String; 2]| a.eq_ignore_ascii_case(b);
        if self.pairs.is_empty() {
            return Err(BadParameter::new("pairs", "name at least one pair of channels"));
        }
        match self.pairs.iter().find(is_one) {
            Some([label, _]) => {
                Err(BadParameter::new("pairs", format!("{label} less itself is nothing")))
            }
            None => Ok(()),
        }
    }
}

/// What a spherical spline is made of, as the library takes it.
fn check_spline(stiffness: u32, n_terms: usize, lambda: f64) -> Result<(), BadParameter> {
    if stiffness < 2 {
        return Err(BadParameter::new("stiffness", "it is at least 2"));
    }
    if !(1..=MAX_TERMS).contains(&n_terms) {
        return Err(BadParameter::new("n_terms", format!("it is from 1 to {MAX_TERMS}")));
    }
    if !(lambda >= 0.0 && lambda.is_finite()) {
        return Err(BadParameter::new("lambda", "it is a finite number of 0 or more"));
    }
    Ok(())
}

/// Most terms of a spline's series, which falls off long before.
const MAX_TERMS: usize = 1000;

/// The current source density by a spherical spline: the negative surface Laplacian, per
/// square metre of the input's unit
/// ([`current_source_density`](SphericalSpline::current_source_density)). Electrodes stand at
/// their places of the 10-10 system on a sphere of 9 cm ([`acquisition::montage`]), not where
/// they were digitised. Any common reference cancels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CurrentSourceDensity {
    /// Stiffness of the spline; higher is smoother.
    pub stiffness: u32,
    /// Terms of its series.
    pub n_terms: usize,
    /// How far the surface may miss the electrodes.
    pub lambda: f64,
}

impl Default for CurrentSourceDensity {
    /// As MNE's.
    fn default() -> Self {
        let SphericalSpline { stiffness, n_terms, lambda } = SphericalSpline::default();
        Self { stiffness, n_terms, lambda }
    }
}

impl CurrentSourceDensity {
    pub(crate) fn spline(&self) -> SphericalSpline {
        let Self { stiffness, n_terms, lambda } = *self;
        SphericalSpline { stiffness, n_terms, lambda }
    }
}

impl Checked for CurrentSourceDensity {
    fn check(&self) -> Result<(), BadParameter> {
        check_spline(self.stiffness, self.n_terms, self.lambda)
    }
}

/// Replaces channels that are known to be bad by what the others say, through a spherical
/// spline ([`interpolation`](SphericalSpline::interpolation)). Electrodes stand at their places
/// of the 10-10 system. The covariance is singular by as many channels afterwards, until it
/// is shrunk.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interpolate {
    /// The bad channels, by label.
    pub channels: Vec<String>,
    /// Stiffness of the spline; higher is smoother.
    #[serde(default = "default_stiffness")]
    pub stiffness: u32,
    /// Terms of its series.
    #[serde(default = "default_n_terms")]
    pub n_terms: usize,
    /// How far the surface may miss the electrodes.
    #[serde(default = "default_lambda")]
    pub lambda: f64,
}

/// As serde wants it.
fn default_stiffness() -> u32 {
    SphericalSpline::default().stiffness
}

/// As serde wants it.
fn default_n_terms() -> usize {
    SphericalSpline::default().n_terms
}

/// As serde wants it.
fn default_lambda() -> f64 {
    SphericalSpline::default().lambda
}

impl Interpolate {
    pub(crate) fn spline(&self) -> SphericalSpline {
        let Self { stiffness, n_terms, lambda, .. } = *self;
        SphericalSpline { stiffness, n_terms, lambda }
    }
}

impl Checked for Interpolate {
    fn check(&self) -> Result<(), BadParameter> {
        if self.channels.is_empty() {
            return Err(BadParameter::new("channels", "name at least one channel"));
        }
        check_spline(self.stiffness, self.n_terms, self.lambda)
    }
}

/// Potentials against a point at infinity (REST), by a lead field that comes from a head
/// model made elsewhere ([`rest`](crate::spatial::rest::rest)).
///
/// # Reference
/// D. Yao (2001), Physiological Measurement 22(4), doi:10.1088/0967-3334/22/4/305.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rest {
    /// The electrodes of the lead field, by label; it may have more than the stream.
    pub channels: Vec<String>,
    /// Potentials at each electrode of each source, against infinity, in any unit: one row
    /// per electrode.
    pub lead_field: Vec<Vec<f64>>,
}

impl Checked for Rest {
    fn check(&self) -> Result<(), BadParameter> {
        let error = |why: String| Err(BadParameter::new("lead_field", why));
        let (n, n_rows) = (self.channels.len(), self.lead_field.len());
        let n_sources = self.lead_field.first().map_or(0, Vec::len);
        if n != n_rows {
            return error(format!("{n_rows} rows for {n} channels: one row per channel"));
        }
        if n_sources == 0 || self.lead_field.iter().any(|row| row.len() != n_sources) {
            return error("rows of equal length, one value per source, are needed".to_owned());
        }
        if !self.lead_field.iter().flatten().all(|x| x.is_finite()) {
            return error("all of its values are finite".to_owned());
        }
        Ok(())
    }
}
