//! What all materials of the scene have in common: each is drawn by one shader
//! of its own, casts no shadow, and has no pass for depth alone.

/// The parts of a [`Material`](bevy::prelude::Material) that are the same for all.
macro_rules! drawn_by {
    ($shader:expr) => {
        fn vertex_shader() -> bevy::shader::ShaderRef {
            $shader.into()
        }

        fn fragment_shader() -> bevy::shader::ShaderRef {
            $shader.into()
        }

        fn enable_prepass() -> bool {
            false
        }

        fn enable_shadows() -> bool {
            false
        }
    };
}

/// Registers a material and its shader, which is compiled into the program.
macro_rules! add_material {
    ($app:ident, $material:ty, $shader:expr, $file:literal) => {
        bevy::asset::load_internal_asset!(
            $app,
            $shader,
            concat!("../../../assets/shaders/", $file, ".wgsl"),
            Shader::from_wgsl
        );
        $app.add_plugins(MaterialPlugin::<$material>::default());
    };
}

pub(super) use {add_material, drawn_by};
