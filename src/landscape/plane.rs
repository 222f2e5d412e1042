//! A plane through parameter space and the least-squares projection onto it.

/// `c + x u + y v`: a centre and two directions, each as long as the parameter
/// vector. The directions need be neither orthogonal nor of unit length.
#[derive(Debug, Clone, PartialEq)]
pub struct Plane {
    center: Vec<f32>,
    direction_x: Vec<f32>,
    direction_y: Vec<f32>,
    // The Gram matrix [[u.u, u.v], [u.v, v.v]] and its determinant.
    xx: f64,
    xy: f64,
    yy: f64,
    determinant: f64,
}

/// Why three vectors span no plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlaneError {
    /// Not the same number of parameters.
    #[error("centre and directions have different lengths: {0}, {1} and {2}")]
    Lengths(usize, usize, usize),
    /// One direction is zero or a multiple of the other.
    #[error("the two directions span no plane (one is zero, or they are parallel)")]
    Parallel,
}

/// Where a parameter vector lies, seen from a plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projection {
    /// Coordinate along the first direction of the nearest point of the plane.
    pub x: f64,
    /// Coordinate along the second direction.
    pub y: f64,
    /// Distance from the plane, squared.
    pub residual_squared: f64,
    /// Distance from the plane's centre, squared.
    pub distance_squared: f64,
}

impl Plane {
    /// The plane through `center` along two directions.
    pub fn new(
        center: Vec<f32>,
        direction_x: Vec<f32>,
        direction_y: Vec<f32>,
    ) -> Result<Self, PlaneError> {
        let lengths = (center.len(), direction_x.len(), direction_y.len());
        if lengths.0 != lengths.1 || lengths.0 != lengths.2 {
            return Err(PlaneError::Lengths(lengths.0, lengths.1, lengths.2));
        }
        let (xx, xy, yy) = (
            dot(&direction_x, &direction_x),
            dot(&direction_x, &direction_y),
            dot(&direction_y, &direction_y),
        );
        let determinant = xx * yy - xy * xy;
        // sin^2 of the angle below 1e-12: as good as parallel.
        if determinant.is_nan() || determinant <= 1e-12 * xx * yy {
            return Err(PlaneError::Parallel);
        }
        Ok(Plane {
            center,
            direction_x,
            direction_y,
            xx,
            xy,
            yy,
            determinant,
        })
    }

    /// The parameters at the plane's origin.
    pub fn center(&self) -> &[f32] {
        &self.center
    }

    /// The first direction.
    pub fn direction_x(&self) -> &[f32] {
        &self.direction_x
    }

    /// The second direction.
    pub fn direction_y(&self) -> &[f32] {
        &self.direction_y
    }

    /// The same directions through another centre of the same length.
    pub fn recentred(&self, center: &[f32]) -> Result<Self, PlaneError> {
        Plane::new(
            center.to_vec(),
            self.direction_x.clone(),
            self.direction_y.clone(),
        )
    }

    /// The same plane with each direction reversed where it points against that
    /// of `other`, so that a picture that follows does not flip.
    pub fn aligned_with(mut self, other: &Plane) -> Self {
        for (mine, theirs) in [
            (&mut self.direction_x, &other.direction_x),
            (&mut self.direction_y, &other.direction_y),
        ] {
            if dot(mine, theirs) < 0.0 {
                mine.iter_mut().for_each(|v| *v = -*v);
            }
        }
        self.xy = dot(&self.direction_x, &self.direction_y);
        self
    }

    /// Writes the parameters at `(x, y)` over `params`. At the origin they are
    /// the centre's, bit for bit.
    pub fn write_point(&self, x: f64, y: f64, params: &mut [f32]) {
        let (x, y) = (x as f32, y as f32);
        let directions = self.direction_x.iter().zip(&self.direction_y);
        for ((p, &c), (&u, &v)) in params.iter_mut().zip(&self.center).zip(directions) {
            *p = c + (x * u + y * v);
        }
    }

