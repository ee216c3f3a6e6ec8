use super::*;

fn info(channels: Vec<ChannelInfo>) -> StreamInfo {
    StreamInfo {
        name: "Cap".into(),
        kind: "EEG".into(),
        source_id: "cap-1".into(),
        host: String::new(),
        rate: SampleRate::new(250.0).unwrap(),
        channels,
        simulated: true,
    }
}

/// A description as a sender gives it: with the fields that serving fills in.
fn served_xml(declared: &::lsl::StreamInfo) -> String {
    ::lsl::StreamOutlet::new(declared, 0, 1).unwrap().info().unwrap().to_xml().unwrap()
}

#[test]
fn what_is_written_is_read() {
    let channel = |label: &str, kind, unit, position_m| ChannelInfo {
        label: label.into(),
        kind,
        unit,
        position_m,
    };
    let mut written = info(vec![
        channel("C3", ChannelKind::Eeg, Unit::Microvolt, Some([-0.0625, 0.0, 0.5])),
        channel("<&\"'>", ChannelKind::Eog, Unit::Microvolt, None),
        channel("MEG 0113", ChannelKind::MegGrad, Unit::FemtoteslaPerCm, None),
        channel("MEG 0111", ChannelKind::MegMag, Unit::Femtotesla, None),
        channel("aux", ChannelKind::Misc, Unit::Unknown, None),
        channel("STATUS", ChannelKind::Status, Unit::Unknown, None),
    ]);
    let read = read(&served_xml(&write(&written).unwrap())).unwrap();
    written.host.clone_from(&read.info.host);
    assert_eq!(read.info, written);
    assert_eq!(read.scales, [1.0; 6]);
}

#[test]
fn units_in_all_their_spellings() {
    use ChannelKind::{Eeg, MegGrad, MegMag, Misc};
    let micro = |scale| Some((Unit::Microvolt, scale));
    for text in ["uV", "µV", "\u{3bc}V", "microvolts", "microvolt", "Microvolts", "microV", "uv"] {
        assert_eq!(read_unit(text, Eeg), micro(1.0), "{text}");
    }
    assert_eq!(read_unit("V", Eeg), micro(1e6));
    assert_eq!(read_unit("volts", Misc), micro(1e6));
    assert_eq!(read_unit("mV", Eeg), micro(1e3));
    assert_eq!(read_unit("nV", Eeg), micro(1e-3));
    assert_eq!(read_unit("-6", Eeg), micro(1.0));
    assert_eq!(read_unit("0", Eeg), micro(1e6));
    assert_eq!(read_unit("T", MegMag), Some((Unit::Femtotesla, 1e15)));
    assert_eq!(read_unit("fT", MegMag), Some((Unit::Femtotesla, 1.0)));
    assert_eq!(read_unit("pT", MegMag), Some((Unit::Femtotesla, 1e3)));
    let (unit, scale) = read_unit("T/m", MegGrad).unwrap();
    // 1 T/m is 10^15 fT per 100 cm.
    assert!(unit == Unit::FemtoteslaPerCm && (scale / 1e13 - 1.0).abs() < 1e-12);
    assert_eq!(read_unit("fT/cm", MegGrad), Some((Unit::FemtoteslaPerCm, 1.0)));
    for text in ["", "ohm", "MV", "normalized", "T/s", "99", "percent"] {
        assert_eq!(read_unit(text, Eeg), None, "{text}");
    }
}

#[test]
fn a_stream_that_says_nothing_is_left_as_sent() {
    let bare = ::lsl::StreamInfo::new("x", "EEG", 2, 100.0, ChannelFormat::Float32, "").unwrap();
    let read = read(&served_xml(&bare)).unwrap();
    assert_eq!(read.scales, [1.0, 1.0]);
    let second = &read.info.channels[1];
    assert_eq!(
        (second.label.as_str(), second.kind, second.unit),
        ("ch2", ChannelKind::Eeg, Unit::Unknown)
    );
    assert!(!read.info.simulated);
}

#[test]
fn streams_that_cannot_be_used_are_refused() {
    let declare = |n, hz| {
        let info = ::lsl::StreamInfo::new("x", "EEG", n, hz, ChannelFormat::Float32, "").unwrap();
        read(&served_xml(&info))
    };
    for refused in [declare(1, 0.0), declare(4097, 100.0), read("<no>"), read("")] {
        assert!(matches!(refused, Err(SourceError::Unusable(_))), "{refused:?}");
    }
}
