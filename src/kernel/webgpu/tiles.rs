//! The launch of a product in tiles of registers: which matrices it can read, and how it is cut.

use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::rows::MOST_WORKGROUPS;

/// Elements that are read at once, and rows and columns of a tile.
const FOUR: usize = 4;
/// Threads of a workgroup.
const THREADS: usize = 64;

type Four = Vector<f32, Const<4>>;

/// How the matrices of one tensor lie; distances are in elements.
struct Matrices {
    /// From one line to the next, where a line is what lies together.
    line: usize,
    /// From one matrix to the next along the first two of four axes.
    outer: usize,
    inner: usize,
    /// Whether a line runs along the first axis of the matrix and not the second.
    turned: bool,
}

impl Matrices {
    /// `None` where no vectors can be read of it.
    fn of(tensor: &CubeTensor) -> Option<Self> {
        let (shape, strides) = (tensor.meta.shape(), tensor.meta.strides());
        let axes = shape.num_dims();
        let distance = |axis: usize| match axes.checked_sub(axis) {
            Some(axis) if shape[axis] > 1 => strides[axis],
            _ => 0,
        };
        let turned = strides[axes - 1] != 1;
        let (along, across) = if turned { (2, 1) } else { (1, 2) };
        let matrices = Self {
            line: distance(across),
            outer: distance(4),
            inner: distance(3),
            turned,
        };
        let together = strides[axes - along] == 1 && shape[axes - along].is_multiple_of(FOUR);
        let aligned = [matrices.line, matrices.outer, matrices.inner]
            .iter()
            .all(|distance| distance.is_multiple_of(FOUR));
        (axes <= 4 && together && aligned).then_some(matrices)
    }
}

/// `left · right`, of [.., m, k] and [.., k, n], into `result`, multiplied in half precision if `half` says so; false where
/// it has to be done otherwise.
pub fn launch(left: &CubeTensor, right: &CubeTensor, result: &CubeTensor, half: bool) -> bool {
    let (Some(lefts), Some(rights)) = (Matrices::of(left), Matrices::of(right)) else {
        return false;
    };
    let axes = result.meta.num_dims();
    let size = |axis: usize| match axes.checked_sub(axis) {
        Some(axis) => result.meta.shape()[axis],
        None => 1,
    };
    let distance = |axis: usize| match axes.checked_sub(axis) {
        Some(axis) => result.meta.strides()[axis],
        None => 0,
    };
    let (rows, columns, inner) = (size(2), size(1), size(3));
    let batches = size(4) * inner;
    let depth = left.meta.shape()[axes - 1];
    if batches > MOST_WORKGROUPS || distance(1) != 1 || rows * columns * batches == 0 {
        return false;
    }
    // What lies together along the depth is read four deep, and the other then too.
    let step = if lefts.turned && !rights.turned {
        1
    } else {
        FOUR
    };
    if !depth.is_multiple_of(step) {
        return false;
    }
    let (across, down) = workgroup(rows, columns);
    let count = |lines: usize, threads: usize| lines.div_ceil(threads * FOUR) as u32;
    let multiply = match half {
        true => multiply::launch_unchecked::<half::f16>,
        false => multiply::launch_unchecked::<f32>,
    };
    // SAFETY: a thread computes rows and columns that the result has; those beside it are neither read nor written.
    unsafe {
        multiply(
            &result.client,
            CubeCount::Static(count(columns, across), count(rows, down), batches as u32),
            CubeDim::new_2d(across as u32, down as u32),
            left.clone().into_buffer_arg(),
            right.clone().into_buffer_arg(),
            result.clone().into_buffer_arg(),
            rows,
            columns,
            depth / step,
            inner,
            lefts.line / FOUR,
            lefts.outer / FOUR,
            lefts.inner / FOUR,
            rights.line / FOUR,
            rights.outer / FOUR,
            rights.inner / FOUR,
            distance(2),
            distance(4),
            distance(3),
            !lefts.turned,
            rights.turned,
            half,
        );
    }
    true
}

/// Threads across and down a workgroup: a square of tiles, for it reads least, but no more than there are.
fn workgroup(rows: usize, columns: usize) -> (usize, usize) {
    let tiles = |lines: usize| lines.div_ceil(FOUR).next_power_of_two();
    let across = tiles(columns).min(8);
    let down = tiles(rows).min(THREADS / across);
    (tiles(columns).min(THREADS / down), down)
}

