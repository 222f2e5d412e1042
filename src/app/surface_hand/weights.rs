//! Weights that the user puts in place of the run's, and the way back.

use crate::app::training::{Command, NetworkReplaced, Training};
use crate::train::TrainCommand;
use bevy::prelude::*;
use std::sync::Arc;

/// A wish for other weights.
#[derive(Message, Debug, Clone, PartialEq)]
pub enum WeightsWish {
    /// Take these.
    Take {
        /// As many as the network has parameters.
        params: Arc<[f32]>,
        /// Whether the present ones can be had back; not for every move of a hand.
        keep: bool,
    },
    /// Take those back that the last wish replaced.
    Undo,
}

/// Weights that can be taken back, the newest last.
#[derive(Resource, Debug, Default)]
pub struct Earlier(Vec<Arc<[f32]>>);

/// How many are kept.
const MOST: usize = 32;

impl Earlier {
    /// How many moves can be undone.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing to undo.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Remembers weights.
    pub fn keep(&mut self, params: Arc<[f32]>) {
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push(params);
    }
}

pub(super) fn take(
    mut wishes: MessageReader<WeightsWish>,
    mut commands: MessageWriter<Command>,
    mut earlier: ResMut<Earlier>,
    training: Res<Training>,
) {
    for wish in wishes.read() {
        let params = match wish {
            WeightsWish::Take { params, keep } => {
                if *keep {
                    earlier.keep(Arc::clone(training.now_params()));
                }
                Some(Arc::clone(params))
            }
            WeightsWish::Undo => earlier.0.pop(),
        };
        if let Some(params) = params {
            commands.write(Command(TrainCommand::SetParams(params)));
        }
    }
}

/// Another network has other parameters.
pub(super) fn forget(_: On<NetworkReplaced>, mut earlier: ResMut<Earlier>) {
    earlier.0.clear();
}
