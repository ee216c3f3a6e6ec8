//! Steps that look at the course of time in a window.

use super::{Planned, nothing};
use crate::decoder::FitError;
use crate::matrix::Matrix;
use crate::pipeline::fit::{N_NEEDED, Training};
use crate::pipeline::runtime::{ModelError, Transformer, expect_size};
use crate::pipeline::step::{Trca, Xdawn};
use crate::spatial_filter::trca::{TrcaModel, TrcaRuntime};
use crate::spatial_filter::windows::filter_into;
use crate::window::{Planar, Samples, Shape, Value, View};
use acquisition::marker::ClassIdx;

/// Bands, channels and samples of what comes in.
fn samples_size(shape: Shape) -> Result<[usize; 3], ModelError> {
    match shape {
        Shape::Samples { n_bands, n_channels, n_samples } => Ok([n_bands, n_channels, n_samples]),
        Shape::Vector(_) | Shape::Matrices { .. } => {
            Err(ModelError::Shape { part: "a step's input of samples", expected: 1, found: 0 })
        }
    }
}

impl Xdawn {
    /// The filters of one band.
    pub(in crate::pipeline) fn fit(
        &self,
        windows: &[Planar<'_>],
        labels: &[ClassIdx],
        n_classes: usize,
    ) -> Result<Matrix, FitError> {
        Ok(self.params().fit(windows, labels, n_classes)?.filters)
    }
}

/// Windows through spatial filters.
struct Filtered {
    bands: Vec<Matrix>,
    samples: Vec<Samples>,
}

/// Plans spatial filters of each band.
pub(super) fn plan_filters(bands: &[Matrix], shape: Shape) -> Result<Planned, ModelError> {
    let [n_bands, n_channels, n_samples] = samples_size(shape)?;
    expect_size("the list of spatial filters", n_bands, bands.len())?;
    let n_filters = bands.first().map_or(0, Matrix::n_rows);
    for filters in bands {
        expect_size("the spatial filters", n_channels, filters.n_cols())?;
        expect_size("the number of spatial filters", n_filters.max(1), filters.n_rows())?;
    }
    let samples = vec![Samples::zeros(n_filters, n_samples); n_bands];
    let runtime = Filtered { bands: bands.to_vec(), samples };
    Ok((Box::new(runtime), Shape::Samples { n_bands, n_channels: n_filters, n_samples }))
}

impl Transformer for Filtered {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Samples(windows) = input else { return View::Samples(&[]) };
        for ((filters, out), window) in self.bands.iter().zip(&mut self.samples).zip(windows) {
            filter_into(filters, &window.as_planar(), out.as_mut_slice());
        }
        View::Samples(&self.samples)
    }
}

/// Samples as one vector.
struct Flat {
    vector: Vec<f64>,
}

/// Plans samples as one vector.
pub(super) fn plan_flat(shape: Shape) -> Result<Planned, ModelError> {
    let n_values = samples_size(shape)?.iter().product();
    Ok((Box::new(Flat { vector: vec![0.0; n_values] }), Shape::Vector(n_values)))
}

impl Transformer for Flat {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Samples(windows) = input else { return nothing(&mut self.vector) };
        let channels = windows.iter().flat_map(|window| {
            let window = window.as_planar();
            (0..window.n_channels()).map(move |c| window.channel(c))
        });
        let mut rest = self.vector.as_mut_slice();
        for channel in channels {
            let (part, next) = rest.split_at_mut(channel.len());
            part.copy_from_slice(channel);
            rest = next;
        }
        View::Vector(&self.vector)
    }
}

