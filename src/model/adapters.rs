//! The banks of all layers, and how they begin.

use burn::tensor::{Device, Tensor, TensorData};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{Bank, ModelConfig, Target, lora::AdapterInput};

/// What all runs' adapters have in common.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterShape {
    /// Rank r.
    pub rank: usize,
    /// ΔW is `alpha / rank · B · A`, or with `use_rslora` `alpha / √rank · B · A`.
    pub alpha: f64,
    /// Whether the scale is rank-stabilised (arXiv 2312.03732).
    pub use_rslora: bool,
    /// Layers of a block that carry an adapter, in the order of [`Target::ALL`].
    pub targets: Vec<Target>,
}

impl AdapterShape {
    /// alpha / rank, or alpha / √rank where it is rank-stabilised.
    pub fn scale(&self) -> f64 {
        Self::scale_of(self.alpha, self.rank, self.use_rslora)
    }

    /// Whether adapters can have this alpha: above 0, and a number in single precision, in which all is computed.
    pub fn can_have_alpha(alpha: f64) -> bool {
        alpha > 0.0 && (alpha as f32).is_normal()
    }

    /// What adapters of this alpha and rank are multiplied by.
    pub fn scale_of(alpha: f64, rank: usize, use_rslora: bool) -> f64 {
        let rank = rank as f64;
        alpha / if use_rslora { rank.sqrt() } else { rank }
    }
}

/// The adapters of K runs on every adapted layer of a base.
#[derive(Debug, Clone)]
pub struct Adapters {
    /// Rank, alpha and targets.
    pub shape: AdapterShape,
    /// Runs K.
    pub runs: usize,
    /// One list a block, one bank a target in the order of `shape.targets`.
    pub blocks: Vec<Vec<Bank>>,
    /// Where the optimizer wants the gradients.
    #[cfg(feature = "webgpu")]
    pub gradient_places: Option<GradientPlaces>,
}

/// Where in one row a run the gradients of all banks belong: of `lora_a`, and of `lora_b`.
#[cfg(feature = "webgpu")]
#[derive(Debug, Clone)]
pub struct GradientPlaces {
    /// First element of each bank, block by block.
    pub starts: std::sync::Arc<[[usize; 2]]>,
    /// Elements of the rows.
    pub lengths: [usize; 2],
    /// The rows of one backward pass, [K, P].
    pub rows: Option<[Tensor<2>; 2]>,
}

impl Adapters {
    /// Fresh adapters: the same for every run, so that runs differ only in their optimizer.
    ///
    /// A is uniform in ±1/√in, which is PEFT's `kaiming_uniform_(a = √5)`; B is zero. Each layer
    /// draws from a ChaCha8 stream of its own, so that its values depend on `seed` alone and not
    /// on which other layers are adapted. Targets that the base does not have are left out.
    pub fn new(
        config: &ModelConfig,
        mut shape: AdapterShape,
        runs: usize,
        seed: u64,
        device: &Device,
    ) -> Self {
        shape
            .targets
            .retain(|target| target.shape(config).is_some());
        Self::of_layers(
            config.num_hidden_layers,
            |target| target.shape(config),
            shape,
            runs,
            seed,
            device,
        )
    }

    /// As [`Adapters::new`], on `layers` blocks whose linear layers have the channels in and out that
    /// `shape_of` says.
    pub fn of_layers(
        layers: usize,
        shape_of: impl Fn(Target) -> Option<(usize, usize)>,
        shape: AdapterShape,
        runs: usize,
        seed: u64,
        device: &Device,
    ) -> Self {
        let blocks = (0..layers)
            .map(|layer| {
                shape
                    .targets
                    .iter()
                    .filter_map(|&target| {
                        let (inputs, outputs) = shape_of(target)?;
                        let mut random = ChaCha8Rng::seed_from_u64(seed);
                        random.set_stream(target.stream(layer));
                        let bound = 1.0 / (inputs as f32).sqrt();
                        let a: Vec<f32> = (0..shape.rank * inputs)
                            .map(|_| random.random_range(-bound..bound))
                            .collect();
                        let a = TensorData::new(a, [1, shape.rank, inputs]);
                        Some(Bank {
                            a: Tensor::<3>::from_data(a, device).repeat_dim(0, runs),
                            b: Tensor::zeros([runs, outputs, shape.rank], device),
                        })
                    })
                    .collect()
            })
            .collect();
        Self::of_blocks(shape, runs, blocks)
    }

    /// Adapters of these factors.
    pub fn of_blocks(shape: AdapterShape, runs: usize, blocks: Vec<Vec<Bank>>) -> Self {
        Self {
            shape,
            runs,
            blocks,
            #[cfg(feature = "webgpu")]
            gradient_places: None,
        }
    }

