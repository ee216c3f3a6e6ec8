//! The tree over a complete signal, for whoever has all of it: what filters is done by the
//! caller, over the whole signal at once; what mixes or picks channels is done here.

use super::{Graph, Node, StageSpec};
use crate::filter::sos::Section;
use ndarray::{Array2, ArrayView2};

/// What a stage does to the whole of a signal.
pub(crate) enum Response<'a> {
    /// It goes through second-order sections.
    Sections(&'a [Section]),
    /// It goes through a finite impulse response.
    Taps(&'a [f64]),
    /// Something that is only defined frame after frame, of this name.
    Streaming(&'static str),
}

impl Graph {
    /// The signal of every node, `(n_channels, n_samples)`, of which the first is `input`.
    ///
    /// Batch: allocates, a signal per node.
    pub fn whole<E>(
        &mut self,
        input: Array2<f64>,
        mut filter: impl FnMut(&Response<'_>, &ArrayView2<'_, f64>) -> Result<Array2<f64>, E>,
    ) -> Result<Vec<Array2<f64>>, E> {
        let mut signals = vec![input];
        for node in &mut self.nodes[1..] {
            let before = signals[node.parent].view();
            let response = node.response();
            let signal = match response {
                Some(response) => filter(&response, &before)?,
                None => node.map_whole(&before),
            };
            signals.push(signal);
        }
        Ok(signals)
    }
}

impl Graph {
    /// The first stage that is only defined frame after frame.
    pub fn streaming_step(&self) -> Option<&'static str> {
        self.nodes.iter().find_map(|node| match node.response() {
            Some(Response::Streaming(step)) => Some(step),
            _ => None,
        })
    }
}

impl Node {
    /// What it is to whoever has the whole signal; `None` where it has no memory.
    fn response(&self) -> Option<Response<'_>> {
        Some(match self.spec.as_ref()? {
            StageSpec::Filter(sections) => Response::Sections(sections),
            StageSpec::Fir(taps) => Response::Taps(taps),
            StageSpec::Comb(_) => Response::Streaming("comb"),
            StageSpec::Resample(_) => Response::Streaming("resample"),
            StageSpec::Asr(_) => Response::Streaming("asr"),
            StageSpec::Eog(..) => Response::Streaming("eog_regression"),
            StageSpec::Pick(_) | StageSpec::Map(_) => return None,
        })
    }

    /// What a stage without memory makes of a whole signal.
    fn map_whole(&mut self, before: &ArrayView2<'_, f64>) -> Array2<f64> {
        let mut signal = Array2::zeros((self.n_channels, before.ncols()));
        let mut frame = vec![0.0; before.nrows()];
        for (from, mut to) in before.columns().into_iter().zip(signal.columns_mut()) {
            frame.iter_mut().zip(from).for_each(|(value, from)| *value = *from);
            self.process(&frame);
            to.iter_mut().zip(&self.frames).for_each(|(to, value)| *to = *value);
        }
        signal
    }
}
