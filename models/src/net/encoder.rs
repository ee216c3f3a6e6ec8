//! Our transformer encoder: patches of sensors and of time are tokens, whatever the
//! montage.
//!
//! 1. Sensors. Each is known by its position alone, a Fourier embedding of it. Either
//!    every sensor keeps tokens of its own, or attention over positions merges all of
//!    them into a few virtual sensors.
//! 2. Patches. A linear layer makes a token of each patch of each (virtual) sensor; what
//!    the sensor is, and optionally when, is added.
//! 3. Spectra. The log-power spectra of windows of one or more patches around it are
//!    added to each token by a linear layer per scale.
//! 4. Blocks of attention, normalised before each part, then a class token or attention
//!    pooling, then the classifier.
//!
//! # Reference
//! Merging by positions: A. Défossez and others (2023), doi 10.1038/s42256-023-00714-5.
//! Spectra at several scales: Y. Li, A. Lou and others: NeuroBOLT (2024),
//! arXiv:2410.05341. Rotary embedding: J. Su and others (2024),
//! doi 10.1016/j.neucom.2023.127063. The composition is ours.

mod spectrum;

use self::spectrum::Spectrum;
use super::attention::{Attention, FeedForward, Rotation};
use super::cost::{Cost, check_counts, check_heads, check_positive, check_probabilities, product};
use super::layers::{Activation, Builder, LayerNorm, Linear, Pass, dropout};
use super::{Geometry, NetError};
use burn::module::{Module, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{Int, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// How a token knows its time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeEmbedding {
    /// Queries and keys are turned by angles that grow with time: only distances count.
    #[default]
    Rotary,
    /// A learned vector for each patch is added to its tokens.
    Learned,
}

/// How tokens become one vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// A further token that stands for the window.
    #[default]
    ClassToken,
    /// A mean of all tokens, weighted by their product with a learned query.
    Attention,
}

/// The numbers of our transformer encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EncoderConfig {
    /// Samples of a patch; what is left over at the window's beginning is not used.
    pub patch_samples: usize,
    /// Virtual sensors that all are merged into; 0 keeps every sensor's own tokens.
    pub n_virtual_sensors: usize,
    /// Spatial frequencies of a position's embedding along each of its three axes.
    pub n_position_frequencies: usize,
    /// Longest wave of that embedding, in metres.
    pub position_wave_metres: f64,
    /// Numbers of a token.
    pub token_size: usize,
    /// Heads of an attention.
    pub n_heads: usize,
    /// Blocks of attention.
    pub n_blocks: usize,
    /// A token is widened so many times between the linear layers of a block.
    pub expansion: usize,
    /// Lengths, in patches, of the windows whose spectra are seen; none for no spectra.
    pub spectrum_scales: Vec<usize>,
    /// Lowest frequencies of a spectrum that are seen, without the mean.
    pub n_spectrum_bins: usize,
    /// How a token knows its time.
    pub time: TimeEmbedding,
    /// How tokens become one vector.
    pub pooling: Pooling,
    /// Subjects that have a token; 0 for no subject token.
    pub n_subjects: usize,
    /// Nonlinearity of the blocks.
    pub activation: Activation,
    /// Part of the values dropped while learning.
    pub drop_probability: f64,
}

impl Default for EncoderConfig {
    fn default() -> Self {
        Self {
            patch_samples: 25,
            n_virtual_sensors: 4,
            n_position_frequencies: 4,
            position_wave_metres: 0.4,
            token_size: 64,
            n_heads: 4,
            n_blocks: 3,
            expansion: 2,
            spectrum_scales: vec![1, 2, 4],
            n_spectrum_bins: 12,
            time: TimeEmbedding::Rotary,
            pooling: Pooling::ClassToken,
            n_subjects: 0,
            activation: Activation::Gelu,
            drop_probability: 0.2,
        }
    }
}

