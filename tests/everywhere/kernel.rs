//! The operations of our own against their definitions, and their gradients against finite differences.

use burn::tensor::{Device, Int, Tensor, TensorData, activation::sigmoid};
use riemann_lora::kernel::{
    Angles, Form, Gating, cross_entropy, cross_entropy_losses, gated, product, rms_norm, rotate,
};

use crate::support::{device, draws::normal, values};

#[path = "kernel/attention.rs"]
mod attention;

/// Products with packed weights, which are the CPU's.
#[cfg(not(feature = "webgpu"))]
#[path = "kernel/frozen.rs"]
mod frozen;

/// Products with packed weights, which are WebGPU's.
#[cfg(feature = "webgpu")]
#[path = "kernel/packed.rs"]
mod packed;

#[cfg(feature = "webgpu")]
#[path = "kernel/probe.rs"]
mod probe;

everywhere! {
    async fn products_are_the_engines_own_however_matrices_lie() {
        let device = device().await;
        // Rows that fill no tile, depths that are no vectors, few columns, and many of all.
        for [m, k, n] in [[8, 12, 16], [5, 8, 4], [37, 64, 40], [6, 7, 12], [3, 4, 5]] {
            let left = normal([2, 3, m, k], 1.0, &device);
            let right = normal([2, 3, k, n], 1.0, &device);
            let expected = values(left.clone().matmul(right.clone())).await;
            let turned = |x: &Tensor<4>| x.clone().swap_dims(2, 3);
            for ours in [
                product(left.clone(), right.clone(), Form::Plain),
                product(turned(&left), right.clone(), Form::LeftTransposed),
                product(left.clone(), turned(&right), Form::RightTransposed),
                // Heads beside each other, as attention has them.
                product(
                    left.clone().swap_dims(1, 2).mul_scalar(1.0).swap_dims(1, 2),
                    right.clone().swap_dims(1, 2).mul_scalar(1.0).swap_dims(1, 2),
                    Form::Plain,
                ),
            ] {
                assert_close(&values(ours).await, &expected);
            }
        }
    }
}

everywhere! {
    async fn logits_are_right_however_many_rows_came_before() {
        let device = device().await;
        // Wider than any layer, so that results are made where earlier ones were.
        let head = normal([16_400, 8], 1.0, &device);
        for rows in [4, 3, 1, 4] {
            let x = normal([rows, 8], 1.0, &device);
            let expected = values(x.clone().matmul(head.clone().transpose())).await;
            let ours = product(x, head.clone(), Form::RightTransposed);
            assert_close(&values(ours).await, &expected);
        }
    }
}

everywhere! {
    async fn products_of_every_form_have_their_gradients() {
        let device = device().await;
        for form in [Form::Plain, Form::LeftTransposed, Form::RightTransposed] {
            let (left, right) = match form {
                Form::Plain => ([2, 5, 8], [2, 8, 12]),
                Form::LeftTransposed => ([2, 8, 5], [2, 8, 12]),
                Form::RightTransposed => ([2, 5, 8], [2, 12, 8]),
            };
            let other = normal(right, 1.0, &device);
            let by_left = |left| product(left, other.clone(), form).square().sum();
            check_gradient(left, 1.0, by_left, &device).await;
            let other = normal(left, 1.0, &device);
            let by_right = |right| product(other.clone(), right, form).square().sum();
            check_gradient(right, 1.0, by_right, &device).await;
        }
    }
}

