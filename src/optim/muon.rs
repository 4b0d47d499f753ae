//! Muon's orthogonalisation (Jordan et al., kellerjordan.github.io/posts/muon), on the factors.

use burn::tensor::Tensor;

use super::elements::sum_of_elements;

/// Coefficients of the quintic iteration, chosen for speed and not for convergence to 1: singular
/// values end between 0.7 and 1.2 (Jordan's post; the defaults of `torch.optim.Muon`).
const QUINTIC: [f64; 3] = [3.4445, -4.775, 2.0315];
/// Iterations, as torch's default.
const ITERATIONS: usize = 5;
/// Keeps a factor without gradient at 0, as torch's `eps`.
const EPS: f64 = 1e-7;

/// U·Vᵀ of the update U·Σ·Vᵀ of every run, nearly, times √max(1, rows / columns), which is torch's
/// `adjust_lr_fn = "original"`.
///
/// Everything happens in the r×r Gram matrix of the short side, so it costs a few times the
/// preconditioner.
///
/// # Shapes
/// - `update`: [K, rows, columns], result the same
pub fn orthogonalise(update: Tensor<3>) -> Tensor<3> {
    let [_, rows, columns] = update.dims();
    let tall = rows > columns;
    let wide = if tall { update.swap_dims(1, 2) } else { update };
    let norm = sum_of_elements(wide.clone().square()).sqrt();
    let mut x = wide / norm.add_scalar(EPS); // [K, r, long]
    let [linear, cubic, quintic] = QUINTIC;
    for _ in 0..ITERATIONS {
        let gram = x.clone().matmul(x.clone().swap_dims(1, 2)); // [K, r, r]
        let polynomial =
            gram.clone().mul_scalar(cubic) + gram.clone().matmul(gram).mul_scalar(quintic);
        x = x.clone().mul_scalar(linear) + polynomial.matmul(x);
    }
    let x = if tall { x.swap_dims(1, 2) } else { x };
    x.mul_scalar((rows as f64 / columns as f64).max(1.0).sqrt())
}