/// Our transformer encoder with its weights.
#[derive(Module, Debug)]
pub struct Encoder<B: Backend> {
    /// Fourier embedding of the montage, `(n_channels, 6 n_position_frequencies)`. It is
    /// not learned: another montage has another.
    embedding: Tensor<B, 2>,
    sensors: Sensors<B>,
    patch: Linear<B>,
    /// `(n_patches, token_size)`.
    times: Option<Param<Tensor<B, 2>>>,
    rotation: Option<Rotation<B>>,
    spectra: Vec<Spectrum<B>>,
    /// `(1, token_size)`.
    class: Option<Param<Tensor<B, 2>>>,
    /// The unknown subject, then each known one, `(n_subjects + 1, token_size)`.
    subjects: Option<Param<Tensor<B, 2>>>,
    blocks: Vec<Block<B>>,
    norm: LayerNorm<B>,
    /// `(token_size,)`.
    query: Option<Param<Tensor<B, 1>>>,
    head: Linear<B>,
    patch_samples: usize,
    n_patches: usize,
    drop_probability: f64,
}

/// What is learned about sensors.
#[derive(Module, Debug)]
pub struct Sensors<B: Backend> {
    /// What each virtual sensor looks for, `(n_virtual_sensors, 6 n_position_frequencies)`.
    queries: Option<Param<Tensor<B, 2>>>,
    /// Of each virtual sensor, `(n_virtual_sensors, token_size)`.
    identities: Option<Param<Tensor<B, 2>>>,
    /// From a position's embedding to a token, without virtual sensors.
    places: Option<Linear<B>>,
}

/// A block that normalises before each of its two parts.
#[derive(Module, Debug)]
pub struct Block<B: Backend> {
    attention_norm: LayerNorm<B>,
    attention: Attention<B>,
    forward_norm: LayerNorm<B>,
    forward: FeedForward<B>,
    #[module(skip)]
    activation: Activation,
    drop_probability: f64,
}

impl<B: Backend> Block<B> {
    fn forward(
        &self,
        x: Tensor<B, 3>,
        rotation: Option<&Rotation<B>>,
        pass: &mut Pass,
    ) -> Tensor<B, 3> {
        let normed = self.attention_norm.forward(x.clone());
        let gathered = self.attention.forward(normed, rotation, pass);
        let x = x + dropout(gathered, self.drop_probability, pass);
        let normed = self.forward_norm.forward(x.clone());
        let made = self.forward.forward(normed, self.activation, pass);
        x + dropout(made, self.drop_probability, pass)
    }
}

impl EncoderConfig {
    fn n_sensors(&self, geometry: Geometry) -> usize {
        if self.n_virtual_sensors == 0 { geometry.n_channels } else { self.n_virtual_sensors }
    }

    fn n_extra_tokens(&self) -> usize {
        usize::from(self.pooling == Pooling::ClassToken) + usize::from(self.n_subjects > 0)
    }

    fn embedding_size(&self) -> usize {
        self.n_position_frequencies.saturating_mul(6)
    }

    fn check(&self, geometry: Geometry) -> Result<(), NetError> {
        check_counts(&[
            ("patch_samples", self.patch_samples),
            ("n_position_frequencies", self.n_position_frequencies),
            ("token_size", self.token_size),
            ("n_heads", self.n_heads),
            ("n_blocks", self.n_blocks),
            ("expansion", self.expansion),
            ("n_spectrum_bins", self.n_spectrum_bins),
            // These two may be 0, and then mean "none".
            ("n_virtual_sensors", self.n_virtual_sensors.max(1)),
            ("n_subjects", self.n_subjects.max(1)),
        ])?;
        check_positive(&[("position_wave_metres", self.position_wave_metres)])?;
        check_probabilities(&[("drop_probability", self.drop_probability)])?;
        check_heads(self.token_size, self.n_heads)?;
        if self.time == TimeEmbedding::Rotary && !(self.token_size / self.n_heads).is_multiple_of(2)
        {
            let why = "a head that is turned needs an even size".to_owned();
            return Err(NetError::BadParameter { name: "token_size", why });
        }
        self.check_patches(geometry)
    }