everywhere! {
    async fn gated_products_are_their_formulas_and_have_their_gradients() {
        let device = device().await;
        let other = normal([6, 19], 2.0, &device);
        let silu = |gate: Tensor<2>| gate.clone() * sigmoid(gate);
        let gelu = |gate: Tensor<2>| {
            let cube = gate.clone() * gate.clone() * gate.clone();
            let inner = (gate.clone() + cube * 0.044715) * (2.0 / std::f64::consts::PI).sqrt();
            gate * 0.5 * (inner.tanh() + 1.0)
        };
        let formulas: [(Gating, &dyn Fn(Tensor<2>) -> Tensor<2>); 2] =
            [(Gating::Silu, &silu), (Gating::GeluTanh, &gelu)];
        for (gating, formula) in formulas {
            let gate = normal([6, 19], 4.0, &device);
            let ours = gated(gate.clone(), other.clone(), gating);
            let expected = formula(gate) * other.clone();
            assert_close(&values(ours).await, &values(expected).await);
            let by_gate = |gate| gated(gate, other.clone(), gating).square().sum();
            check_gradient([6, 19], 1.0, by_gate, &device).await;
            let by_up = |up| gated(other.clone(), up, gating).square().sum();
            check_gradient([6, 19], 1.0, by_up, &device).await;
        }
    }
}

everywhere! {
    async fn rms_norm_is_its_formula_and_has_its_gradients() {
        const EPS: f64 = 1e-5;
        let device = device().await;
        let weight = normal([43], 1.0, &device);
        let x = normal([7, 43], 1.0, &device);
        let inverse = x.clone().square().mean_dim(1).add_scalar(EPS).sqrt().recip();
        let formula = x.clone() * inverse * weight.clone().unsqueeze::<2>();
        let ours = rms_norm(x.clone(), weight.clone(), EPS);
        assert_close(&values(ours).await, &values(formula).await);
        // The sum of squares alone would not depend on x.
        let towards = normal([7, 43], 1.0, &device);
        let loss = |x, weight| (rms_norm(x, weight, EPS) * towards.clone()).sum().square();
        check_gradient([7, 43], 1.0, |x| loss(x, weight.clone()), &device).await;
        check_gradient([43], 1.0, |weight| loss(x.clone(), weight), &device).await;
    }
}

everywhere! {
    async fn cross_entropy_is_its_formula_and_its_derivative_that_of_differences() {
        const STEP: f64 = 1e-2;
        let device = device().await;
        // More words than a workgroup has threads.
        let logits = normal([5, 700], 2.0, &device);
        let targets = [0, 699, 350, 7, 7];
        let asked = || Tensor::<1, Int>::from_data(TensorData::from(targets), &device);
        let (losses, derivative) = cross_entropy(logits.clone(), asked());
        let (losses, derivative) = (values(losses).await, values(derivative).await);
        // An evaluation reports what a step would.
        assert_eq!(values(cross_entropy_losses(logits.clone(), asked())).await, losses);
        let logits_of = values(logits.clone()).await;
        let rows = logits_of.chunks(700).zip(derivative.chunks(700));
        for (row, ((logits, derivative), loss)) in rows.zip(losses).enumerate() {
            let target = targets[row] as usize;
            let sum: f64 = logits.iter().map(|logit| f64::from(*logit).exp()).sum();
            let expected: Vec<f32> = logits
                .iter()
                .enumerate()
                .map(|(word, logit)| f64::from(*logit).exp() / sum - f64::from(word == target))
                .map(|value| value as f32)
                .collect();
            assert_close(&[loss], &[(sum.ln() - f64::from(logits[target])) as f32]);
            assert_close(derivative, &expected);
        }
        let towards = normal([5, 700], 1.0, &device);
        let moved = |step| cross_entropy(logits.clone() + towards.clone().mul_scalar(step), asked()).0;
        let difference = (moved(STEP) - moved(-STEP)).div_scalar(2.0 * STEP);
        let rows = derivative.chunks(700);
        let towards = values(towards).await;
        let expected: Vec<f32> = rows
            .zip(towards.chunks(700))
            .map(|(derivative, towards)| derivative.iter().zip(towards).map(|(d, t)| d * t).sum())
            .collect();
        for (ours, theirs) in expected.iter().zip(values(difference).await) {
            assert!((ours - theirs).abs() < 2e-3 * (1.0 + theirs.abs()), "{ours} and {theirs}");
        }
    }
}

