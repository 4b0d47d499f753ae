//! The work `layers` as burn has it: linear layers under `apply_lora`, and burn's own AdamW.

use burn::module::{Lora, Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, Tensor};
use burn_optim::{AdamWConfig, GradientsParams, ModuleOptimizer};
use riemann_lora::model::Target;

use crate::works::{
    layers::Shape,
    numbers::Kind,
    size::Sizes,
    trainer::{dense, factor, input},
};

/// Linear layers, channels → inner and back.
#[derive(Module, Debug)]
struct Model {
    up: Vec<Linear>,
    down: Vec<Linear>,
}

/// The work.
pub struct BurnLayers {
    model: Option<Model>,
    optimizer: ModuleOptimizer,
    lr: f64,
    input: Tensor<2>,
}

impl BurnLayers {
    /// Weights and adapters of `shape`, the numbers being those of our own work.
    pub fn new(sizes: &Sizes, shape: Shape, device: &Device) -> Self {
        let Shape {
            channels, inner, ..
        } = shape;
        let linear = |inputs, outputs| {
            LinearConfig::new(inputs, outputs)
                .with_bias(false)
                .init(device)
        };
        let model = Model {
            up: (0..shape.layers).map(|_| linear(channels, inner)).collect(),
            down: (0..shape.layers).map(|_| linear(inner, channels)).collect(),
        };
        let model = model.apply_lora(Lora::new(sizes.rank, sizes.alpha));
        let model = model.map(&mut Numbers {
            rank: sizes.rank,
            layers: shape.layers,
            seen: 0,
        });
        let [beta_1, beta_2] = sizes.betas.map(|beta| beta as f32);
        Self {
            model: Some(model),
            optimizer: AdamWConfig::new()
                .with_beta_1(beta_1)
                .with_beta_2(beta_2)
                .with_epsilon(sizes.eps as f32)
                .with_weight_decay(0.0)
                .init(),
            lr: sizes.lr,
            input: input(shape.tokens, channels, device),
        }
    }

    /// One step; its loss.
    pub fn step(&mut self) -> f64 {
        let model = self.model.take().expect("it is put back below");
        let mut x = self.input.clone();
        for (up, down) in model.up.iter().zip(&model.down) {
            x = x.clone() + down.forward(up.forward(x));
        }
        let loss = (x.clone() * x).mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        self.model = Some(self.optimizer.step(self.lr, model, gradients));
        let loss = loss.into_data();
        f64::from(loss.iter::<f32>().next().expect("a loss is a number"))
    }
}

/// Gives parameters the numbers of our own work. They come layer by layer: the weight, its A, its B.
struct Numbers {
    rank: usize,
    layers: usize,
    seen: usize,
}

impl ModuleMapper for Numbers {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (linear, part) = (self.seen / 3, self.seen % 3);
        self.seen += 1;
        let (target, layer) = match linear < self.layers {
            true => (Target::UpProj, linear),
            false => (Target::DownProj, linear - self.layers),
        };
        let place = target as usize;
        let tracks = param.is_require_grad();
        param.map(|old| {
            let device = old.device();
            // burn keeps all three the other way round.
            let [columns, rows] = [old.dims()[0], old.dims()[1]];
            let shape = [rows, columns];
            let bare = device.clone().inner();
            let values = match part {
                0 => dense(layer, place, shape, &bare),
                1 => factor(Kind::A, layer, place, [self.rank, columns], &bare).squeeze_dim(0),
                _ => factor(Kind::B, layer, place, [rows, self.rank], &bare).squeeze_dim(0),
            };
            let data = values.transpose().into_data();
            Tensor::<D>::from_data(data, &device).set_require_grad(tracks)
        })
    }
}
