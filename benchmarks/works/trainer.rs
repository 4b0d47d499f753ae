//! What all works have in common: adapters of one run, and the update.

use burn::tensor::{Device, Gradients, Tensor, TensorData, Transaction};
use riemann_lora::{
    model::{AdapterShape, Adapters, Bank, FrozenWeight, Target, WeightForm},
    optim::{BankCoefficients, Coefficients, Optimizer, OptimizerSettings},
};

use super::numbers::{Kind, stream, uniform};
use super::size::Sizes;

/// Bound of the numbers in `lora_b`, which would begin at 0: then half of the gradients would be 0 and prove nothing.
const BOUND_B: f32 = 0.015_625;

/// Numbers of a frozen weight [out, in].
fn values(layer: usize, place: usize, [outputs, inputs]: [usize; 2]) -> Vec<f32> {
    let bound = 1.0 / (inputs as f32).sqrt();
    uniform(stream(Kind::Weight, layer, place), outputs * inputs, bound)
}

/// A frozen weight [out, in] as a tensor.
pub fn dense(layer: usize, place: usize, shape: [usize; 2], device: &Device) -> Tensor<2> {
    let values = values(layer, place, shape);
    Tensor::from_data(TensorData::new(values, shape), device)
}

/// A frozen weight [out, in] in the form that this build computes best with.
pub fn frozen(layer: usize, place: usize, shape: [usize; 2], device: &Device) -> FrozenWeight {
    match WeightForm::of_this_build() {
        WeightForm::Dense => dense(layer, place, shape, device).into(),
        WeightForm::Packed => {
            use riemann_lora::{kernel::Matrix, load::StorageType};
            let bytes = values(layer, place, shape)
                .into_iter()
                .flat_map(f32::to_le_bytes);
            let matrix = Matrix::new(StorageType::F32, shape, bytes.collect());
            FrozenWeight::packed(
                matrix.expect("as many bytes as the shape takes"),
                None,
                device,
            )
        }
    }
}

/// Activations [rows, channels] that come in.
pub fn input(rows: usize, channels: usize, device: &Device) -> Tensor<2> {
    let values = uniform(stream(Kind::Input, 0, 0), rows * channels, 1.0);
    Tensor::from_data(TensorData::new(values, [rows, channels]), device)
}

/// A tensor of one run's factor.
pub fn factor(
    kind: Kind,
    layer: usize,
    place: usize,
    shape: [usize; 2],
    device: &Device,
) -> Tensor<3> {
    let [rows, columns] = shape;
    let bound = match kind {
        Kind::A => 1.0 / (columns as f32).sqrt(),
        _ => BOUND_B,
    };
    let values = uniform(stream(kind, layer, place), rows * columns, bound);
    Tensor::from_data(TensorData::new(values, [1, rows, columns]), device)
}

/// Adapters of one run and their AdamW.
pub struct Trainer {
    /// The factors as they are now.
    pub adapters: Adapters,
    optimizer: Optimizer,
    settings: OptimizerSettings,
    device: Device,
    step: u32,
}

impl Trainer {
    /// Adapters on `targets` of `layers` blocks, whose channels in and out `shape_of` says.
    pub fn new(
        sizes: &Sizes,
        layers: usize,
        targets: &[Target],
        shape_of: impl Fn(Target) -> (usize, usize),
        device: &Device,
    ) -> Self {
        let rank = sizes.rank;
        let bank = |layer: usize, target: Target| {
            let (inputs, outputs) = shape_of(target);
            let place = target as usize;
            Bank {
                a: factor(Kind::A, layer, place, [rank, inputs], device),
                b: factor(Kind::B, layer, place, [outputs, rank], device),
            }
        };
        let shape = AdapterShape {
            rank,
            alpha: sizes.alpha,
            use_rslora: false,
            targets: targets.to_vec(),
        };
        let blocks =
            (0..layers).map(|layer| targets.iter().map(|&target| bank(layer, target)).collect());
        let mut adapters = Adapters::of_blocks(shape, 1, blocks.collect());
        Self {
            optimizer: Optimizer::new(&mut adapters),
            adapters,
            settings: OptimizerSettings {
                betas: sizes.betas,
                eps: sizes.eps,
                weight_decay: 0.0,
                ..OptimizerSettings::adamw(sizes.lr)
            },
            device: device.clone(),
            step: 0,
        }
    }

    /// The gradients that `loss` has in the factors of `tracked`, and the update by them. The result is the loss.
    pub async fn step(&mut self, tracked: &Adapters, loss: Tensor<1>) -> f64 {
        let gradients = Self::gradients(tracked, &loss);
        self.update(gradients, loss.inner()).await
    }

    /// The gradients that `loss` has in the factors of `tracked`.
    pub fn gradients(tracked: &Adapters, loss: &Tensor<1>) -> Vec<Bank> {
        let mut gradients = loss.backward();
        let of = |factor: &Tensor<3>, gradients: &mut Gradients| {
            factor.grad_remove(gradients).expect("every factor is used")
        };
        tracked
            .banks()
            .map(|bank| Bank {
                a: of(&bank.a, &mut gradients),
                b: of(&bank.b, &mut gradients),
            })
            .collect()
    }

    /// The loss, then the values of all gradients.
    pub async fn values(gradients: Vec<Bank>, loss: Tensor<1>) -> Vec<f32> {
        let mut read = Transaction::default().register(loss);
        for Bank { a, b } in gradients {
            read = read.register(a).register(b);
        }
        let read = read.execute_async().await.expect("a device that works");
        read.iter().flat_map(|data| data.iter::<f32>()).collect()
    }

    /// Gradients and loss from the values of all shards.
    pub fn summed(&self, shards: &[Vec<f32>]) -> (Vec<Bank>, Tensor<1>) {
        let mut sum = shards[0].clone();
        for shard in &shards[1..] {
            for (sum, value) in sum.iter_mut().zip(shard) {
                *sum += value;
            }
        }
        let (loss, mut rest) = sum.split_at(1);
        let mut next = |like: &Tensor<3>| {
            let shape = like.dims();
            let (values, others) = rest.split_at(shape.iter().product());
            rest = others;
            Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), &self.device)
        };
        let banks = self.adapters.banks().map(|bank| Bank {
            a: next(&bank.a),
            b: next(&bank.b),
        });
        let banks = banks.collect();
        let loss = TensorData::new(loss.to_vec(), [1]);
        (banks, Tensor::from_data(loss, &self.device))
    }

    /// The update by `gradients`. The result is `loss`, read back together with a number of the last factor, so that the
    /// step is over when it is there.
    pub async fn update(&mut self, gradients: Vec<Bank>, loss: Tensor<1>) -> f64 {
        let scale = self.adapters.shape.scale();
        let coefficients = Coefficients::new(
            &[self.settings],
            &[false],
            self.step,
            u32::MAX,
            scale,
            &self.device,
        );
        let prepared = self.optimizer.prepare(&gradients, &coefficients, None);
        let all = BankCoefficients {
            most: &coefficients,
            first: None,
        };
        self.optimizer.update(&mut self.adapters, prepared, all);
        self.step += 1;
        let last = self.adapters.banks().last().expect("there are adapters");
        let last = last.b.clone().slice([0..1, 0..1, 0..1]);
        let read = Transaction::default().register(loss).register(last);
        let read = read.execute_async().await.expect("a device that works");
        f64::from(read[0].iter::<f32>().next().expect("a loss is a number"))
    }
}