everywhere! {
    async fn parts_of_rows_and_of_targets_have_the_losses_of_the_whole() {
        let device = device().await;
        let (rows, head) = (normal([32, 64], 1.0, &device), normal([256, 64], 1.0, &device));
        let targets = Tensor::<1, Int>::arange(0..32, &device);
        let losses = |from: usize, count: usize| {
            let rows = rows.clone().mul_scalar(2.0).narrow(0, from, count);
            let logits = product(rows, head.clone(), Form::RightTransposed);
            cross_entropy(logits, targets.clone().narrow(0, from, count)).0
        };
        let whole = values(losses(0, 32)).await;
        let parts = Tensor::cat((0..4).map(|part| losses(8 * part, 8)).collect(), 0);
        assert_close(&values(parts).await, &whole);
    }
}

everywhere! {
    async fn a_rotation_keeps_lengths_and_its_gradient_turns_back() {
        let device = device().await;
        let angles = [0.0_f32, 0.3, 1.0, 2.0, 3.0, -1.5];
        let table = |of: fn(f32) -> f32| {
            let values: Vec<f32> = angles.iter().map(|angle| of(*angle)).collect();
            Tensor::from_data(TensorData::new(values, [3, 2]), &device)
        };
        let angles = Angles {
            cos: table(f32::cos),
            sin: table(f32::sin),
        };
        // Three positions, two pairs a head.
        let x = normal([2, 3, 2, 4], 1.0, &device);
        let turned = rotate(x.clone(), &angles);
        let lengths = |x: Tensor<4>| x.square().sum_dim(3);
        assert_close(
            &values(lengths(turned.clone())).await,
            &values(lengths(x.clone())).await,
        );
        let (x, turned) = (values(x).await, values(turned).await);
        let (cos, sin) = (0.3_f32.cos(), 0.3_f32.sin());
        // The second pair of the first position is (1, 3).
        assert_close(&turned[1..2], &[x[1] * cos - x[3] * sin]);
        assert_close(&turned[3..4], &[x[3] * cos + x[1] * sin]);
        let towards = normal([2, 3, 2, 4], 1.0, &device);
        let loss = |x| (rotate(x, &angles) * towards.clone()).sum().square();
        check_gradient([2, 3, 2, 4], 1.0, loss, &device).await;
    }
}

/// The derivative of `loss` in a random direction at a random place: from its backward pass, and from a central
/// difference.
pub async fn check_gradient<const D: usize>(
    shape: [usize; D],
    deviation: f32,
    loss: impl Fn(Tensor<D>) -> Tensor<1>,
    device: &Device,
) {
    const STEP: f32 = 1e-2;
    let x = normal(shape, deviation, device);
    let towards = normal(shape, deviation, device);
    let tracked = x.clone().autodiff().require_grad();
    let gradients = loss(tracked.clone()).backward();
    let gradient = tracked
        .grad(&gradients)
        .expect("a gradient of the tracked leaf");
    let length = values(gradient.clone().square().sum()).await[0].sqrt();
    let predicted = values((gradient * towards.clone()).sum()).await[0];
    let above = values(loss(x.clone() + towards.clone() * STEP)).await[0];
    let below = values(loss(x - towards.clone() * STEP)).await[0];
    let measured = (above - below) / (2.0 * STEP);
    // A random direction may be almost at right angles to the gradient.
    let scale = length * values(towards.square().sum()).await[0].sqrt();
    assert!(
        (predicted - measured).abs() <= 2e-3 * scale && length > 0.0,
        "{predicted} from backward, {measured} from differences, of a scale of {scale}"
    );
}

pub fn assert_close(ours: &[f32], engines: &[f32]) {
    assert_eq!(ours.len(), engines.len());
    for (index, (ours, engines)) in ours.iter().zip(engines).enumerate() {
        assert!(
            (ours - engines).abs() <= 1e-5 * engines.abs().max(1.0),
            "element {index}: {ours}, and {engines} by the engine"
        );
    }
}
