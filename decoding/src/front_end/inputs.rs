//! Which channels of a stream come in: those decoded from, and those that they are cleaned
//! by.

use super::PlanError;
use super::graph::Inputs;
use super::step::SignalStep;
use acquisition::signal::{ChannelKind, StreamInfo};

/// The inputs by their labels.
pub(super) fn named_inputs(info: &StreamInfo, inputs: &[usize], n_picked: usize) -> Inputs {
    let labels = inputs.iter().map(|&c| info.channels[c].label.clone()).collect();
    Inputs { labels, n_picked }
}

/// The channels of the stream that some steps read beside those decoded from, each once.
pub(super) fn channels_beside<'a>(
    info: &StreamInfo,
    picks: &[usize],
    steps: impl IntoIterator<Item = &'a SignalStep>,
) -> Result<Vec<usize>, PlanError> {
    let is_named = |c: &usize, label: &str| info.channels[*c].label.eq_ignore_ascii_case(label);
    let mut beside = Vec::new();
    for step in steps {
        let SignalStep::EogRegression(step) = step else { continue };
        let Some(labels) = &step.channels else {
            beside.extend(eog_channels_of(info)?);
            continue;
        };
        for label in labels {
            if picks.iter().any(|c| is_named(c, label)) {
                continue;
            }
            let found = (0..info.n_channels()).find(|c| is_named(c, label));
            beside.push(found.ok_or_else(|| PlanError::NoSuchChannel {
                label: label.clone(),
                n_channels: info.n_channels(),
            })?);
        }
    }
    beside.sort_unstable();
    beside.dedup();
    Ok(beside)
}

/// All channels of the kind EOG.
pub(super) fn eog_channels_of(info: &StreamInfo) -> Result<Vec<usize>, PlanError> {
    let is_eog = |c: &usize| info.channels[*c].kind == ChannelKind::Eog;
    let found: Vec<_> = (0..info.n_channels()).filter(is_eog).collect();
    if found.is_empty() { Err(PlanError::NoEog) } else { Ok(found) }
}
