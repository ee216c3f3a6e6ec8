//! The sources inside the head: 1/f background, occipital alpha, and the
//! sensorimotor rhythms of the two hand areas, which imagery weakens.

use super::config::{Modality, SimulatorConfig};
use super::head::{self, Depth, Dipole, Vec3};
use super::mixer::Mixer;
use super::noise::{Dice, Pink, PinkState, Rhythm};
use super::schedule::{Engagement, N_CLASSES};
use crate::montage::{HEAD_RADIUS_M, TEN_TEN};
use crate::time::SampleRate;

/// Background sources; more make the background's covariance smoother.
const N_BACKGROUND: usize = 48;
/// Power density of the background at 10 Hz, mean over the 64 electrodes, in uV^2/Hz.
const BACKGROUND_DENSITY_10HZ: f64 = 2.0;
/// Distance of cortical sources from the centre, as a part of the head's radius.
const CORTEX: f64 = 0.83;
/// Part of a sensorimotor rhythm's amplitude that imagery of the other side's hand
/// takes away, at separability 1.
const CONTRALATERAL_LOSS: f64 = 0.85;
/// The same for the hand of the same side: what makes any task differ from idle.
const IPSILATERAL_LOSS: f64 = 0.35;

/// Which hemisphere's hand area drives a rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Area {
    LeftHand,
    RightHand,
    Occipital,
}

impl Area {
    /// The part of the amplitude lost in imagery of class 0 (left hand) and 1 (right).
    fn loss(self) -> [f64; N_CLASSES] {
        match self {
            Self::LeftHand => [IPSILATERAL_LOSS, CONTRALATERAL_LOSS],
            Self::RightHand => [CONTRALATERAL_LOSS, IPSILATERAL_LOSS],
            Self::Occipital => [0.0; N_CLASSES],
        }
    }
}

/// A rhythm as the literature describes it: where, and how strong at the electrode
/// above. `Area::LeftHand` is the hand area of the *left* hemisphere.
struct Template {
    area: Area,
    under: &'static str,
    freq_hz: f64,
    width_hz: f64,
    rms_uv: f64,
}

/// # Reference
/// Pfurtscheller and Lopes da Silva (1999), doi:10.1016/S1388-2457(99)00141-8, for the
/// places, bands and contralateral weakening of the rhythms.
const RHYTHMS: [Template; 9] = [
    rhythm(Area::LeftHand, "C3", 11.0, 2.5, 7.0),
    rhythm(Area::LeftHand, "CP3", 11.0, 2.5, 4.0),
    rhythm(Area::LeftHand, "C3", 20.0, 5.0, 3.5),
    rhythm(Area::RightHand, "C4", 11.0, 2.5, 7.0),
    rhythm(Area::RightHand, "CP4", 11.0, 2.5, 4.0),
    rhythm(Area::RightHand, "C4", 20.0, 5.0, 3.5),
    rhythm(Area::Occipital, "O1", 10.0, 1.5, 8.0),
    rhythm(Area::Occipital, "O2", 10.0, 1.5, 8.0),
    rhythm(Area::Occipital, "POz", 10.0, 1.5, 4.0),
];

const fn rhythm(
    area: Area,
    under: &'static str,
    freq_hz: f64,
    width_hz: f64,
    rms_uv: f64,
) -> Template {
    Template { area, under, freq_hz, width_hz, rms_uv }
}

#[derive(Debug)]
struct RhythmSource {
    rhythm: Rhythm,
    engagement: Engagement,
    loss: [f64; N_CLASSES],
}

/// All sources of the head with what they do now.
#[derive(Debug)]
pub(super) struct Brain {
    mixer: Mixer,
    pink: Pink,
    background: Vec<PinkState>,
    rhythms: Vec<RhythmSource>,
    background_dice: Dice,
    rhythm_dice: Dice,
}

