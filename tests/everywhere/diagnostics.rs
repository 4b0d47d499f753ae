//! Norms and condition numbers against what they are by definition.

use burn::tensor::{Tensor, TensorData};
use riemann_lora::optim::{diagnostics::condition_numbers, inverse::inverse};

use crate::support::{device, values};

/// A Householder reflection of a diagonal matrix: symmetric, with the given eigenvalues.
fn reflected(eigenvalues: &[f64]) -> Vec<f32> {
    let rank = eigenvalues.len();
    let v: Vec<f64> = (0..rank).map(|i| (i as f64 + 1.0).sin()).collect();
    let square: f64 = v.iter().map(|x| x * x).sum();
    let q = |i: usize, j: usize| f64::from(u8::from(i == j)) - 2.0 * v[i] * v[j] / square;
    (0..rank * rank)
        .map(|index| {
            let (i, j) = (index / rank, index % rank);
            (0..rank)
                .map(|k| q(i, k) * eigenvalues[k] * q(j, k))
                .sum::<f64>() as f32
        })
        .collect()
}

everywhere! {
    async fn condition_numbers_come_within_their_bound_from_below() {
        let device = device().await;
        let spectra = [
            vec![5.0; 8],
            vec![1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
            vec![1e3, 1.0, 1.0, 1.0, 1e-1, 1e-1, 1e-1, 1e-1],
            vec![1.0, 0.99, 0.98, 0.97, 1e-4, 1.01e-4, 1.02e-4, 1.03e-4],
        ];
        let matrices: Vec<f32> = spectra.iter().flat_map(|spectrum| reflected(spectrum)).collect();
        let matrices =
            Tensor::<3>::from_data(TensorData::new(matrices, [spectra.len(), 8, 8]), &device);
        let found = values(condition_numbers(&matrices, &inverse(matrices.clone()))).await;
        for (spectrum, found) in spectra.iter().zip(found) {
            let largest = spectrum.iter().copied().fold(0.0, f64::max);
            let smallest = spectrum.iter().copied().fold(f64::INFINITY, f64::min);
            let ratio = f64::from(found) / (largest / smallest);
            // Two eigenvalues, each within 3 %.
            assert!((0.94..1.001).contains(&ratio), "{spectrum:?}: {found}, {ratio}");
        }
    }
}

#[cfg(not(feature = "webgpu"))]
everywhere! {
    async fn norms_and_the_update_are_those_of_the_factors() {
        use riemann_lora::{optim::OptimizerSettings, train::Session};

        use crate::support::{adapter, adapters, golden, model, norm, settings};

        let model = model().await;
        let runs = vec![OptimizerSettings::adamw(1e-2), OptimizerSettings::scaled_adamw(1e-3)];
        let start = adapters(adapter!("adapter_random"), &model, 2);
        let mut session = Session::with_adapters(&model, settings(runs), start.clone());
        let report = session.step(&model, &golden().batches[0].batch()).await.unwrap();
        for (index, run) in report.runs.into_iter().enumerate() {
            let found = run.diagnostics.unwrap();
            let (mut a, mut b, mut delta, mut change) = (vec![], vec![], vec![], vec![]);
            let before = start.run(index);
            let after = session.adapters().run(index);
            for (before, after) in before.banks().zip(after.banks()) {
                a.extend(values(before.a.clone()).await);
                b.extend(values(before.b.clone()).await);
                delta.extend(values(before.b.clone().matmul(before.a.clone())).await);
                change.extend(values(after.a.clone() - before.a.clone()).await);
                change.extend(values(after.b.clone() - before.b.clone()).await);
            }
            let size = |values: Vec<f32>| norm(values.into_iter().map(f64::from));
            let (a, b, delta, change) = (size(a), size(b), size(delta), size(change));
            for (name, found, expected) in [
                ("norm_a", found.norm_a, a),
                ("norm_b", found.norm_b, b),
                ("norm_delta", found.norm_delta, delta * start.shape.scale()),
                ("update_ratio", found.update_ratio, change / a.hypot(b)),
            ] {
                let found = found.unwrap();
                assert!((found / expected - 1.0).abs() < 1e-3, "{name}: {found}, not {expected}");
            }
            assert!(found.condition_a.unwrap() >= 1.0 && found.condition_b.unwrap() >= 1.0);
        }
    }
}
