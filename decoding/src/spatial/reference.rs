//! Re-referencing, frame by frame: what every electrode is measured against.

use serde::{Deserialize, Serialize};

/// The reference that is subtracted from every channel of a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// As recorded.
    #[default]
    None,
    /// The mean of all channels. It takes one dimension away: the covariance of such
    /// frames is singular until it is shrunk.
    CommonAverage,
    /// The mean of these channels (say both mastoids), by index into the frame.
    Linked(Vec<usize>),
}

/// Linked channels that can't be a reference: name channels of the stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Name at least one channel.
    #[error("a linked reference has no channel: name at least one")]
    NoChannel,
    /// Name only channels that are there.
    #[error(
        "reference channel {channel} is not among the {n_channels} channels: name channels of the recording"
    )]
    NoSuchChannel {
        /// The index asked for.
        channel: usize,
        /// Channels in a frame.
        n_channels: usize,
    },
}

impl Reference {
    /// Whether it can be applied to frames of `n_channels`.
    pub fn check(&self, n_channels: usize) -> Result<(), ReferenceError> {
        let Self::Linked(channels) = self else { return Ok(()) };
        if channels.is_empty() {
            return Err(ReferenceError::NoChannel);
        }
        match channels.iter().find(|c| **c >= n_channels) {
            Some(&channel) => Err(ReferenceError::NoSuchChannel { channel, n_channels }),
            None => Ok(()),
        }
    }

    /// Subtracts the reference from `frame`, in place.
    ///
    /// Thread: decoding thread. Allocation: none.
    ///
    /// # Panics
    /// If a linked channel is not in the frame: [`Reference::check`] comes first.
    pub fn apply(&self, frame: &mut [f64]) {
        let (sum, n) = match self {
            Self::None => return,
            Self::CommonAverage => (frame.iter().sum::<f64>(), frame.len()),
            Self::Linked(channels) => {
                (channels.iter().map(|c| frame[*c]).sum::<f64>(), channels.len())
            }
        };
        let reference = sum / n.max(1) as f64;
        for x in frame {
            *x -= reference;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subtracts_what_it_says() {
        let apply = |reference: Reference| {
            let mut frame = [1.0, 2.0, 6.0];
            reference.apply(&mut frame);
            frame
        };
        assert_eq!(apply(Reference::None), [1.0, 2.0, 6.0]);
        assert_eq!(apply(Reference::CommonAverage), [-2.0, -1.0, 3.0]);
        assert_eq!(apply(Reference::Linked(vec![0, 1])), [-0.5, 0.5, 4.5]);
        Reference::CommonAverage.apply(&mut []);
    }

    #[test]
    fn channels_that_are_not_there_are_refused() {
        assert_eq!(Reference::Linked(vec![]).check(3), Err(ReferenceError::NoChannel));
        let missing = Err(ReferenceError::NoSuchChannel { channel: 3, n_channels: 3 });
        assert_eq!(Reference::Linked(vec![0, 3]).check(3), missing);
        assert_eq!(Reference::Linked(vec![2]).check(3), Ok(()));
        assert_eq!(Reference::CommonAverage.check(0), Ok(()));
    }
}
