use super::*;

#[test]
fn names_of_devices_are_read_and_written() {
    assert_eq!("cpu".parse(), Ok(Device::Cpu));
    assert_eq!(Device::Cuda(3).to_string(), "cuda:3");
    for text in ["", "gpu", "cuda:", "cuda:x", "cuda:-1", "wgpu:0", "CPU"] {
        assert_eq!(
            text.parse::<Device>(),
            Err(DeviceError::UnknownName(text.to_owned())),
            "{text}"
        );
    }
}

#[test]
fn a_device_that_is_not_compiled_in_is_refused_with_its_feature() {
    for device in Device::KINDS {
        if device.is_compiled_in() {
            continue;
        }
        let error = device.to_string().parse::<Device>().expect_err("not compiled in");
        assert_eq!(error, DeviceError::NotCompiledIn(device));
        assert!(error.to_string().contains(device.feature()), "{error}");
        assert_eq!(device.check(), Err(DeviceError::NotCompiledIn(device)));
    }
}

#[test]
fn the_processor_can_always_be_used() {
    assert!(Device::compiled_in().contains(&Device::Cpu));
    assert_eq!(Device::Cpu.check(), Ok(()));
    assert_eq!(Device::Cpu.run(Probe), Ok(4.0));
}

#[test]
fn devices_compiled_in_work_or_say_why_not() {
    for device in Device::compiled_in() {
        let first = device.check();
        if let Err(error) = &first {
            assert!(matches!(error, DeviceError::Unusable { .. }), "{error}");
            assert!(error.to_string().contains("driver"), "{error}");
        }
        assert_eq!(device.check().is_ok(), first.is_ok(), "{device}");
        assert_eq!(device.run(Probe).is_ok(), first.is_ok(), "{device}");
    }
}

#[test]
fn a_panic_of_a_backend_becomes_an_error() {
    let lost = caught(Device::Cuda(0), || -> u32 { panic!("out of memory") });
    let why = "out of memory".to_owned();
    assert_eq!(lost, Err(DeviceError::Failed { device: Device::Cuda(0), why }));
    assert_eq!(caught(Device::Cuda(0), || 1), Ok(1));
}