    fn check_patches(&self, geometry: Geometry) -> Result<(), NetError> {
        let too_short = |what, needed| NetError::TooShort {
            n_samples: geometry.n_samples,
            what,
            needed,
            left: geometry.n_samples,
        };
        if geometry.n_samples < self.patch_samples {
            return Err(too_short("a patch", self.patch_samples));
        }
        for &scale in &self.spectrum_scales {
            check_counts(&[("spectrum_scales", scale)])?;
            let needed = scale.saturating_mul(self.patch_samples);
            if geometry.n_samples / self.patch_samples < scale {
                return Err(too_short("a spectrum", needed));
            }
            if needed / 2 < self.n_spectrum_bins {
                let why = format!("a window of {needed} samples has {} frequencies", needed / 2);
                return Err(NetError::BadParameter { name: "n_spectrum_bins", why });
            }
        }
        Ok(())
    }

    pub(super) fn cost(&self, geometry: Geometry) -> Result<Cost, NetError> {
        self.check(geometry)?;
        let n_patches = geometry.n_samples / self.patch_samples;
        let n_sensors = self.n_sensors(geometry);
        let n_tokens = n_sensors.saturating_mul(n_patches);
        let size = self.token_size;
        let mut cost = Cost::default();
        if self.n_virtual_sensors == 0 {
            cost.linear(n_sensors, self.embedding_size(), size);
        } else {
            cost.parameters(n_sensors.saturating_mul(self.embedding_size() + size));
            let n_used = n_patches * self.patch_samples;
            cost.multiply_adds(product(&[n_sensors, geometry.n_channels, self.embedding_size()]));
            cost.multiply_adds(product(&[n_sensors, geometry.n_channels, n_used]));
        }
        cost.linear(n_tokens, self.patch_samples, size);
        for &scale in &self.spectrum_scales {
            let n_windows = n_sensors.saturating_mul(n_patches / scale);
            let length = scale.saturating_mul(self.patch_samples);
            cost.multiply_adds(product(&[n_windows, length, 2, self.n_spectrum_bins]));
            cost.linear(n_windows, self.n_spectrum_bins, size);
        }
        if self.time == TimeEmbedding::Learned {
            cost.parameters(n_patches.saturating_mul(size));
        }
        if self.n_subjects > 0 {
            cost.parameters((self.n_subjects + 1).saturating_mul(size));
        }
        // The class token, or the query of the pooling.
        cost.parameters(size);
        for _ in 0..self.n_blocks {
            cost.block(n_tokens.saturating_add(self.n_extra_tokens()), size, self.expansion);
        }
        cost.parameters(2 * size);
        if self.pooling == Pooling::Attention {
            cost.multiply_adds(product(&[2, n_tokens + self.n_extra_tokens(), size]));
        }
        cost.linear(1, size, geometry.n_classes);
        Ok(cost)
    }

    pub(super) fn build<B: Backend>(
        &self,
        geometry: Geometry,
        positions: &[[f64; 3]],
        builder: &mut Builder<B>,
    ) -> Result<Encoder<B>, NetError> {
        let Geometry { n_channels, n_samples, n_classes } = geometry;
        if positions.len() != n_channels {
            return Err(NetError::Positions { n_positions: positions.len(), n_channels });
        }
        let n_patches = n_samples / self.patch_samples;
        let size = self.token_size;
        let has_class = self.pooling == Pooling::ClassToken;
        Ok(Encoder {
            embedding: self.embedding(positions, builder.device),
            sensors: self.sensors(builder),
            patch: builder.linear(self.patch_samples, size),
            times: (self.time == TimeEmbedding::Learned)
                .then(|| builder.normal([n_patches, size], 0.02)),
            rotation: (self.time == TimeEmbedding::Rotary)
                .then(|| self.rotation(self.n_sensors(geometry), n_patches, builder.device)),
            spectra: self
                .spectrum_scales
                .iter()
                .map(|&scale| self.spectrum(scale, n_patches, builder))
                .collect(),
            class: has_class.then(|| builder.normal([1, size], 0.02)),
            subjects: (self.n_subjects > 0)
                .then(|| builder.normal([self.n_subjects + 1, size], 0.02)),
            blocks: (0..self.n_blocks).map(|_| self.block(builder)).collect(),
            norm: builder.layer_norm(size),
            query: (!has_class).then(|| builder.normal([size], 0.02)),
            head: builder.linear(size, n_classes),
            patch_samples: self.patch_samples,
            n_patches,
            drop_probability: self.drop_probability,
        })
    }