    /// What the adapter on `target` in block `layer` needs in a forward pass without dropout, where there is one.
    pub fn input(&self, layer: usize, target: Target) -> Option<AdapterInput<'_>> {
        let index = self.shape.targets.iter().position(|&t| t == target)?;
        let bank = self.blocks.get(layer)?.get(index)?;
        Some(AdapterInput {
            bank,
            scale: self.shape.scale(),
            dropout: None,
            #[cfg(feature = "webgpu")]
            places: self.places(layer, index),
        })
    }

    #[cfg(feature = "webgpu")]
    fn places(&self, layer: usize, index: usize) -> Option<[crate::kernel::webgpu::Place; 2]> {
        let places = self.gradient_places.as_ref()?;
        let [a, b] = places.rows.clone()?;
        let before: usize = self.blocks[..layer].iter().map(Vec::len).sum();
        let starts = places.starts.get(before + index)?;
        Some(
            [(a, starts[0]), (b, starts[1])]
                .map(|(row, start)| crate::kernel::webgpu::Place { row, start }),
        )
    }

    /// The bank of `target` in block `layer`, where there is one.
    pub fn bank(&self, layer: usize, target: Target) -> Option<&Bank> {
        let index = self.shape.targets.iter().position(|&t| t == target)?;
        self.blocks.get(layer)?.get(index)
    }

    /// All banks, block by block.
    pub fn banks(&self) -> impl Iterator<Item = &Bank> {
        self.blocks.iter().flatten()
    }

    /// All banks, block by block, to be changed.
    pub fn banks_mut(&mut self) -> impl Iterator<Item = &mut Bank> {
        self.blocks.iter_mut().flatten()
    }

    /// The adapters of run `index` alone, as a bank of one.
    pub fn run(&self, index: usize) -> Self {
        let blocks = self
            .blocks
            .iter()
            .map(|banks| {
                banks
                    .iter()
                    .map(|bank| Bank {
                        a: bank.a.clone().narrow(0, index, 1),
                        b: bank.b.clone().narrow(0, index, 1),
                    })
                    .collect()
            })
            .collect();
        Self::of_blocks(self.shape.clone(), 1, blocks)
    }

    /// `runs` runs with the factors of this bank of one.
    pub fn repeated(&self, runs: usize) -> Self {
        let mut repeated = self.clone();
        repeated.runs = runs;
        for bank in repeated.banks_mut() {
            bank.a = bank.a.clone().repeat_dim(0, runs);
            bank.b = bank.b.clone().repeat_dim(0, runs);
        }
        repeated
    }

    /// The same runs and one more whose factors are 0, which computes the base.
    pub fn with_base(&self) -> Self {
        let mut all = self.clone();
        all.runs += 1;
        for bank in all.banks_mut() {
            for factor in [&mut bank.a, &mut bank.b] {
                let [_, rows, columns] = factor.dims();
                let zeros = Tensor::zeros([1, rows, columns], &factor.device());
                *factor = Tensor::cat(vec![factor.clone(), zeros], 0);
            }
        }
        all
    }

    /// Some of the runs, with one whose factors are 0 before them where `base` is set.
    ///
    /// # Panics
    /// With a run that is not there.
    pub fn chosen(&self, runs: &[usize], base: bool) -> Self {
        let mut chosen = self.clone();
        chosen.runs = runs.len() + usize::from(base);
        for bank in chosen.banks_mut() {
            for factor in [&mut bank.a, &mut bank.b] {
                let [_, rows, columns] = factor.dims();
                let zeros = base.then(|| Tensor::zeros([1, rows, columns], &factor.device()));
                let own = runs.iter().map(|&run| factor.clone().narrow(0, run, 1));
                *factor = Tensor::cat(zeros.into_iter().chain(own).collect(), 0);
            }
        }
        chosen
    }

    /// The same factors as leaves of a new autodiff graph.
    pub fn tracked(&self) -> Self {
        let mut tracked = self.clone();
        #[cfg(feature = "webgpu")]
        if let (Some(places), Some(bank)) = (&mut tracked.gradient_places, self.banks().next()) {
            let row = |length| Tensor::empty([self.runs, length], &bank.a.device());
            places.rows = Some(places.lengths.map(row));
        }
        for bank in tracked.banks_mut() {
            bank.a = bank.a.clone().autodiff().require_grad();
            bank.b = bank.b.clone().autodiff().require_grad();
        }
        tracked
    }

    /// Number of trained values of one run. A float, because settings that nobody has checked yet
    /// may ask for more than an integer of 32 bits holds.
    pub fn parameters(config: &ModelConfig, shape: &AdapterShape) -> f64 {
        let a_block: f64 = shape
            .targets
            .iter()
            .filter_map(|target| target.shape(config))
            .map(|(inputs, outputs)| shape.rank as f64 * (inputs + outputs) as f64)
            .sum();
        config.num_hidden_layers as f64 * a_block
    }
}