/// The element of a block of lines at (`line`, `depth`); `deep` says that its vectors run along the depth.
#[cube]
fn element<E: Float>(
    block: &Sequence<Vector<E, Const<4>>>,
    #[comptime] line: usize,
    #[comptime] depth: usize,
    #[comptime] deep: bool,
) -> E {
    if comptime!(deep) {
        block.index(line).extract(depth)
    } else {
        block.index(depth).extract(line)
    }
}

/// Four lines of a matrix at one step: its lines four deep, or a vector of four lines at each depth of the step.
#[cube]
fn block<E: Float>(
    matrix: &[Four],
    start: usize,
    first: usize,
    lines: usize,
    distance: usize,
    step: usize,
    #[comptime] depth: usize,
    #[comptime] deep: bool,
) -> Sequence<Vector<E, Const<4>>> {
    let mut block = Sequence::<Vector<E, Const<4>>>::new();
    if comptime!(deep) {
        #[unroll]
        for index in 0..comptime!(4usize) {
            // What is beside the matrix is not stored, but must be read somewhere.
            let mut line = first + index;
            if line >= lines {
                line = lines - 1;
            }
            block.push(Vector::cast_from(matrix[start + line * distance + step]));
        }
    } else {
        #[unroll]
        for index in 0..depth {
            let place = start + (step * depth + index) * distance + first / 4;
            block.push(Vector::cast_from(matrix[place]));
        }
    }
    block
}

/// One tile a thread, one matrix a workgroup's third place. `E` is what is multiplied in; what a step of single precision
/// gives is added up one by one, and of half precision first among itself, for it is there that half precision is faster.
#[cube(launch_unchecked)]
#[allow(clippy::too_many_arguments)]
fn multiply<E: Float>(
    left: &[Four],
    right: &[Four],
    result: &mut [f32],
    rows: usize,
    columns: usize,
    steps: usize,
    inner: usize,
    left_line: usize,
    left_outer: usize,
    left_inner: usize,
    right_line: usize,
    right_outer: usize,
    right_inner: usize,
    result_line: usize,
    result_outer: usize,
    result_inner: usize,
    #[comptime] left_deep: bool,
    #[comptime] right_deep: bool,
    #[comptime] half: bool,
) {
    let depth = comptime!(if left_deep || right_deep {
        4usize
    } else {
        1usize
    });
    let column = ABSOLUTE_POS_X as usize * 4;
    let row = ABSOLUTE_POS_Y as usize * 4;
    let batch = CUBE_POS_Z as usize;
    let left_start = batch / inner * left_outer + batch % inner * left_inner;
    let right_start = batch / inner * right_outer + batch % inner * right_inner;
    let result_start = batch / inner * result_outer + batch % inner * result_inner;
    if row < rows && column < columns {
        let mut sums = Array::<f32>::new(comptime!(16usize));
        for step in 0..steps {
            let lefts = block::<E>(
                left, left_start, row, rows, left_line, step, depth, left_deep,
            );
            let rights = block::<E>(
                right,
                right_start,
                column,
                columns,
                right_line,
                step,
                depth,
                right_deep,
            );
            #[unroll]
            for i in 0..comptime!(4usize) {
                #[unroll]
                for j in 0..comptime!(4usize) {
                    let mut sum = sums[i * 4 + j];
                    let mut of_step = E::from_int(0);
                    #[unroll]
                    for k in 0..depth {
                        let product = element::<E>(&lefts, i, k, left_deep)
                            * element::<E>(&rights, j, k, right_deep);
                        if comptime!(half) {
                            of_step += product;
                        } else {
                            sum += f32::cast_from(product);
                        }
                    }
                    if comptime!(half) {
                        sum += f32::cast_from(of_step);
                    }
                    sums[i * 4 + j] = sum;
                }
            }
        }
        #[unroll]
        for i in 0..comptime!(4usize) {
            #[unroll]
            for j in 0..comptime!(4usize) {
                if row + i < rows && column + j < columns {
                    result[result_start + (row + i) * result_line + column + j] = sums[i * 4 + j];
                }
            }
        }
    }
}