    fn sensors<B: Backend>(&self, builder: &mut Builder<B>) -> Sensors<B> {
        let (n_virtual, n_embedded) = (self.n_virtual_sensors, self.embedding_size());
        if n_virtual == 0 {
            let places = Some(builder.linear(n_embedded, self.token_size));
            return Sensors { queries: None, identities: None, places };
        }
        Sensors {
            queries: Some(builder.normal([n_virtual, n_embedded], 1.0)),
            identities: Some(builder.normal([n_virtual, self.token_size], 0.02)),
            places: None,
        }
    }

    fn block<B: Backend>(&self, builder: &mut Builder<B>) -> Block<B> {
        let (size, p) = (self.token_size, self.drop_probability);
        let attention = Attention::new(builder, size, self.n_heads, p);
        let mut forward = FeedForward::new(builder, size, self.expansion, p);
        if self.activation == Activation::Selu {
            forward.expand = builder.self_normalising(size, size * self.expansion);
        }
        Block {
            attention_norm: builder.layer_norm(size),
            attention,
            forward_norm: builder.layer_norm(size),
            forward,
            activation: self.activation,
            drop_probability: p,
        }
    }

    fn spectrum<B: Backend>(
        &self,
        scale: usize,
        n_patches: usize,
        builder: &mut Builder<B>,
    ) -> Spectrum<B> {
        let to_token = builder.linear(self.n_spectrum_bins, self.token_size);
        Spectrum::new(scale, self.patch_samples, n_patches, to_token, builder.device)
    }

    /// For each axis and frequency `k`, cosine and sine of `2 pi k x / wave`: of each
    /// position first all cosines, axis by axis, then all sines.
    fn embedding<B: Backend>(&self, positions: &[[f64; 3]], device: &B::Device) -> Tensor<B, 2> {
        let mut values = Vec::with_capacity(positions.len() * self.embedding_size());
        for position in positions {
            let phases = position.iter().flat_map(|x| {
                (1..=self.n_position_frequencies)
                    .map(move |k| TAU * k as f64 * x / self.position_wave_metres)
            });
            values.extend(phases.clone().map(|phase| phase.cos() as f32));
            values.extend(phases.map(|phase| phase.sin() as f32));
        }
        let shape = [positions.len(), self.embedding_size()];
        Tensor::from_data(TensorData::new(values, shape), device)
    }

    /// Tokens before the patches stand at time 0, patches at 1 and on.
    fn rotation<B: Backend>(
        &self,
        n_sensors: usize,
        n_patches: usize,
        device: &B::Device,
    ) -> Rotation<B> {
        let half = self.token_size / self.n_heads / 2;
        let times = std::iter::repeat_n(0, self.n_extra_tokens())
            .chain((0..n_sensors).flat_map(|_| 1..=n_patches));
        let angles: Vec<f64> = times
            .flat_map(|time| {
                (0..half).map(move |i| time as f64 * 1e4_f64.powf(-(i as f64) / half as f64))
            })
            .collect();
        Rotation::new(&angles, half, self.n_heads, device)
    }
}

