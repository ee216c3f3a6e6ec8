//! Causal filters: designs ([`butterworth`], [`notch`]) that give second-order
//! sections, and the machine that runs them ([`sos`]).
//!
//! Everything runs forward in time, frame by frame, with carried state: there is no
//! forward-backward filter here, because its output depends on the future.

pub mod butterworth;
pub mod notch;
pub mod sos;

/// Why a filter can't be designed. Each message names what to change.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum FilterError {
    /// Choose an order from 1 to 16.
    #[error("a filter of order {order} is not possible: choose 1 to {}", butterworth::MAX_ORDER)]
    BadOrder {
        /// The order asked for.
        order: usize,
    },
    /// Choose an edge above 0 Hz and below half the sampling rate.
    #[error(
        "a filter edge of {edge_hz} Hz is not between 0 and {nyquist_hz} Hz, half the sampling rate: choose a lower edge or record faster"
    )]
    EdgeOutOfRange {
        /// The edge asked for.
        edge_hz: f64,
        /// Half the sampling rate.
        nyquist_hz: f64,
    },
    /// Swap the edges, or choose a wider band.
    #[error("the band {low_hz}-{high_hz} Hz is empty: its lower edge must be below its upper edge")]
    EmptyBand {
        /// Lower edge.
        low_hz: f64,
        /// Upper edge.
        high_hz: f64,
    },
    /// Choose a positive quality factor; 30 is usual.
    #[error("a notch of quality {quality} is not possible: choose a positive number, 30 is usual")]
    BadQuality {
        /// The quality factor asked for.
        quality: f64,
    },
    /// The band is too narrow, or its edge too close to 0 Hz, for this order at this rate:
    /// lower the order, or widen the band.
    #[error("the filter is not stable in double precision: lower its order or widen its band")]
    Unstable,
}

/// Whether `edge_hz` lies strictly between 0 Hz and half of `rate`.
fn check_edge(edge_hz: f64, rate: acquisition::time::SampleRate) -> Result<(), FilterError> {
    let nyquist_hz = rate.hz() / 2.0;
    if edge_hz > 0.0 && edge_hz < nyquist_hz {
        Ok(())
    } else {
        Err(FilterError::EdgeOutOfRange { edge_hz, nyquist_hz })
    }
}

#[cfg(test)]
mod tests;
