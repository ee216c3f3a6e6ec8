//! Which measures at which frequencies.

use super::reduce::Recipe;
use super::{ConnectivityError, Measure};
use crate::psd::bands::Band;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// What to compute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConnectivitySpec {
    /// The measures; one pass serves them all.
    pub measures: Vec<Measure>,
    /// At which frequencies.
    pub resolution: Resolution,
    /// Whether a frequency on an upper edge belongs to the band.
    pub edges: BandEdges,
}

/// At which frequencies the measures are given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The mean over the frequencies of each band, of the measure at each of them.
    Bands(Vec<Band>),
    /// Each frequency of one band by itself.
    Frequencies(Band),
}

/// Which edges belong to a band.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BandEdges {
    /// `low <= f < high`, as [`Band::bins`]: neighbouring bands share no frequency.
    HalfOpen,
    /// `low <= f <= high`, as mne-connectivity.
    Closed,
}

/// The frequencies that any band needs, and where each band's lie among them.
#[derive(Clone, Debug)]
pub(super) struct Selection {
    /// Indices of the needed frequencies, ascending.
    pub(super) bins: Vec<usize>,
    measures: Vec<Measure>,
    /// Each band's, as positions in `bins`.
    bands: Vec<Range<usize>>,
    insides: Vec<Range<usize>>,
}

impl Selection {
    /// A cell for each frequency.
    pub(super) fn recipe(&self) -> Recipe {
        self.recipe_at(1)
    }

    /// A cell for each frequency at each of `n_times`; bands likewise, `(n_bands,
    /// n_times)`.
    pub(super) fn recipe_at(&self, n_times: usize) -> Recipe {
        let n_freqs = self.bins.len();
        let at = |t: usize, band: &Range<usize>| t * n_freqs + band.start..t * n_freqs + band.end;
        let all = |bands: &[Range<usize>]| -> Vec<_> {
            bands.iter().flat_map(|band| (0..n_times).map(move |t| at(t, band))).collect()
        };
        let (bands, insides) = (all(&self.bands), all(&self.insides));
        Recipe::new(self.measures.clone(), n_freqs * n_times, bands, &insides)
    }

    /// The needed frequencies.
    pub(super) fn freqs_hz(&self, all_hz: &[f64]) -> Vec<f64> {
        self.bins.iter().map(|k| all_hz[*k]).collect()
    }
}

impl ConnectivitySpec {
    /// Finds the frequencies among ascending `freqs_hz`.
    pub(super) fn select(&self, freqs_hz: &[f64]) -> Result<Selection, ConnectivityError> {
        if self.measures.is_empty() {
            return Err(ConnectivityError::NoMeasure);
        }
        let bands = match &self.resolution {
            Resolution::Bands(bands) => bands.as_slice(),
            Resolution::Frequencies(band) => std::slice::from_ref(band),
        };
        let has_slope = self.measures.contains(&Measure::PhaseSlope);
        let mut ranges = Vec::with_capacity(bands.len());
        let mut insides = Vec::with_capacity(bands.len());
        for band in bands {
            ranges.push(self.edges.bins(*band, freqs_hz)?);
            insides.push(inside(*band, freqs_hz));
            let single = matches!(self.resolution, Resolution::Frequencies(_));
            if has_slope && (single || insides[insides.len() - 1].len() < 2) {
                let Band { low_hz, high_hz } = *band;
                return Err(ConnectivityError::NarrowBand { low_hz, high_hz });
            }
        }
        let needed = |bin: &usize| ranges.iter().any(|range| range.contains(bin));
        let bins: Vec<usize> = (0..freqs_hz.len()).filter(needed).collect();
        let cells = |range: &Range<usize>| {
            bins.partition_point(|b| *b < range.start)..bins.partition_point(|b| *b < range.end)
        };
        let bands = match &self.resolution {
            Resolution::Bands(_) => ranges.iter().map(cells).collect(),
            Resolution::Frequencies(_) => (0..bins.len()).map(|k| k..k + 1).collect(),
        };
        let insides = insides.iter().map(cells).collect();
        Ok(Selection { measures: self.measures.clone(), bins, bands, insides })
    }

    /// Refuses measures that are not defined for so few observations.
    pub(super) fn check_observations(&self, n: usize) -> Result<(), ConnectivityError> {
        let lacking = self.measures.iter().find(|m| n < m.least_observations());
        lacking.map_or(Ok(()), |m| {
            Err(ConnectivityError::TooFewObservations {
                measure: *m,
                n_observations: n,
                needed: m.least_observations(),
            })
        })
    }
}

impl BandEdges {
    fn bins(self, band: Band, freqs_hz: &[f64]) -> Result<Range<usize>, ConnectivityError> {
        let Band { low_hz, high_hz } = band;
        let start = freqs_hz.partition_point(|f| *f < low_hz);
        let end = match self {
            Self::HalfOpen => freqs_hz.partition_point(|f| *f < high_hz),
            Self::Closed => freqs_hz.partition_point(|f| *f <= high_hz),
        };
        if low_hz <= high_hz && start < end {
            Ok(start..end)
        } else {
            Err(ConnectivityError::EmptyBand { low_hz, high_hz })
        }
    }
}

/// Frequencies strictly between the edges.
fn inside(band: Band, freqs_hz: &[f64]) -> Range<usize> {
    let start = freqs_hz.partition_point(|f| *f <= band.low_hz);
    start..freqs_hz.partition_point(|f| *f < band.high_hz).max(start)
}
