//! Norms and condition numbers against what they are by definition.

use burn::tensor::{Device, Tensor, TensorData};
use riemann_lora::optim::{
    diagnostics::condition_numbers, inverse::inverse, log_determinant::log_determinant,
};

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

/// One matrix of rank 8 for each spectrum, [N, 8, 8].
fn with_spectra(spectra: &[Vec<f64>], device: &Device) -> Tensor<3> {
    let matrices: Vec<f32> = spectra
        .iter()
        .flat_map(|spectrum| reflected(spectrum))
        .collect();
    Tensor::from_data(TensorData::new(matrices, [spectra.len(), 8, 8]), device)
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
        let matrices = with_spectra(&spectra, &device);
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

everywhere! {
    async fn logarithms_of_determinants_are_sums_over_the_spectrum() {
        let device = device().await;
        let spectra = [
            vec![5.0; 8],
            vec![1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3],
            vec![1e3, 1.0, 1.0, 1.0, 1e-1, 1e-1, 1e-1, 1e-1],
            // lora_b at its start, damped by the paper's δ.
            vec![1e-6; 8],
        ];
        let matrices = with_spectra(&spectra, &device);
        for (spectrum, found) in spectra.iter().zip(values(log_determinant(matrices)).await) {
            let expected: f64 = spectrum.iter().map(|value: &f64| value.ln()).sum();
            let error = (f64::from(found) - expected).abs();
            assert!(error < 2e-4, "{spectrum:?}: {found}, not {expected}");
        }
        let one = Tensor::<3>::from_data(TensorData::new(vec![0.25_f32], [1, 1, 1]), &device);
        let found = values(log_determinant(one)).await[0];
        assert!((found - 0.25_f32.ln()).abs() < 1e-6, "{found}");
    }
}

#[cfg(not(feature = "webgpu"))]
everywhere! {
    /// Against the factors of each layer in f64.
    async fn numbers_of_a_layer_are_those_of_its_factors() {
        use riemann_lora::{optim::OptimizerSettings, train::Session};

        use crate::support::{adapter, adapters, golden, model, settings};

        let model = model().await;
        let damping = 1e-2;
        let wanted = riemann_lora::train::SessionSettings {
            layer_diagnostics: true,
            ..settings(vec![OptimizerSettings::scaled_adamw(1e-3)])
        };
        let start = adapters(adapter!("adapter_random"), &model, 1);
        let mut session = Session::with_adapters(&model, wanted, start.clone());
        let report = session.step(&model, &golden().batches[0].batch()).await.unwrap();
        let found = report.runs[0].diagnostics.clone().unwrap();
        let layers = found.layers.unwrap();
        let mut logarithms = vec![];
        for (index, bank) in start.banks().enumerate() {
            let [rank, inputs, outputs] = [bank.a.dims()[1], bank.a.dims()[2], bank.b.dims()[1]];
            let a: Vec<f64> = values(bank.a.clone()).await.into_iter().map(f64::from).collect();
            let b: Vec<f64> = values(bank.b.clone()).await.into_iter().map(f64::from).collect();
            let gram = |entry: &dyn Fn(usize, usize) -> f64, length: usize| -> Vec<f64> {
                (0..rank * rank)
                    .map(|at| (0..length).map(|k| entry(at / rank, k) * entry(at % rank, k)).sum())
                    .collect()
            };
            let gram_a = gram(&|row, k| a[row * inputs + k], inputs);
            let gram_b = gram(&|column, k| b[k * rank + column], outputs);
            let trace = |matrix: &[f64]| matrix.iter().step_by(rank + 1).sum::<f64>();
            let damped = |matrix: &[f64]| -> Vec<f64> {
                let add = |at: usize| if at.is_multiple_of(rank + 1) { damping } else { 0.0 };
                matrix.iter().enumerate().map(|(at, value)| value + add(at)).collect()
            };
            // tr(M (M + δI)⁻¹) is r less δ times the trace of the inverse.
            let (log_b, inverse_b) = eliminated(damped(&gram_b), rank);
            let (log_a, _) = eliminated(damped(&gram_a), rank);
            logarithms.push(log_a - log_b);
            let product: f64 = gram_a.iter().zip(&gram_b).map(|(x, y)| x * y).sum();
            for (name, found, expected) in [
                ("norm_a", layers.norm_a[index], trace(&gram_a).sqrt()),
                ("norm_b", layers.norm_b[index], trace(&gram_b).sqrt()),
                ("norm_delta", layers.norm_delta[index], product.sqrt() * start.shape.scale()),
                ("undamped_a", layers.undamped_a[index], 1.0 - damping * inverse_b / rank as f64),
                ("log_det_ratio", layers.log_det_ratio[index], log_a - log_b),
            ] {
                let found = f64::from(found.unwrap());
                assert!((found / expected - 1.0).abs() < 1e-3, "{name} {index}: {found}, not {expected}");
            }
        }
        let largest = layers.condition_a.iter().map(|value| f64::from(value.unwrap())).fold(0.0, f64::max);
        assert_eq!(found.condition_a, Some(largest));
        let mean = logarithms.iter().sum::<f64>() / logarithms.len() as f64;
        assert!((found.log_det_ratio.unwrap() / mean - 1.0).abs() < 1e-4);
    }
}

#[cfg(not(feature = "webgpu"))]
everywhere! {
    /// The flow conserves it, steps of rate η depart from it by about η for the same way: twice the steps at half the
    /// rate depart by half. A plain run changes it in the flow, too.
    async fn scaled_gradient_descent_conserves_the_ratio_of_determinants() {
        use riemann_lora::{
            optim::{Decay, OptimizerSettings, PreconditionerSettings, Schedule, UpdateRule},
            train::{Session, SessionSettings},
        };

        use crate::support::{adapter, adapters, golden, model, settings};

        let model = model().await;
        let batch = golden().batches[0].batch();
        let scaled = OptimizerSettings {
            rule: UpdateRule::Sgd,
            weight_decay: 0.0,
            preconditioner: Some(PreconditionerSettings::new(1e-2)),
            schedule: Schedule { warmup_steps: 0, decay: Decay::Constant },
            ..OptimizerSettings::adamw(0.0)
        };
        let plain = OptimizerSettings { preconditioner: None, ..scaled };
        let mut departures = vec![];
        for (optimizer, lr, steps) in [(scaled, 4e-3, 8), (scaled, 2e-3, 16), (plain, 4e-3, 8)] {
            let wanted = SessionSettings {
                steps,
                layer_diagnostics: true,
                ..settings(vec![OptimizerSettings { lr, ..optimizer }])
            };
            let start = adapters(adapter!("adapter_random"), &model, 1);
            let mut session = Session::with_adapters(&model, wanted, start);
            let mut ratios = vec![];
            // The last step's report is of the factors before it.
            for _ in 0..steps {
                let report = session.step(&model, &batch).await.unwrap();
                ratios.push(report.runs[0].diagnostics.clone().unwrap().log_det_ratio.unwrap());
            }
            departures.push((ratios[ratios.len() - 1] - ratios[0]).abs());
        }
        let ratio = departures[0] / departures[1];
        assert!((1.6..2.5).contains(&ratio), "{departures:?}");
        assert!(departures[2] > 5.0 * departures[0], "{departures:?}");
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

/// ln det and the trace of the inverse of a symmetric positive definite matrix, by Gauss-Jordan elimination.
#[cfg(not(feature = "webgpu"))]
fn eliminated(matrix: Vec<f64>, rank: usize) -> (f64, f64) {
    let width = 2 * rank;
    let mut rows: Vec<f64> = (0..rank * width)
        .map(|at| match (at / width, at % width) {
            (row, column) if column < rank => matrix[row * rank + column],
            (row, column) => f64::from(u8::from(column - rank == row)),
        })
        .collect();
    let mut logarithm = 0.0;
    for pivot in 0..rank {
        let value = rows[pivot * width + pivot];
        logarithm += value.ln();
        for column in 0..width {
            rows[pivot * width + column] /= value;
        }
        for row in (0..rank).filter(|row| *row != pivot) {
            let factor = rows[row * width + pivot];
            for column in 0..width {
                rows[row * width + column] -= factor * rows[pivot * width + column];
            }
        }
    }
    let trace = (0..rank).map(|row| rows[row * width + rank + row]).sum();
    (logarithm, trace)
}