    /// The parameters at `(x, y)`.
    pub fn point(&self, x: f64, y: f64) -> Vec<f32> {
        let mut params = vec![0.0; self.center.len()];
        self.write_point(x, y, &mut params);
        params
    }

    /// The nearest point of the plane to `params`, by least squares.
    pub fn project(&self, params: &[f32]) -> Projection {
        let (mut ux, mut vy, mut distance) = (0.0, 0.0, 0.0);
        let directions = self.direction_x.iter().zip(&self.direction_y);
        for ((&p, &c), (&u, &v)) in params.iter().zip(&self.center).zip(directions) {
            let d = f64::from(p) - f64::from(c);
            ux += d * f64::from(u);
            vy += d * f64::from(v);
            distance += d * d;
        }
        let x = (ux * self.yy - vy * self.xy) / self.determinant;
        let y = (vy * self.xx - ux * self.xy) / self.determinant;
        // |d|^2 - d.(xu + yv), which rounding can push below zero
        let residual = (distance - x * ux - y * vy).max(0.0);
        Projection {
            x,
            y,
            residual_squared: residual,
            distance_squared: distance,
        }
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a) * f64::from(b))
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn projection_finds_the_coordinates_of_points_of_an_oblique_plane() {
        let plane = Plane::new(
            vec![1.0, -2.0, 0.5, 3.0],
            vec![1.0, 2.0, 0.0, -1.0],
            vec![0.5, 1.5, 1.0, 0.0],
        )
        .unwrap();
        let p = plane.project(&plane.point(0.75, -1.25));
        assert!(
            (p.x - 0.75).abs() < 1e-6 && (p.y + 1.25).abs() < 1e-6,
            "{p:?}"
        );
        assert!(p.residual_squared < 1e-10 * p.distance_squared);
    }

    #[test]
    fn what_is_orthogonal_to_the_plane_is_the_residual() {
        let plane = Plane::new(vec![0.0; 3], vec![1.0, 0.0, 0.0], vec![1.0, 1.0, 0.0]).unwrap();
        let p = plane.project(&[2.0, 3.0, 4.0]);
        assert_eq!((p.x, p.y), (-1.0, 3.0));
        assert_eq!((p.residual_squared, p.distance_squared), (16.0, 29.0));
    }

    #[test]
    fn parallel_directions_are_refused() {
        let plane = Plane::new(vec![0.0; 2], vec![1.0, 2.0], vec![-2.0, -4.0]);
        assert_eq!(plane, Err(PlaneError::Parallel));
        let plane = Plane::new(vec![0.0; 2], vec![0.0, 0.0], vec![1.0, 0.0]);
        assert_eq!(plane, Err(PlaneError::Parallel));
    }

    #[test]
    fn an_aligned_plane_is_the_same_plane_and_points_the_same_way() {
        let before = Plane::new(vec![0.0; 3], vec![1.0, 0.0, 0.0], vec![0.0, 1.0, 0.0]).unwrap();
        let turned = Plane::new(vec![0.0; 3], vec![-2.0, 0.5, 0.0], vec![0.1, 1.0, 1.0]).unwrap();
        let aligned = turned.clone().aligned_with(&before);
        assert_eq!(aligned.direction_x(), [2.0, -0.5, 0.0]);
        assert_eq!(aligned.direction_y(), turned.direction_y());
        let (p, q) = (
            turned.project(&[1.0, 2.0, 3.0]),
            aligned.project(&[1.0, 2.0, 3.0]),
        );
        assert!((p.x + q.x).abs() < 1e-12 && (p.y - q.y).abs() < 1e-12);
    }

    #[test]
    fn the_origin_is_the_centre_to_the_last_bit() {
        let center = vec![0.1_f32, -1e-20, 3.4e38];
        let plane = Plane::new(center.clone(), vec![1.0, 1.0, 1.0], vec![0.0, 1.0, 2.0]).unwrap();
        assert_eq!(plane.point(0.0, 0.0), center);
    }
}
