//! Networks of pipelines: on which device, and who trains them; `mindloop devices` and
//! `mindloop verify-device`.

use super::args::VerifyDeviceArgs;
use anyhow::{Result, anyhow};
use decoding::pipeline::network::Networks;
use decoding::pipeline::{FittedPipeline, Pipeline};
use std::process::ExitCode;
use std::sync::Arc;

/// Where networks are computed if nothing is said.
pub const CPU: &str = "cpu";

/// Gives a pipeline's networks the device; one without networks is what it was.
pub fn on_device(pipeline: Pipeline, networks: Option<&Arc<dyn Networks>>) -> Result<Pipeline> {
    match networks {
        Some(networks) => {
            let name = pipeline.name.clone();
            let bound = pipeline.with_networks(networks);
            bound.map_err(|why| anyhow!("the step `network` of {name}: {why}"))
        }
        None => Ok(pipeline),
    }
}

/// Gives a model's networks the device.
pub fn model_on_device(
    decoder: FittedPipeline,
    networks: Option<&Arc<dyn Networks>>,
) -> Result<FittedPipeline> {
    match networks {
        Some(networks) => {
            decoder.with_networks(networks).map_err(|why| anyhow!("the model's network: {why}"))
        }
        None => Ok(decoder),
    }
}

#[cfg(feature = "neural")]
mod built_in {
    use super::{Arc, ExitCode, Networks, Result, VerifyDeviceArgs};
    use crate::cli::text::say;
    use acquisition::text::printable;
    use indicatif::{ProgressBar, ProgressStyle};
    use models::backend::Device;
    use models::decoder::Neural;
    use models::verify::differences;
    use std::fmt::Write as _;

    /// Largest difference of a network's outputs from the CPU's that counts as none: single
    /// precision, summed in another order through some layers.
    const TOLERANCE: f64 = 1e-3;

    /// Who fits and runs networks on a device; with a bar for the epochs of a `training`.
    pub fn networks(device: &str, has_bar: bool) -> Result<Option<Arc<dyn Networks>>> {
        let device: Device = device.parse()?;
        device.check()?;
        let mut neural = Neural { device, watch: None };
        if has_bar {
            let bar = ProgressBar::new(0);
            let style = "{bar:30} epoch {pos}/{len}, {msg}, {eta} left";
            bar.set_style(ProgressStyle::with_template(style).expect("a valid template"));
            neural.watch = Some(Box::new(move |epoch, n_epochs| {
                bar.set_length(n_epochs as u64);
                bar.set_position(epoch.number as u64);
                let (loss, accuracy) = match (epoch.validation_loss, epoch.validation_accuracy) {
                    (Some(loss), Some(accuracy)) => (loss, accuracy),
                    _ => (epoch.training_loss, epoch.training_accuracy),
                };
                bar.set_message(format!("loss {loss:.3}, {:.0} % right", 100.0 * accuracy));
            }));
        }
        Ok(Some(Arc::new(neural)))
    }

    /// Runs `mindloop devices`.
    pub fn devices() -> Result<ExitCode> {
        let mut text = String::new();
        for device in Device::KINDS {
            let state = if device.is_compiled_in() {
                device.check().map_or_else(|error| error.to_string(), |()| "can be used".to_owned())
            } else {
                let error = models::backend::DeviceError::NotCompiledIn(device);
                error.to_string()
            };
            writeln!(text, "{:<8} {}", device.to_string(), printable(&state))?;
        }
        say(text)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Runs `mindloop verify-device`.
    pub fn verify(args: &VerifyDeviceArgs) -> Result<ExitCode> {
        let device: Device = args.device.parse()?;
        let (mut text, mut is_equal) = (String::new(), true);
        for (kind, difference) in differences(device)? {
            writeln!(text, "{kind:<10} largest difference {difference:.1e}")?;
            is_equal &= difference <= TOLERANCE;
        }
        let verdict = if is_equal { "the same as" } else { "NOT the same as" };
        writeln!(
            text,
            "{device} computes {verdict} the CPU (to {TOLERANCE:e} of the largest output)"
        )?;
        say(text)?;
        Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

#[cfg(not(feature = "neural"))]
mod built_in {
    use super::{Arc, ExitCode, Networks, Result, VerifyDeviceArgs};
    use anyhow::bail;

    const NONE: &str = "this build has no networks: build it with `--features neural`";

    pub fn networks(device: &str, _has_bar: bool) -> Result<Option<Arc<dyn Networks>>> {
        if device == "cpu" { Ok(None) } else { bail!("{NONE}") }
    }

    pub fn devices() -> Result<ExitCode> {
        bail!("{NONE}")
    }

    pub fn verify(_: &VerifyDeviceArgs) -> Result<ExitCode> {
        bail!("{NONE}")
    }
}

pub use self::built_in::{devices, networks, verify};
