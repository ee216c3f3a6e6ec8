//! What pipelines ask of the front end.

use super::{Feature, SignalStep};
use serde::{Deserialize, Serialize};

/// What a pipeline asks of the front end: a chain of signal steps, and the feature of
/// its windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// In the order in which they run.
    pub signal: Vec<SignalStep>,
    /// What is computed of each window.
    pub feature: Feature,
}

impl Demand {
    /// The signal steps that depend neither on which channels there are nor on what was
    /// learned.
    pub(crate) fn without_channels(&self) -> Vec<SignalStep> {
        self.signal.iter().filter(|step| step.is_filter()).cloned().collect()
    }
}

/// What several pipelines ask for, each distinct demand once. The position of a demand
/// is its slot in [`Features`](crate::window::Features).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Demands(Vec<Demand>);

impl Demands {
    /// The slot of a demand, if it is among these.
    pub fn slot(&self, demand: &Demand) -> Option<usize> {
        self.0.iter().position(|known| known == demand)
    }

    /// All of them, by slot.
    pub fn as_slice(&self) -> &[Demand] {
        &self.0
    }
}

impl FromIterator<Demand> for Demands {
    fn from_iter<I: IntoIterator<Item = Demand>>(demands: I) -> Self {
        let mut distinct = Self::default();
        for demand in demands {
            if distinct.slot(&demand).is_none() {
                distinct.0.push(demand);
            }
        }
        distinct
    }
}
