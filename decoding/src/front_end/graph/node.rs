//! A stage at work: frames in, frames out.

use super::clock::Clock;
use super::{Node, Stage, StageSpec};

impl Node {
    pub fn new(
        parent: usize,
        spec: Option<StageSpec>,
        stage: Stage,
        clock: Clock,
        n_channels: usize,
    ) -> Self {
        let frames = vec![0.0; clock.max_frames() * n_channels];
        Self {
            parent,
            spec,
            stage,
            clock,
            delay: 0,
            n_channels,
            is_fresh: true,
            first: 0,
            frames,
            n_frames: 0,
        }
    }

    /// Takes the frames that the node before made of the stream's newest one.
    pub fn process(&mut self, input: &[f64]) {
        self.n_frames = 0;
        if input.is_empty() {
            return;
        }
        let is_fresh = std::mem::take(&mut self.is_fresh);
        if let Stage::Resample(resampler, ticks) = &mut self.stage {
            if is_fresh {
                resampler.start_between(&input[..self.n_channels], *ticks);
            }
            self.n_frames = resampler.process_frames(input, &mut self.frames);
            return;
        }
        match &self.stage {
            // As many channels come out as go in, except here.
            Stage::Pick(_) | Stage::Map(_) | Stage::Eog(..) => {}
            _ => self.frames[..input.len()].copy_from_slice(input),
        }
        let n_in = match &self.stage {
            Stage::Pick(picks) => picks.n_inputs,
            Stage::Map(mapper) => mapper.n_inputs(),
            Stage::Eog(_, _, frame) => frame.len(),
            _ => self.n_channels,
        };
        let outputs = self.frames.chunks_exact_mut(self.n_channels);
        for (k, (input, output)) in input.chunks_exact(n_in).zip(outputs).enumerate() {
            let is_first = is_fresh && k == 0;
            match &mut self.stage {
                Stage::Input | Stage::Resample(..) => {}
                Stage::Filter(filter) => {
                    if is_first {
                        filter.start_at(input);
                    }
                    filter.process_frame(output);
                }
                Stage::Fir(filter) => {
                    if is_first {
                        filter.start_at(input);
                    }
                    filter.process_frame(output);
                }
                Stage::Comb(filter) => {
                    if is_first {
                        filter.start_at(input);
                    }
                    filter.process_frame(output);
                }
                Stage::Map(mapper) => mapper.apply_frame(input, output),
                Stage::Asr(cleaner) => {
                    if is_first {
                        cleaner.restart();
                    }
                    cleaner.process_frame(input, output);
                }
                Stage::Eog(regression, kept, frame) => {
                    frame.copy_from_slice(input);
                    regression.apply_frame(frame);
                    for (value, kept) in output.iter_mut().zip(kept.iter()) {
                        *value = frame[*kept];
                    }
                }
                Stage::Pick(picks) => {
                    for (value, pick) in output.iter_mut().zip(&picks.channels) {
                        *value = input[*pick];
                    }
                }
            }
            self.n_frames += 1;
        }
    }
}
