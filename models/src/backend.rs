//! Where networks are computed: the one file that names burn's backends.
//!
//! Everything else is generic over [`Backend`]. A [`Device`] is chosen at run time among
//! those compiled in, and code that is generic over a backend runs on it as a [`Job`].
//!
//! `cpu` is always there: pure Rust, and the same bits from run to run. `cuda` and `wgpu`
//! are features of this package. They load the machine's driver when a device of theirs
//! is first used, so a missing driver is told by [`Device::check`], not by a failed build.

use burn::backend::flex::FlexDevice;
use burn::backend::{Autodiff, Flex};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Tensor, TensorData};
use std::any::Any;
use std::fmt;
use std::panic;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

#[cfg(test)]
mod tests;

/// The CPU without gradients: what decides.
pub type Cpu = Flex;
/// The CPU with gradients: what is trained.
pub type CpuTraining = Autodiff<Flex>;

/// Where both of them compute.
pub const PROCESSOR: FlexDevice = FlexDevice;

/// A device that networks can be computed on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Device {
    /// The processor, on the calling thread.
    #[default]
    Cpu,
    /// A graphics card of NVIDIA, by its index from 0.
    Cuda(usize),
    /// A graphics card through Vulkan, Metal or Direct3D, whichever wgpu finds first.
    Wgpu,
}

/// Why a device can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeviceError {
    /// Write one of the names listed.
    #[error("no device is called `{0}`: use cpu, cuda, cuda:N or wgpu")]
    UnknownName(String),
    /// Build with the feature, or choose another device.
    #[error("{0} is not compiled in: build with the feature `{feature}`, or use cpu", feature = .0.feature())]
    NotCompiledIn(Device),
    /// Install or repair the driver, or choose another device.
    #[error("{device} can't be used, is its driver installed? ({why})")]
    Unusable {
        /// The device.
        device: Device,
        /// What the backend said.
        why: String,
    },
    /// Use smaller batches or a smaller network; a driver that fails says so here too.
    #[error("the computation on {device} failed ({why})")]
    Failed {
        /// The device.
        device: Device,
        /// What the backend said.
        why: String,
    },
}

/// More of a panic's message is not shown.
const MAX_MESSAGE_CHARS: usize = 200;

/// Code generic over the backend it runs on.
///
/// A function can't be generic over a backend *and* be handed over as a value, so the
/// arguments are fields of a struct and the code is its method.
pub trait Job {
    /// What it gives back.
    type Output;

    /// Runs on `device`. `B` has gradients; `B::InnerBackend` is the same without.
    fn run<B: AutodiffBackend<FloatElem = f32>>(self, device: &B::Device) -> Self::Output;
}

impl Device {
    /// Every kind of device, compiled in or not; of `cuda` the first card.
    pub const KINDS: [Self; 3] = [Self::Cpu, Self::Cuda(0), Self::Wgpu];

    /// The devices compiled in.
    pub fn compiled_in() -> Vec<Self> {
        Self::KINDS.into_iter().filter(|device| device.is_compiled_in()).collect()
    }

    /// Whether this program holds the device's backend.
    pub fn is_compiled_in(self) -> bool {
        match self {
            Self::Cpu => true,
            Self::Cuda(_) => cfg!(feature = "cuda"),
            Self::Wgpu => cfg!(feature = "wgpu"),
        }
    }

    /// Computes a small sum on the device. One that failed stays unusable until the
    /// program is started anew: its backend does not recover.
    ///
    /// # Errors
    /// [`DeviceError::NotCompiledIn`], and [`DeviceError::Unusable`] where the driver or
    /// the card is missing.
    pub fn check(self) -> Result<(), DeviceError> {
        static UNUSABLE: Mutex<Vec<(Device, String)>> = Mutex::new(Vec::new());
        if self == Self::Cpu {
            return Ok(());
        }
        let mut unusable = UNUSABLE.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((device, why)) = unusable.iter().find(|(device, _)| *device == self) {
            return Err(DeviceError::Unusable { device: *device, why: why.clone() });
        }
        let (result, first_panic) = silently(|| self.run_unchecked(Probe));
        match result {
            Ok(_) => Ok(()),
            Err(DeviceError::Failed { device, why }) => {
                // A backend's own thread may have failed first, and then knows more.
                let why = first_panic.unwrap_or(why);
                unusable.push((device, why.clone()));
                Err(DeviceError::Unusable { device, why })
            }
            Err(other) => Err(other),
        }
    }

