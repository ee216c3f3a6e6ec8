//! A fitted pipeline's decisions on examples, for scores that no session makes.

use super::runtime::Panel;
use super::{FittedPipeline, Pipeline};
use crate::decoder::{Examples, FitError};
use crate::window::View;

/// What a fitted pipeline says of one example.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// The posterior of each class; NaN where the example has not the feature, or a gate
    /// refuses it.
    pub posterior: Vec<f64>,
    /// Of two classes, by how much it looks like the second: the decision value of a machine,
    /// otherwise the logarithm of the odds. 0 of other numbers of classes.
    pub preference: f64,
}

impl FittedPipeline {
    /// Decides on the examples at `chosen`.
    ///
    /// Batch: allocates.
    ///
    /// # Errors
    /// [`FitError::Shape`] where the examples were made for other pipelines.
    pub fn decide(&self, examples: &Examples, chosen: &[usize]) -> Result<Vec<Decided>, FitError> {
        let slot = |member: &Pipeline| examples.demands.slot(&member.demand());
        let slots: Option<Vec<usize>> = self.pipeline.members().iter().map(slot).collect();
        let other = FitError::Shape { part: "the list of features", expected: 1, found: 0 };
        let slots = slots.ok_or(other)?;
        let n_classes = examples.n_classes;
        let nothing = Decided { posterior: vec![f64::NAN; n_classes], preference: f64::NAN };
        let mut decided = vec![nothing; chosen.len()];
        let is_sound =
            |j: usize| slots.iter().all(|slot| examples.features[j].get(*slot).is_some());
        let Some(&first) = chosen.iter().find(|j| is_sound(**j)) else { return Ok(decided) };
        let views = |j: usize| slots.iter().filter_map(move |s| examples.features[j].get(*s));
        let shapes: Vec<_> = views(first).map(View::shape).collect();
        let weight = self.pipeline.idle_weight;
        let mut panel = Panel::plan(&self.members, &shapes, weight, n_classes)?;
        for (out, &j) in decided.iter_mut().zip(chosen).filter(|(_, j)| is_sound(**j)) {
            let feature = |k: usize| examples.features[j].get(slots[k]);
            let machine = panel.posterior_into(feature, &mut out.posterior);
            out.preference = match out.posterior.as_slice() {
                [first, second] => machine.unwrap_or_else(|| second.ln() - first.ln()),
                _ => 0.0,
            };
        }
        Ok(decided)
    }
}