impl Trca {
    /// Fits to the examples at `chosen`, as far as they are of its classes.
    fn fit_to(&self, training: &Training<'_>, chosen: &[usize]) -> Result<TrcaModel, FitError> {
        let classes = self.classes_of(training.n_classes)?;
        let place = |j: &usize| classes.iter().position(|c| *c == training.labels[*j].index());
        let used: Vec<(usize, ClassIdx)> =
            chosen.iter().filter_map(|j| Some((*j, ClassIdx(place(j)? as u8)))).collect();
        let labels: Vec<_> = used.iter().map(|(_, label)| *label).collect();
        let windows: Vec<Vec<Planar<'_>>> = (0..training.n_bands())
            .map(|band| {
                let all = training.samples(band);
                used.iter().map(|(j, _)| all[*j]).collect()
            })
            .collect();
        let bands: Vec<&[Planar<'_>]> = windows.iter().map(Vec::as_slice).collect();
        // Numbered anew, so that the error names the class as the configuration does.
        self.params().fit(&bands, &labels, classes.len()).map_err(|error| match error {
            FitError::TooFewExamples { class, n_examples, n_needed } => {
                FitError::TooFewExamples { class: classes[class], n_examples, n_needed }
            }
            other => other,
        })
    }

    /// Fits to all examples.
    pub(in crate::pipeline) fn fit(&self, training: &Training<'_>) -> Result<TrcaModel, FitError> {
        self.fit_to(training, &(0..training.labels.len()).collect::<Vec<_>>())
    }

    fn classes_of(&self, n_classes: usize) -> Result<Vec<usize>, FitError> {
        let Some(classes) = &self.classes else { return Ok((1..n_classes).collect()) };
        match classes.iter().find(|class| usize::from(**class) >= n_classes) {
            None => Ok(classes.iter().map(|class| usize::from(*class)).collect()),
            Some(class) => Err(FitError::BadParameter {
                name: "class",
                found: f64::from(*class),
                allowed: "a class of the configuration",
            }),
        }
    }

    /// The scores of every example, by components that were fitted without it and without
    /// what shares a sample with its block.
    pub(in crate::pipeline) fn left_out(
        &self,
        training: &Training<'_>,
    ) -> Result<Vec<Value>, FitError> {
        let blocks = self.blocks(training);
        let n_blocks = blocks.iter().max().map_or(0, |last| last + 1);
        let mut scores = vec![None; blocks.len()];
        for block in 0..n_blocks {
            let of_block = |j: &usize| blocks[*j] == block;
            let inside: Vec<_> = (0..blocks.len()).filter(of_block).collect();
            let is_apart = |j: &usize| {
                let span = &training.spans[*j];
                !of_block(j) && !inside.iter().any(|k| training.spans[*k].overlaps(span))
            };
            let outside: Vec<_> = (0..blocks.len()).filter(is_apart).collect();
            let model = self.fit_to(training, &outside).map_err(|error| match error {
                // Counted in what is left of the class, it would name fewer than there are.
                FitError::TooFewExamples { .. } => FitError::NoBlocksApart { n_blocks },
                other => other,
            })?;
            let shape = training.views[inside[0]].shape();
            let (mut runtime, _) = plan_trca(&model, shape)?;
            for j in inside {
                scores[j] = Some(runtime.apply(training.views[j]).to_value());
            }
        }
        Ok(scores.into_iter().flatten().collect())
    }

    /// The block of every example: those of a class in time order, cut into equal parts.
    fn blocks(&self, training: &Training<'_>) -> Vec<usize> {
        let count = |class: usize| training.labels.iter().filter(|l| l.index() == class).count();
        let counts: Vec<_> = (0..training.n_classes).map(count).collect();
        let rarest = counts.iter().copied().filter(|n| *n > 0).min().unwrap_or(N_NEEDED);
        let n_blocks = self.splits.min(rarest).max(1);
        let mut seen = vec![0; training.n_classes];
        let block = |label: &ClassIdx| {
            let rank = seen[label.index()];
            seen[label.index()] += 1;
            rank * n_blocks / counts[label.index()]
        };
        training.labels.iter().map(block).collect()
    }
}

/// Task-related components.
struct Components {
    runtime: TrcaRuntime,
    vector: Vec<f64>,
}

/// Plans scores of task-related components.
pub(super) fn plan_trca(model: &TrcaModel, shape: Shape) -> Result<Planned, ModelError> {
    let [n_bands, n_channels, n_samples] = samples_size(shape)?;
    expect_size("the bands of the components", n_bands, model.bands.len())?;
    let n_classes = model.bands.first().map_or(0, |band| band.templates.len());
    for band in &model.bands {
        expect_size("the classes of the components", n_classes.max(1), band.templates.len())?;
        expect_size("the list of components", n_classes, band.filters.n_rows())?;
        expect_size("a component", n_channels, band.filters.n_cols())?;
        for template in &band.templates {
            expect_size("the channels of a mean response", n_channels, template.n_rows())?;
            expect_size("a mean response", n_samples, template.n_cols())?;
        }
    }
    let runtime = Components { runtime: model.plan(), vector: vec![0.0; n_classes] };
    Ok((Box::new(runtime), Shape::Vector(n_classes)))
}

impl Transformer for Components {
    fn apply<'a>(&'a mut self, input: View<'a>) -> View<'a> {
        let View::Samples(windows) = input else { return nothing(&mut self.vector) };
        let windows = windows.iter().map(Samples::as_planar);
        self.runtime.scores_of_into(windows, &mut self.vector);
        View::Vector(&self.vector)
    }
}