    /// Checks the device, then runs `job` on it.
    ///
    /// # Errors
    /// Those of [`Self::check`]; [`DeviceError::Failed`] where a backend of a card gave
    /// up, as it does out of memory. A panic on the CPU is a programmer's error and passes
    /// through.
    pub fn run<J: Job>(self, job: J) -> Result<J::Output, DeviceError> {
        self.check()?;
        self.run_unchecked(job)
    }

    fn run_unchecked<J: Job>(self, job: J) -> Result<J::Output, DeviceError> {
        match self {
            Self::Cpu => Ok(job.run::<CpuTraining>(&PROCESSOR)),
            #[cfg(feature = "cuda")]
            Self::Cuda(index) => {
                use burn::backend::cuda::{Cuda, CudaDevice};
                let device = CudaDevice::new(index);
                caught(self, || job.run::<Autodiff<Cuda<f32, i32>>>(&device))
            }
            #[cfg(feature = "wgpu")]
            Self::Wgpu => {
                use burn::backend::wgpu::{Wgpu, WgpuDevice};
                caught(self, || job.run::<Autodiff<Wgpu<f32, i32>>>(&WgpuDevice::default()))
            }
            #[cfg(not(all(feature = "cuda", feature = "wgpu")))]
            other => Err(DeviceError::NotCompiledIn(other)),
        }
    }

    fn feature(self) -> &'static str {
        match self {
            Self::Cpu => "neural",
            Self::Cuda(_) => "cuda",
            Self::Wgpu => "wgpu",
        }
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu => f.write_str("cpu"),
            Self::Cuda(index) => write!(f, "cuda:{index}"),
            Self::Wgpu => f.write_str("wgpu"),
        }
    }
}

impl FromStr for Device {
    type Err = DeviceError;

    /// `cpu`, `cuda`, `cuda:N` or `wgpu`.
    ///
    /// # Errors
    /// [`DeviceError::UnknownName`], and [`DeviceError::NotCompiledIn`] for a device that
    /// this program can't have.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        let unknown = || DeviceError::UnknownName(text.to_owned());
        let device = match text.split_once(':') {
            None if text == "cpu" => Self::Cpu,
            None if text == "cuda" => Self::Cuda(0),
            None if text == "wgpu" => Self::Wgpu,
            Some(("cuda", index)) => Self::Cuda(index.parse().map_err(|_| unknown())?),
            _ => return Err(unknown()),
        };
        if device.is_compiled_in() { Ok(device) } else { Err(DeviceError::NotCompiledIn(device)) }
    }
}

/// Two and two on a device.
struct Probe;

impl Job for Probe {
    type Output = f32;

    fn run<B: AutodiffBackend<FloatElem = f32>>(self, device: &B::Device) -> f32 {
        let two = TensorData::new(vec![2.0_f32, 2.0], [2]);
        sum::<B::InnerBackend>(two, device)
    }
}

fn sum<B: Backend<FloatElem = f32>>(data: TensorData, device: &B::Device) -> f32 {
    Tensor::<B, 1>::from_data(data, device).sum().into_scalar()
}

/// Runs `work` and makes an error of a panic, which is how backends of cards report a
/// missing driver and a lack of memory.
#[cfg(any(test, feature = "cuda", feature = "wgpu"))]
fn caught<T>(device: Device, work: impl FnOnce() -> T) -> Result<T, DeviceError> {
    panic::catch_unwind(panic::AssertUnwindSafe(work))
        .map_err(|payload| DeviceError::Failed { device, why: message(&*payload) })
}

/// Runs `work`, which catches its panics, and keeps all messages off the terminal. Gives
/// back the first, of whatever thread.
fn silently<T>(work: impl FnOnce() -> T) -> (T, Option<String>) {
    static FIRST: Mutex<Option<String>> = Mutex::new(None);
    let first = || FIRST.lock().unwrap_or_else(PoisonError::into_inner);
    *first() = None;
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        first().get_or_insert_with(|| message(panic.payload()));
    }));
    let result = work();
    panic::set_hook(hook);
    (result, first().take())
}

/// What a panic says, without the lists that some messages end in.
fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next()).unwrap_or("no reason given");
    line.split(" - ").next().unwrap_or(line).chars().take(MAX_MESSAGE_CHARS).collect()
}
