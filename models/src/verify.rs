//! Whether a device computes what the CPU does.

use crate::backend::{Device, DeviceError, Job};
use crate::net::layers::Pass;
use crate::net::{
    Geometry, NetworkConfig, basenet, conformer, ctnet, deep4, eegnet, encoder, shallow,
};
use crate::random::Random;
use acquisition::montage::{TEN_TEN, position_m};
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::{Tensor, TensorData};

/// Windows that are compared: the size of BNCI2014-001's.
const GEOMETRY: Geometry = Geometry { n_channels: 22, n_samples: 1001, n_classes: 4 };
const N_WINDOWS: usize = 2;

/// Every network as it is published.
fn all() -> [NetworkConfig; 7] {
    [
        NetworkConfig::Eegnet(eegnet::EegnetConfig::default()),
        NetworkConfig::Shallow(shallow::ShallowConfig::default()),
        NetworkConfig::Deep4(deep4::Deep4Config::default()),
        NetworkConfig::Basenet(basenet::BasenetConfig::default()),
        NetworkConfig::Ctnet(ctnet::CtnetConfig::default()),
        NetworkConfig::Conformer(conformer::ConformerConfig::default()),
        NetworkConfig::Encoder(encoder::EncoderConfig::default()),
    ]
}

/// The largest difference of each network's outputs on `device` from those on the CPU, over
/// the CPU's largest output: random windows, the same weights.
///
/// # Errors
/// Those of [`Device::run`].
pub fn differences(device: Device) -> Result<Vec<(&'static str, f64)>, DeviceError> {
    let difference = |config: &NetworkConfig| {
        let [ours, theirs] = [Device::Cpu, device].map(|device| device.run(Outputs { config }));
        let (ours, theirs) = (ours?, theirs?);
        let largest = ours.iter().fold(f64::MIN_POSITIVE, |most, x| most.max(f64::from(x.abs())));
        let pairs = ours.iter().zip(&theirs);
        let apart = pairs.map(|(a, b)| f64::from((a - b).abs()));
        // A number that is none is as far away as can be.
        let apart =
            apart.fold(0.0, |most: f64, x| if x.is_nan() { f64::INFINITY } else { most.max(x) });
        Ok((config.kind(), apart / largest))
    };
    all().iter().map(difference).collect()
}

/// What a network makes of some windows.
struct Outputs<'a> {
    config: &'a NetworkConfig,
}

impl Job for Outputs<'_> {
    type Output = Vec<f32>;

    fn run<B: AutodiffBackend<FloatElem = f32>>(self, device: &B::Device) -> Vec<f32> {
        let places: Vec<[f64; 3]> =
            TEN_TEN[..GEOMETRY.n_channels].iter().filter_map(|label| position_m(label)).collect();
        let network = self.config.build::<B::InnerBackend>(GEOMETRY, &places, 1, device);
        let network = network.expect("published numbers fit these windows");
        let size = [N_WINDOWS, GEOMETRY.n_channels, GEOMETRY.n_samples];
        let values = Random::new(2, 0).normals(size.iter().product(), 1.0);
        let x = Tensor::<B::InnerBackend, 3>::from_data(TensorData::new(values, size), device);
        network.forward(x, &mut Pass::Infer).into_data().into_vec().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::differences;
    use crate::backend::Device;

    #[test]
    fn the_cpu_is_itself_and_every_network_is_looked_at() {
        let found = differences(Device::Cpu).unwrap();
        let kinds: Vec<_> = found.iter().map(|(kind, _)| *kind).collect();
        let expected = ["eegnet", "shallow", "deep4", "basenet", "ctnet", "conformer", "encoder"];
        assert_eq!(kinds, expected);
        assert!(found.iter().all(|(_, difference)| *difference == 0.0), "{found:?}");
    }
}