impl<B: Backend> Encoder<B> {
    pub(super) fn forward(
        &self,
        x: Tensor<B, 3>,
        subjects: Option<&[usize]>,
        pass: &mut Pass,
    ) -> Tensor<B, 2> {
        let tokens = self.with_extra_tokens(self.tokens(x), subjects);
        let mut tokens = dropout(tokens, self.drop_probability, pass);
        for block in &self.blocks {
            tokens = block.forward(tokens, self.rotation.as_ref(), pass);
        }
        let tokens = self.norm.forward(tokens);
        self.head.forward(self.pool(tokens))
    }

    /// `(batch, n_sensors * n_patches, token_size)`, sensor by sensor.
    fn tokens(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let [n_batch, n_channels, n_samples] = x.dims();
        let n_used = self.n_patches * self.patch_samples;
        let x = self.merge(x.narrow(2, n_samples - n_used, n_used));
        let n_sensors = x.dims()[1];
        debug_assert!(self.sensors.queries.is_some() || n_sensors == n_channels);
        let patches = x.reshape([n_batch, n_sensors, self.n_patches, self.patch_samples]);
        let mut tokens = self.patch.forward(patches.clone());
        for spectrum in &self.spectra {
            tokens = tokens + spectrum.forward(patches.clone());
        }
        let size = tokens.dims()[3];
        let identities = match (&self.sensors.places, &self.sensors.identities) {
            (Some(places), _) => places.forward(self.embedding.clone()),
            (None, Some(identities)) => identities.val(),
            (None, None) => Tensor::zeros([n_sensors, size], &tokens.device()),
        };
        tokens = tokens + identities.reshape([1, n_sensors, 1, size]);
        if let Some(times) = &self.times {
            tokens = tokens + times.val().reshape([1, 1, self.n_patches, size]);
        }
        tokens.reshape([n_batch, n_sensors * self.n_patches, size])
    }

    /// Virtual sensors, where there are some: means of all, weighted by
    /// `softmax(query . embedding / sqrt(embedding_size))`.
    fn merge(&self, x: Tensor<B, 3>) -> Tensor<B, 3> {
        let Some(queries) = &self.sensors.queries else { return x };
        let [n_batch, n_channels, _] = x.dims();
        let [n_virtual, n_embedded] = queries.dims();
        let scores = queries.val().matmul(self.embedding.clone().transpose());
        let weights = activation::softmax(scores / (n_embedded as f64).sqrt(), 1);
        let weights = weights.reshape([1, n_virtual, n_channels]);
        weights.expand([n_batch, n_virtual, n_channels]).matmul(x)
    }

    /// The class token, then the subject's, then the rest.
    fn with_extra_tokens(&self, x: Tensor<B, 3>, subjects: Option<&[usize]>) -> Tensor<B, 3> {
        let [n_batch, _, size] = x.dims();
        let mut all = Vec::with_capacity(3);
        if let Some(class) = &self.class {
            all.push(class.val().reshape([1, 1, size]).expand([n_batch, 1, size]));
        }
        if let Some(table) = &self.subjects {
            let rows: Vec<i32> = match subjects {
                Some(subjects) => subjects.iter().map(|&subject| subject as i32).collect(),
                None => vec![0; n_batch],
            };
            let rows =
                Tensor::<B, 1, Int>::from_data(TensorData::new(rows, [n_batch]), &x.device());
            all.push(table.val().select(0, rows).reshape([n_batch, 1, size]));
        }
        all.push(x);
        Tensor::cat(all, 1)
    }

    /// `(batch, n_tokens, token_size)` to `(batch, token_size)`.
    fn pool(&self, tokens: Tensor<B, 3>) -> Tensor<B, 2> {
        let [n_batch, n_tokens, size] = tokens.dims();
        let Some(query) = &self.query else {
            return tokens.narrow(1, 0, 1).reshape([n_batch, size]);
        };
        let scores = (tokens.clone() * query.val().reshape([1, 1, size])).sum_dim(2);
        let weights = activation::softmax(scores / (size as f64).sqrt(), 1);
        debug_assert_eq!(weights.dims(), [n_batch, n_tokens, 1]);
        (tokens * weights).sum_dim(1).reshape([n_batch, size])
    }
}