impl Brain {
    /// The head of `head_dice` at the start of a run.
    pub fn new(
        config: &SimulatorConfig,
        rate: SampleRate,
        head_dice: &mut Dice,
        mut background_dice: Dice,
        mut rhythm_dice: Dice,
    ) -> Self {
        let (modality, n_channels) = (config.modality, config.n_channels);
        let mut mixer = Mixer::new(n_channels);
        let pink = Pink::new(rate.hz());
        for dipole in background_dipoles(head_dice) {
            mixer.push(&dipole.seen_by(modality, n_channels));
        }
        let background = (0..N_BACKGROUND).map(|_| pink.start(&mut background_dice)).collect();
        // One frequency per person, as rhythms of the two sides share theirs.
        let detune = [0.5, 0.5, 1.0].map(|hz| head_dice.between(-hz, hz));
        let rhythms = RHYTHMS
            .iter()
            .map(|t| {
                mixer.push(&rhythm_column(t, modality, n_channels, head_dice));
                let shift =
                    if t.area == Area::Occipital { 0 } else { 1 + usize::from(t.freq_hz > 15.0) };
                let freq_hz = t.freq_hz + detune[shift];
                RhythmSource {
                    rhythm: Rhythm::new(freq_hz, t.width_hz, rate.hz(), &mut rhythm_dice),
                    engagement: Engagement::new(rate),
                    loss: t.area.loss().map(|loss| config.separability * loss),
                }
            })
            .collect();
        Self { mixer, pink, background, rhythms, background_dice, rhythm_dice }
    }

    /// Adds what the sensors see of the next instant, during the task of `class`.
    pub fn add_to(&mut self, frame: &mut [f32], class: Option<usize>) {
        for (k, state) in self.background.iter_mut().enumerate() {
            let value = self.pink.next(state, &mut self.background_dice);
            self.mixer.add(frame, k, value);
        }
        for (k, source) in self.rhythms.iter_mut().enumerate() {
            let loss = source.engagement.next(class.map_or(0.0, |class| source.loss[class]));
            let value = (1.0 - loss) * source.rhythm.next(&mut self.rhythm_dice);
            self.mixer.add(frame, N_BACKGROUND + k, value);
        }
    }
}

/// Dipoles of any direction anywhere in the outer part of the upper head, together
/// as strong as [`BACKGROUND_DENSITY_10HZ`] asks (one source has a density of 0.1).
fn background_dipoles(dice: &mut Dice) -> Vec<Dipole> {
    let dipoles: Vec<Dipole> = (0..N_BACKGROUND)
        .map(|_| {
            let mut place = unit_normal(dice);
            if place[2] < -0.3 {
                place = head::scaled(place, -1.0);
            }
            let reach = dice.between(0.6, CORTEX) * HEAD_RADIUS_M;
            let position_m = head::scaled(place, reach);
            Dipole { position_m, moment_am: unit_normal(dice), depth: Depth::UnderSkull }
        })
        .collect();
    let square = |label: &&str| -> f64 {
        dipoles.iter().map(|d| d.potential_uv(head::electrode(label)).powi(2)).sum()
    };
    let mean_square = TEN_TEN.iter().map(square).sum::<f64>() / TEN_TEN.len() as f64;
    let gain = (BACKGROUND_DENSITY_10HZ / 0.1 / mean_square).sqrt();
    dipoles
        .into_iter()
        .map(|d| Dipole { moment_am: head::scaled(d.moment_am, gain), ..d })
        .collect()
}

/// What the sensors see of a rhythm of unit variance. The dipole lies near the place
/// under its electrode and points outwards and forwards, as in the wall of a gyrus:
/// the outward part is seen by EEG alone, the forward part by MEG too.
fn rhythm_column(t: &Template, modality: Modality, n_channels: usize, dice: &mut Dice) -> Vec<f64> {
    let above = head::electrode(t.under);
    let place = head::unit(head::sum(head::unit(above), head::scaled(unit_normal(dice), 0.06)));
    let sideways = head::unit(head::cross(place, [0.0, 0.0, 1.0]));
    let forward = head::cross(sideways, place);
    let tilt = dice.between(0.4, 0.8);
    let moment_am = head::sum(place, head::scaled(forward, tilt));
    let position_m = head::scaled(place, CORTEX * HEAD_RADIUS_M);
    let size_uv = t.rms_uv * dice.between(0.85, 1.15);
    Dipole { position_m, moment_am, depth: Depth::UnderSkull }
        .sized(above, size_uv)
        .seen_by(modality, n_channels)
}

/// A direction without preference.
fn unit_normal(dice: &mut Dice) -> Vec3 {
    head::unit([dice.normal(), dice.normal(), dice.normal()])
}
