//! A gated layer's product, element by element.

use burn::backend::{Flex, TensorMetadata, tensor::FloatTensor};

use super::super::exponential::sigmoid;
use super::super::gated::{Gated, GatedGradients, Gating};
use super::host::{contiguous, tensor, values};

impl Gated for Flex {
    fn gated(gate: FloatTensor<Self>, up: FloatTensor<Self>, gating: Gating) -> FloatTensor<Self> {
        let [a, b] = gating.slope();
        let (gate, up) = (contiguous(gate), contiguous(up));
        let pairs = values(&gate).iter().zip(values(&up));
        let result = pairs.map(|(gate, up)| gate * sigmoid(gate * (a + b * gate * gate)) * up);
        tensor(result.collect(), gate.shape())
    }
}

impl GatedGradients for Flex {
    fn gated_gradients(
        gradient: FloatTensor<Self>,
        gate: FloatTensor<Self>,
        up: FloatTensor<Self>,
        gating: Gating,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [a, b] = gating.slope();
        let (gradient, gate, up) = (contiguous(gradient), contiguous(gate), contiguous(up));
        let shape = gradient.shape();
        let (gradient, gate, up) = (values(&gradient), values(&gate), values(&up));
        let mut to_gate = vec![0.0; gradient.len()];
        let mut to_up = vec![0.0; gradient.len()];
        let inputs = gradient.iter().zip(gate).zip(up);
        for (((gradient, gate), up), (to_gate, to_up)) in
            inputs.zip(to_gate.iter_mut().zip(&mut to_up))
        {
            let square = gate * gate;
            let sigmoid = sigmoid(gate * (a + b * square));
            let change = gate * (a + 3.0 * b * square);
            *to_gate = gradient * up * sigmoid * (1.0 + change * (1.0 - sigmoid));
            *to_up = gradient * gate * sigmoid;
        }
        (tensor(to_gate, shape.clone()), tensor(to_up, shape))
    }
}
