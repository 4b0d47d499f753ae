//! Products of two tensors of matrices.

use burn::tensor::Tensor;

use super::{Direction, ProductPrecision};

/// Which of the two matrices is read transposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `L · R`.
    Plain,
    /// `Lᵀ · R`.
    LeftTransposed,
    /// `L · Rᵀ`.
    RightTransposed,
}

/// The products of the matrices of two tensors, one by one, differentiable in both.
///
/// # Shapes
/// With [`Form::Plain`]; the others have the last two axes of one of them exchanged.
/// - `left`: [.., m, k], up to four axes
/// - `right`: [.., k, n], as many of them
/// - result: [.., m, n]
#[cfg(feature = "webgpu")]
pub fn product<const D: usize>(left: Tensor<D>, right: Tensor<D>, form: Form) -> Tensor<D> {
    super::webgpu::product(left, right, form, ProductPrecision::Single)
}

/// The products of the matrices of two tensors, one by one, differentiable in both.
///
/// # Shapes
/// With [`Form::Plain`]; the others have the last two axes of one of them exchanged.
/// - `left`: [.., m, k], up to four axes
/// - `right`: [.., k, n], as many of them
/// - result: [.., m, n]
#[cfg(not(feature = "webgpu"))]
pub fn product<const D: usize>(left: Tensor<D>, right: Tensor<D>, form: Form) -> Tensor<D> {
    match form {
        Form::Plain => left.matmul(right),
        Form::LeftTransposed => left.swap_dims(D - 2, D - 1).matmul(right),
        Form::RightTransposed => left.matmul(right.swap_dims(D - 2, D - 1)),
    }
}

/// `x · Wᵀ` or `x · W`, differentiable in both. On the CPU there is one precision.
///
/// # Shapes
/// - `x`: [N, in] forward, [N, out] backward
/// - `weight`: [out, in]
/// - result: [N, out] forward, [N, in] backward
pub fn weight_product(
    x: Tensor<2>,
    weight: Tensor<2>,
    direction: Direction,
    precision: ProductPrecision,
) -> Tensor<2> {
    #[cfg(feature = "webgpu")]
    return super::webgpu::product(x, weight, direction.form(), precision);
    #[cfg(not(feature = "webgpu"))]
    {
        let _ = precision;
        product(x, weight, direction.form())
    }
}
