//! The camera of the error surface goes with the ball, at the distance and from
//! the side that the user chose.

use super::labels::ViewCamera;
use super::scene::Ball;
use super::state::{CameraRequest, SceneView, SurfaceRoot, SurfaceView, ViewMode};
use super::surface_hand::Drag;
use bevy::prelude::*;
use bevy_panorbit_camera::PanOrbitCamera;

pub(super) fn plugin(app: &mut App) {
    app.add_systems(
        PostUpdate,
        go_with_ball.before(bevy_panorbit_camera::PanOrbitCameraSystemSet),
    );
}

/// Nearer than this, in the scene, the camera stays.
const STILL: f32 = 1e-3;

/// Whether the user looks elsewhere on purpose: by moving the view by hand, or by
/// asking for all of it or another point of it.
fn looks_elsewhere(panned: bool, requests: &mut MessageReader<CameraRequest>) -> bool {
    // All of them are read, so that none is left for the next frame.
    let asked = requests.read().filter(|request| {
        matches!(
            request,
            CameraRequest::FrameAll | CameraRequest::Reset | CameraRequest::Focus { .. }
        )
    });
    asked.count() > 0 || panned
}

fn go_with_ball(
    mut view: ResMut<SurfaceView>,
    mode: Res<State<ViewMode>>,
    drag: Res<Drag>,
    buttons: Res<ButtonInput<MouseButton>>,
    mut requests: MessageReader<CameraRequest>,
    balls: Query<(&Ball, &Transform, &Visibility)>,
    roots: Query<&Transform, (With<SurfaceRoot>, Without<Ball>)>,
    mut cameras: Query<(&ViewCamera, &mut PanOrbitCamera)>,
    mut aimed_at: Local<Option<Vec3>>,
) {
    let of = match mode.get() {
        ViewMode::Together => SceneView::Network,
        _ => SceneView::Surface,
    };
    let camera = cameras.iter_mut().find(|(camera, _)| camera.0 == of);
    let Some((_, mut orbit)) = camera.filter(|_| view.camera_follows) else {
        *aimed_at = None;
        requests.clear();
        return;
    };
    let pans = buttons.pressed(MouseButton::Right) && orbit.enabled;
    let moved = aimed_at.is_some_and(|at| at.distance(orbit.target_focus) > STILL);
    if looks_elsewhere(pans && moved, &mut requests) {
        view.camera_follows = false;
        return;
    }
    // A view that moves under the hand would carry the ball away from it.
    let ball = balls.iter().find(|(ball, ..)| **ball == Ball::Newest);
    let (Some((_, place, visibility)), Ok(root)) = (ball, roots.single()) else {
        return;
    };
    if *visibility == Visibility::Hidden || drag.is_held() {
        return;
    }
    let focus = root.transform_point(place.translation);
    if focus.is_finite() && orbit.target_focus.distance(focus) > STILL {
        orbit.target_focus = focus;
        orbit.force_update = true;
    }
    *aimed_at = Some(orbit.target_focus);
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::state::app::StatesPlugin;

    fn app() -> App {
        let mut app = App::new();
        app.add_plugins((MinimalPlugins, StatesPlugin, super::super::state::plugin))
            .init_resource::<Drag>()
            .init_resource::<ButtonInput<MouseButton>>()
            .add_plugins(plugin);
        app.world_mut().resource_mut::<SurfaceView>().camera_follows = true;
        app.world_mut()
            .spawn((SurfaceRoot, Transform::from_xyz(0.0, 1.0, 0.0)));
        app.world_mut().spawn((
            Ball::Newest,
            Transform::from_xyz(2.0, 1.5, -1.0),
            Visibility::Inherited,
        ));
        let orbit = PanOrbitCamera {
            target_radius: 12.0,
            ..default()
        };
        app.world_mut()
            .spawn((ViewCamera(SceneView::Surface), orbit));
        app.update();
        app
    }

    fn orbit(app: &mut App) -> Mut<'_, PanOrbitCamera> {
        let mut cameras = app.world_mut().query::<&mut PanOrbitCamera>();
        cameras.single_mut(app.world_mut()).unwrap()
    }

    #[test]
    fn the_camera_looks_at_the_ball_wherever_it_goes_and_keeps_its_distance() {
        let mut app = app();
        assert_eq!(orbit(&mut app).target_focus, Vec3::new(2.0, 2.5, -1.0));
        let mut balls = app.world_mut().query::<(&Ball, &mut Transform)>();
        for (_, mut place) in balls.iter_mut(app.world_mut()) {
            place.translation.x = -3.0;
        }
        app.update();
        let orbit = orbit(&mut app);
        assert_eq!(orbit.target_focus, Vec3::new(-3.0, 2.5, -1.0));
        assert_eq!(orbit.target_radius, 12.0);
    }

    #[test]
    fn a_view_that_is_moved_by_hand_or_asked_for_whole_stays_where_it_is() {
        let follows = |app: &App| app.world().resource::<SurfaceView>().camera_follows;
        let mut panned = app();
        let mut buttons = panned
            .world_mut()
            .resource_mut::<ButtonInput<MouseButton>>();
        buttons.press(MouseButton::Right);
        orbit(&mut panned).target_focus.x += 1.0;
        panned.update();
        assert!(!follows(&panned));
        let mut asked = app();
        asked.world_mut().write_message(CameraRequest::Top);
        asked.update();
        assert!(follows(&asked));
        asked.world_mut().write_message(CameraRequest::FrameAll);
        asked.update();
        assert!(!follows(&asked));
    }
}
