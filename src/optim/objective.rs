//! What a full-batch method minimises: a function that it may evaluate as often
//! as it likes, for a line search or to see whether a step helped.

/// A loss over all samples as a function of the parameters, penalties included.
/// Everything is in `f64`: the methods that use it compare losses that differ
/// in the last digits.
pub trait Objective {
    /// How many parameters there are.
    fn parameters(&self) -> usize;

    /// The loss at `params`.
    fn loss(&mut self, params: &[f64]) -> f64;

    /// The loss at `params`; its gradient is written over `gradient`.
    fn gradient(&mut self, params: &[f64], gradient: &mut [f64]) -> f64;

    /// Where the loss is `1/2 |r|^2` for residuals `r` with Jacobian `J`:
    /// writes `J^T J` over `matrix` (`[p, p]`, row by row) and `J^T r`, which is
    /// the gradient, over `gradient`, and returns the loss. `None` where the
    /// loss is no sum of squares.
    fn normal_equations(
        &mut self,
        params: &[f64],
        matrix: &mut [f64],
        gradient: &mut [f64],
    ) -> Option<f64>;
}
