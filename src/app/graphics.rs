//! What this machine can draw with: asked before Bevy is, so that a missing
//! driver or display is a sentence and not a panic.

use bevy::app::AppExit;
use bevy::prelude::*;
use bevy::render::error_handler::{ErrorType, RenderErrorHandler, RenderErrorPolicy};
use bevy::render::settings::{RenderCreation, WgpuSettings};
use std::path::Path;

/// Why nothing can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GraphicsError {
    /// There is no graphics adapter, not even a software one.
    #[error(
        "no Vulkan driver was found, so nothing can be drawn. Install one (Debian, Ubuntu: \
         mesa-vulkan-drivers; Fedora: mesa-vulkan-drivers; Arch: vulkan-swrast) or start through \
         scripts/run, which does. `train`, `gradient`, `surface` and `data` work without it"
    )]
    NoAdapter,
    /// There is nowhere to open a window.
    #[error("{0}. `gradscape capture` renders pictures without a display")]
    NoDisplay(String),
}

/// The adapter that will be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adapter {
    /// Its name.
    pub name: String,
    /// Whether it is a processor pretending.
    pub software: bool,
}

/// Finds the best adapter.
pub fn find_adapter() -> Result<Adapter, GraphicsError> {
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::PRIMARY,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    });
    let adapters = bevy::tasks::block_on(instance.enumerate_adapters(wgpu::Backends::PRIMARY));
    let rank = |kind: wgpu::DeviceType| match kind {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    };
    let best = adapters
        .iter()
        .map(|a| a.get_info())
        .min_by_key(|info| rank(info.device_type));
    best.map(|info| Adapter {
        software: info.device_type == wgpu::DeviceType::Cpu,
        name: info.name,
    })
    .ok_or(GraphicsError::NoAdapter)
}

/// Whether a window can be opened, as far as can be told without opening one.
pub fn find_display() -> Result<(), GraphicsError> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let set = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
    if cfg!(feature = "wayland") && set("WAYLAND_DISPLAY").is_some() {
        return Ok(());
    }
    let no_display = |why: String| Err(GraphicsError::NoDisplay(why));
    match set("DISPLAY") {
        Some(display) => match local_socket(&display) {
            Some(socket) if !Path::new(&socket).exists() => no_display(format!(
                "DISPLAY is {display}, but no X server listens there"
            )),
            _ => Ok(()),
        },
        None if set("WAYLAND_DISPLAY").is_some() => no_display(
            "this is a Wayland session without XWayland; install xwayland, or build with \
             --features wayland"
                .to_owned(),
        ),
        None => {
            no_display("there is no display (neither DISPLAY nor WAYLAND_DISPLAY is set)".into())
        }
    }
}

/// The socket of a display on this machine such as `:0` or `:1.0`.
fn local_socket(display: &str) -> Option<String> {
    let number = display
        .strip_prefix("unix:")
        .or_else(|| display.strip_prefix(':'))?;
    let number = number.split('.').next()?;
    number
        .parse::<u32>()
        .ok()
        .map(|n| format!("/tmp/.X11-unix/X{n}"))
}

/// What to do when the graphics device is lost (a driver update, a reset, a
/// laptop changing cards): ask for another one and go on; training is not
/// touched. Anything else ends the program with a message.
pub(super) fn error_handler() -> RenderErrorHandler {
    RenderErrorHandler(|error, main_world, _| match error.ty {
        ErrorType::DeviceLost => {
            warn!(
                "the graphics device was lost ({}); asking for it again",
                error.description
            );
            RenderErrorPolicy::Recover(RenderCreation::Automatic(Box::<WgpuSettings>::default()))
        }
        _ => {
            error!(
                "drawing failed: {}. Update the graphics driver, or draw less (fewer connections, \
                 a smaller window)",
                error.description
            );
            main_world.write_message(AppExit::error());
            RenderErrorPolicy::StopRendering
        }
    })
}

#[cfg(test)]
mod tests {
    use super::local_socket;

    #[test]
    fn local_displays_have_a_socket_and_remote_ones_do_not() {
        assert_eq!(local_socket(":0").as_deref(), Some("/tmp/.X11-unix/X0"));
        assert_eq!(local_socket(":12.1").as_deref(), Some("/tmp/.X11-unix/X12"));
        assert_eq!(local_socket("host:0"), None);
    }
}
