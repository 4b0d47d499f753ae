//! Inverses and determinants of small symmetric positive definite matrices, all in one launch.

use burn::backend::{Backend, Dispatch, TensorMetadata, backend_extension, tensor::FloatTensor};
use burn::tensor::{Shape, Tensor};
use burn_cubecl::{
    CubeBackend, kernel::into_contiguous, ops::numeric::empty_device_dtype, tensor::CubeTensor,
};
use cubecl::prelude::*;

use super::rows::MOST_WORKGROUPS;

/// Largest rank whose matrix fits into the 16 KiB of workgroup storage that every WebGPU adapter has, beside a column and
/// the scales.
const LARGEST_RANK: usize = 62;
/// Threads of a workgroup that every WebGPU adapter has.
const MOST_THREADS: usize = 256;

/// The inverse of every matrix, by the sweeps of [`crate::optim::inverse::inverse`]; `None` where the matrices are too
/// large or too many for one launch.
///
/// # Shapes
/// - `matrices`: [N, r, r], outside autodiff; result the same
pub fn inverse(matrices: &Tensor<3>) -> Option<Tensor<3>> {
    launched(matrices, <Dispatch as SweepOperator>::sweep_inverse)
}

/// ln det of every matrix, by the elimination of [`crate::optim::log_determinant::log_determinant`]; `None` where the
/// matrices are too large or too many for one launch.
///
/// # Shapes
/// - `matrices`: [N, r, r], outside autodiff
/// - result: [N, 1, 1]
pub fn log_determinant(matrices: &Tensor<3>) -> Option<Tensor<3>> {
    launched(matrices, <Dispatch as SweepOperator>::log_determinant)
}

/// What `operation` makes of matrices that are small and few enough.
fn launched(
    matrices: &Tensor<3>,
    operation: fn(FloatTensor<Dispatch>) -> FloatTensor<Dispatch>,
) -> Option<Tensor<3>> {
    let [count, rank, _] = matrices.dims();
    let fits = rank <= LARGEST_RANK && count <= MOST_WORKGROUPS;
    fits.then(|| Tensor::from_dispatch(operation(matrices.clone().into_dispatch())))
}

/// What a backend must be able to do.
#[backend_extension(Cube, Fusion)]
trait SweepOperator: Backend {
    /// As [`inverse`].
    #[fusion(dtype = matrices, shape = matrices)]
    fn sweep_inverse(matrices: FloatTensor<Self>) -> FloatTensor<Self>;

    /// As [`log_determinant`].
    #[fusion(dtype = matrices, shape = one_a_matrix(matrices))]
    fn log_determinant(matrices: FloatTensor<Self>) -> FloatTensor<Self>;
}

fn one_a_matrix(matrices: &Shape) -> Shape {
    Shape::new([matrices[0], 1, 1])
}

impl SweepOperator for CubeBackend {
    fn sweep_inverse(matrices: FloatTensor<Self>) -> FloatTensor<Self> {
        let matrices = into_contiguous(matrices);
        let shape = matrices.shape();
        let (count, rank) = (shape[0], shape[1]);
        let inverses: CubeTensor = empty_device_dtype(
            matrices.client.clone(),
            matrices.device.clone(),
            shape,
            matrices.dtype,
        );
        let threads = (rank * rank).min(MOST_THREADS) as u32;
        // SAFETY: workgroup n reads and writes the n-th of `count` matrices of rank² elements, which both buffers hold.
        unsafe {
            sweep::launch_unchecked(
                &inverses.client,
                CubeCount::Static(count as u32, 1, 1),
                CubeDim::new_1d(threads),
                matrices.into_buffer_arg(),
                inverses.clone().into_buffer_arg(),
                rank,
            );
        }
        inverses
    }

    fn log_determinant(matrices: FloatTensor<Self>) -> FloatTensor<Self> {
        let matrices = into_contiguous(matrices);
        let shape = matrices.shape();
        let (count, rank) = (shape[0], shape[1]);
        let logarithms: CubeTensor = empty_device_dtype(
            matrices.client.clone(),
            matrices.device.clone(),
            one_a_matrix(&shape),
            matrices.dtype,
        );
        let threads = (rank * rank).min(MOST_THREADS) as u32;
        // SAFETY: workgroup n reads the n-th of `count` matrices of rank² elements and writes the n-th of `count` numbers.
        unsafe {
            eliminate::launch_unchecked(
                &logarithms.client,
                CubeCount::Static(count as u32, 1, 1),
                CubeDim::new_1d(threads),
                matrices.into_buffer_arg(),
                logarithms.clone().into_buffer_arg(),
                rank,
            );
        }
        logarithms
    }
}

/// One matrix a workgroup, in its storage; each thread holds some of the elements.
#[cube(launch_unchecked)]
fn sweep(matrices: &[f32], inverses: &mut [f32], #[comptime] rank: usize) {
    let size = rank * rank;
    let start = CUBE_POS * size;
    let first = UNIT_POS as usize;
    let threads = CUBE_DIM as usize;
    let mut swept = Shared::<[f32]>::new_slice(size);
    let mut column = Shared::<[f32]>::new_slice(rank);
    let mut scales = Shared::<[f32]>::new_slice(rank);

    let mut index = first;
    while index < rank {
        scales[index] = 1.0 / f32::sqrt(matrices[start + index * rank + index]);
        index += threads;
    }
    sync_cube();
    index = first;
    while index < size {
        swept[index] = matrices[start + index] * scales[index / rank] * scales[index % rank];
        index += threads;
    }
    for pivot in 0..rank {
        sync_cube();
        let value = swept[pivot * rank + pivot];
        index = first;
        while index < rank {
            let mut entry = swept[index * rank + pivot];
            if index == pivot {
                // One rank-one update then makes the whole sweep, but for 2 on the diagonal.
                entry -= 1.0;
            }
            column[index] = entry;
            index += threads;
        }
        sync_cube();
        index = first;
        while index < size {
            swept[index] -= column[index / rank] * (column[index % rank] / value);
            index += threads;
        }
    }
    index = first;
    while index < size {
        let (row, place) = (index / rank, index % rank);
        let mut entry = -swept[index];
        if row == place {
            entry += 2.0;
        }
        inverses[start + index] = entry * scales[row] * scales[place];
        index += threads;
    }
}

/// The logarithm of the product of all pivots of one matrix a workgroup.
#[cube(launch_unchecked)]
fn eliminate(matrices: &[f32], logarithms: &mut [f32], #[comptime] rank: usize) {
    let size = rank * rank;
    let start = CUBE_POS * size;
    let first = UNIT_POS as usize;
    let threads = CUBE_DIM as usize;
    let mut left = Shared::<[f32]>::new_slice(size);
    let mut column = Shared::<[f32]>::new_slice(rank);

    let mut index = first;
    while index < size {
        left[index] = matrices[start + index];
        index += threads;
    }
    let mut logarithm = 0.0f32;
    for pivot in 0..rank {
        sync_cube();
        let value = left[pivot * rank + pivot];
        logarithm += f32::ln(value);
        index = first;
        while index < rank {
            column[index] = left[index * rank + pivot];
            index += threads;
        }
        sync_cube();
        index = first;
        while index < size {
            // What is above and left of the pivot is never read again.
            left[index] -= column[index / rank] * (column[index % rank] / value);
            index += threads;
        }
    }
    if first == 0 {
        logarithms[CUBE_POS] = logarithm;
    }
}
