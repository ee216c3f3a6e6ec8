//! The parameters of a network.

use crate::front_end::step::group::{BadParameter, Checked};
use crate::pipeline::network::By;
use serde::{Deserialize, Serialize};

/// A network on the samples of a window: which one, and how it is trained.
///
/// What the tables may hold, who fits them knows ([`crate::pipeline::network`]); what they leave
/// out is as published.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Which: `eegnet`, `shallow`, `deep4`, `basenet`, `ctnet`, `conformer` or `encoder`.
    pub kind: String,
    /// Every so many-th training example is trained on; 1 takes all. Windows that overlap by
    /// most of their length say little that the one before did not.
    pub every: usize,
    /// The part of the training examples that is not trained on but says when to stop: the
    /// last ones of them.
    pub validation: f64,
    /// The numbers of the network.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub network: toml::Table,
    /// The numbers of its training.
    #[serde(skip_serializing_if = "toml::Table::is_empty")]
    pub training: toml::Table,
    /// Who fits and runs it.
    #[serde(skip)]
    pub by: By,
}

impl Default for Network {
    /// `eegnet`; of every third example a fifth is held back.
    fn default() -> Self {
        Self {
            kind: "eegnet".to_owned(),
            every: 3,
            validation: 0.2,
            network: toml::Table::new(),
            training: toml::Table::new(),
            by: By::default(),
        }
    }
}

impl Checked for Network {
    fn check(&self) -> Result<(), BadParameter> {
        if self.every == 0 {
            return Err(BadParameter::new("every", "at least every 1st is trained on"));
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return Err(BadParameter::new("validation", "it is a part from 0 to 0.5"));
        }
        Ok(())
    }
}
