//! A pipeline among the tasks alone: where trials are scored offline nothing is idle, and
//! the first task is class 0.

use super::Pipeline;
use super::choose::Choose;
use super::step::{Step, Transform};

impl Pipeline {
    /// The same pipeline for `n_tasks` classes of which none is idle: classes that a step
    /// names are one lower, and the weight of idle is gone.
    ///
    /// # Errors
    /// In words, where it chooses among lists of classes, or decides by what came before.
    pub fn among_tasks(&self, n_tasks: usize) -> Result<Self, &'static str> {
        if self.decision.is_some() {
            return Err(
                "its decision policy needs windows that follow each other: score it pseudo-online",
            );
        }
        let mut pipeline = Self { idle_weight: None, ..self.clone() };
        pipeline.choose = match pipeline.choose {
            Some(choose)
                if choose.parameters.iter().any(|choice| choice.parameter == "classes") =>
            {
                return Err("it chooses among lists of classes: name one list instead");
            }
            Some(choose) if choose.parameters.is_empty() => None,
            Some(choose) => Some(Choose { idle_weights: Vec::new(), ..choose }),
            None => None,
        };
        let of_voters = pipeline.vote.iter_mut().flat_map(|voter| &mut voter.steps);
        for step in pipeline.steps.iter_mut().chain(of_voters) {
            let Step::Transform(step) = step else { continue };
            match step {
                Transform::Mirror(step) => {
                    step.classes.retain(|pair| !pair.contains(&0));
                    step.classes.iter_mut().flatten().for_each(|class| *class -= 1);
                }
                Transform::Trca(step) => {
                    let all = || (0..n_tasks).map(|class| class as u8).collect();
                    step.classes = Some(step.classes.take().map_or_else(all, one_lower));
                }
                Transform::Xdawn(step) => step.classes = step.classes.take().map(one_lower),
                Transform::ErpCovariance(step) => {
                    step.classes = step.classes.take().map(one_lower);
                }
                _ => {}
            }
        }
        Ok(pipeline)
    }
}

fn one_lower(classes: Vec<u8>) -> Vec<u8> {
    classes.into_iter().filter_map(|class| class.checked_sub(1)).collect()
}
