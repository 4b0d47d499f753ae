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

/// U·Vᵀ of the update U·Σ·Vᵀ of every run, nearly; with an inverse M⁻¹ the same in the metric M, which is LoRA-Muon's step
/// R·msign(R·G) with R = M^-½ (Cesista et al., arXiv 2606.12921).
///
/// No root is taken of M⁻¹: with X = R·Y, a step of the iteration on X is Y ← a·Y + (b·S + c·S²)·Y with S = Y·Yᵀ·M⁻¹, and
/// R·X is M⁻¹·Y.
///
/// Everything happens in r×r matrices, so it costs a few times the preconditioner.
///
/// # Shapes
/// - `update`: [N, r, long], result the same
/// - `inverse`: [N, r, r]
pub fn orthogonalise(update: Tensor<3>, inverse: Option<Tensor<3>>) -> Tensor<3> {
    let in_metric = |y: &Tensor<3>| match &inverse {
        None => y.clone(),
        Some(inverse) => inverse.clone().matmul(y.clone()),
    };
    let squares = in_metric(&update) * update.clone();
    let norm = sum_of_elements(squares).sqrt();
    let mut y = update / norm.add_scalar(EPS);
    let [linear, cubic, quintic] = QUINTIC;
    for _ in 0..ITERATIONS {
        let gram = y.clone().matmul(in_metric(&y).swap_dims(1, 2)); // [N, r, r]
        let polynomial =
            gram.clone().mul_scalar(cubic) + gram.clone().matmul(gram).mul_scalar(quintic);
        y = y.clone().mul_scalar(linear) + polynomial.matmul(y);
    }
    in_metric(&y)
}

/// Muon's direction of matrices of any shape.
///
/// # Shapes
/// - `update`: [N, rows, columns], result the same
pub fn direction(update: Tensor<3>) -> Tensor<3> {
    let [_, rows, columns] = update.dims();
    let tall = rows > columns;
    let turned = |matrices: Tensor<3>| match tall {
        true => matrices.swap_dims(1, 2),
        false => matrices,
    };
    turned(orthogonalise(turned(update), None)).mul_scalar(shape_factor(rows, columns))
}

/// What Muon multiplies the update of a matrix with: √max(1, rows / columns), torch's `adjust_lr_fn = "original"`.
pub fn shape_factor(rows: usize, columns: usize) -> f64 {
    (rows as f64 / columns as f64).max(1.0).sqrt()
}
