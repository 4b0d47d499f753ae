//! A gated layer's product and its derivative, a thread an element.

use burn::backend::{TensorMetadata, tensor::FloatTensor};
use burn_cubecl::{CubeBackend, kernel::into_contiguous};
use cubecl::{calculate_cube_count_elemwise, prelude::*};

use super::super::gated::{Gated, GatedGradients, Gating};
use super::rows::empty_like;

impl Gated for CubeBackend {
    fn gated(gate: FloatTensor<Self>, up: FloatTensor<Self>, gating: Gating) -> FloatTensor<Self> {
        let [a, b] = gating.slope();
        let (gate, up) = (into_contiguous(gate), into_contiguous(up));
        let result = empty_like(&gate);
        let elements = gate.shape().num_elements();
        let threads = CubeDim::new(&result.client, elements);
        // SAFETY: all three have as many elements, and no thread touches another one.
        unsafe {
            product::launch_unchecked(
                &result.client,
                calculate_cube_count_elemwise(&result.client, elements, threads),
                threads,
                gate.into_buffer_arg(),
                up.into_buffer_arg(),
                result.clone().into_buffer_arg(),
                elements,
                a,
                b,
            );
        }
        result
    }
}

impl GatedGradients for CubeBackend {
    fn gated_gradients(
        gradient: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        gating: Gating,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [a, b] = gating.slope();
        let gradient = into_contiguous(gradient);
        let (gate, up) = (into_contiguous(gate), into_contiguous(up));
        let (to_gate, to_up) = (empty_like(&gate), empty_like(&gate));
        let elements = gate.shape().num_elements();
        let threads = CubeDim::new(&to_gate.client, elements);
        // SAFETY: as above, of five tensors.
        unsafe {
            product_gradients::launch_unchecked(
                &to_gate.client,
                calculate_cube_count_elemwise(&to_gate.client, elements, threads),
                threads,
                gradient.into_buffer_arg(),
                gate.into_buffer_arg(),
                up.into_buffer_arg(),
                to_gate.clone().into_buffer_arg(),
                to_up.clone().into_buffer_arg(),
                elements,
                a,
                b,
            );
        }
        (to_gate, to_up)
    }
}

#[cube]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + f32::exp(-x))
}

#[cube(launch_unchecked)]
fn product(gate: &[f32], up: &[f32], result: &mut [f32], elements: usize, a: f32, b: f32) {
    let place = ABSOLUTE_POS;
    if place < elements {
        let value = gate[place];
        result[place] = value * sigmoid(value * (a + b * value * value)) * up[place];
    }
}

#[cube(launch_unchecked)]
fn product_gradients(
    gradient: &[f32],
    gate: &[f32],
    up: &[f32],
    to_gate: &mut [f32],
    to_up: &mut [f32],
    elements: usize,
    a: f32,
    b: f32,
) {
    let place = ABSOLUTE_POS;
    if place < elements {
        let value = gate[place];
        let square = value * value;
        let share = sigmoid(value * (a + b * square));
        let rise = value * (a + 3.0 * b * square);
        let change = gradient[place];
        to_gate[place] = change * up[place] * share * (1.0 + rise * (1.0 - share));
        to_up[place] = change * value * share;
    }
}
