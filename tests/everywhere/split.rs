//! Weights and vocabularies that are larger than a device takes in one piece.

use burn::tensor::{Int, Tensor};
use riemann_lora::{
    kernel::{Direction, Matrix, ProductPrecision},
    load::StorageType,
    model::{Base, FrozenWeight, WeightForm},
    optim::OptimizerSettings,
    train::{
        Session,
        binding::check_binding,
        estimate::{Room, estimate},
    },
};

use crate::kernel::{assert_close, check_gradient};
use crate::support::{LLAMA, adapters, device, draws::normal, settings, values};

const OUTPUTS: usize = 38;
const INPUTS: usize = 64;

/// The same rows whole and in four parts, packed and as f32.
async fn whole_and_split() -> Vec<[FrozenWeight; 2]> {
    let device = device().await;
    let all = values(normal([OUTPUTS, INPUTS], 0.5, &device)).await;
    let in_parts = Some(10 * INPUTS * size_of::<f32>());
    let halves: Vec<u8> = all
        .iter()
        .flat_map(|value| half::f16::from_f32(*value).to_le_bytes())
        .collect();
    let packed = |most_bytes| {
        let matrix = Matrix::new(StorageType::F16, [OUTPUTS, INPUTS], halves.clone());
        FrozenWeight::packed(matrix.unwrap(), most_bytes, &device)
    };
    let dense =
        |most_bytes| FrozenWeight::dense(all.clone(), [OUTPUTS, INPUTS], most_bytes, &device);
    vec![
        [packed(None), packed(in_parts)],
        [dense(None), dense(in_parts)],
    ]
}

everywhere! {
    async fn a_split_weight_computes_what_the_whole_one_does() {
        let device = device().await;
        for [whole, split] in whole_and_split().await {
            let FrozenWeight::Split(parts) = &split else { panic!("{split:?}") };
            let rows: Vec<usize> = parts.parts().iter().map(|part| part.dims()[0]).collect();
            assert_eq!(rows, [10, 10, 10, 8]);
            assert_eq!(split.dims(), [OUTPUTS, INPUTS]);
            assert!(split.bytes() < whole.bytes() + 16);

            for (direction, width) in [(Direction::Forward, INPUTS), (Direction::Backward, OUTPUTS)] {
                let x = normal([5, width], 1.0, &device);
                let product = |weight: &FrozenWeight| {
                    weight.opened().product(x.clone(), direction, ProductPrecision::Single)
                };
                assert_close(&values(product(&split)).await, &values(product(&whole)).await);
                let loss = |x| split.product(x, direction, ProductPrecision::Single).square().sum();
                check_gradient([5, width], 0.3, loss, &device).await;
            }
            let x = normal([2, INPUTS], 1.0, &device);
            let forward = |weight: &FrozenWeight| weight.forward(x.clone(), ProductPrecision::Single);
            assert_close(&values(forward(&split)).await, &values(forward(&whole)).await);

            // The first and the last row of parts, in no order, one twice.
            let ids = Tensor::<1, Int>::from_data([10, 0, 37, 9, 29, 30, 0], &device);
            let found = values(split.select(ids.clone())).await;
            assert_eq!(found, values(whole.select(ids)).await);
            for (start, count) in [(0, OUTPUTS), (9, 2), (12, 20), (37, 1)] {
                let found = values(split.rows(start, count)).await;
                assert_eq!(found, values(whole.rows(start, count)).await);
            }
        }
    }
}

everywhere! {
    async fn a_model_in_parts_trains_as_the_whole_one() {
        let (device, checkpoint) = (device().await, LLAMA.checkpoint().await);
        let golden = LLAMA.golden();
        for form in [WeightForm::Dense, WeightForm::Packed] {
            // The vocabulary of 320 words has 40 KiB, and the logits of six tokens have 8.
            let model = Base::load_as(form, Some(8192), &checkpoint, &device, |_, _| true);
            let model = model.await.unwrap();
            assert!(matches!(&model.embedding, FrozenWeight::Split(split) if split.parts().len() == 5));
            assert!(matches!(model.head, FrozenWeight::Split(_)));
            let case = &golden.cases["scaled_adamw"];
            let start = adapters(LLAMA.adapter("adapter_init"), &model, 1);
            let settings = settings(vec![case.hyper.settings()]);
            let mut session = Session::with_adapters(&model, settings, start);
            for (batch, expected) in golden.batches.iter().zip(&case.losses).take(3) {
                let batch = batch.batch();
                let evaluated = session.evaluate(&model, &batch).await.unwrap().means()[0];
                let report = session.step(&model, &batch).await.unwrap();
                for loss in [evaluated, report.runs[0].loss.unwrap()] {
                    assert!((loss - expected).abs() < 1e-4, "{loss} {expected}");
                }
            }
        }
    }
}

everywhere! {
    async fn what_cannot_be_split_is_named_with_what_to_lower() {
        let config = LLAMA.model().await.config;
        let with = |rank| riemann_lora::train::SessionSettings {
            rank,
            ..settings(vec![OptimizerSettings::adamw(1e-3)])
        };
        let check = |rank, most_bytes| check_binding(&with(rank), &config, 64, most_bytes);
        // Two sequences.
        let scores = 2 * config.num_attention_heads * 64 * 64 * size_of::<f32>();
        assert_eq!(check(1, None), Ok(()));
        assert_eq!(check(1, Some(scores)), Ok(()));
        let refused = check(1, Some(scores - 1)).unwrap_err();
        assert!(refused.contains("attention scores"), "{refused}");
        assert!(refused.contains("micro_batch_size"), "{refused}");
        let refused = check(4096, Some(scores)).unwrap_err();
        assert!(refused.contains("adapters") && refused.contains("lower rank"), "{refused}");
    }
}

everywhere! {
    async fn the_estimate_knows_that_chunks_of_logits_are_shorter() {
        // So many words that the head takes more than a block does.
        let mut config = LLAMA.model().await.config;
        config.vocab_size = 1 << 17;
        let settings = settings(vec![OptimizerSettings::adamw(1e-3)]);
        let total = |most_bytes| {
            let room = Room { most_bytes, ..Room::default() };
            estimate(&settings, &config, room, 64).total
        };
        // Of two sequences of 64 tokens an eighth, and of logits room for 6: 16 rows become 4.
        let row = f64::from(4 << 17);
        let at_once = if cfg!(feature = "webgpu") { 3.0 } else { 1.0 };
        let shorter = total(None) - total(Some(6 * (4 << 17)));
        assert!((shorter - at_once * 12.0 * row).abs() < 1.0, "{shorter}");
    }
}

/// A device that has what every WebGPU adapter has and no more.
#[cfg(feature = "webgpu")]
mod default_limits {
    use burn::tensor::Device;
    use burn_wgpu::WgpuSetup;
    use riemann_lora::load::MemorySource;
    use riemann_lora::model::Checkpoint;

    use super::*;
    use crate::support::norm;

    const TOKENIZER: &[u8] = include_bytes!("../fixtures/golden/tokenizer.json");
    const CHANNELS: usize = 256;
    /// 137 MB in f32, more than the 128 MiB that are bound at once; as halves it fits.
    const WORDS: usize = 134_000;
    const CONFIG: &str = r#"{
        "model_type": "llama", "hidden_size": 256, "intermediate_size": 32, "num_hidden_layers": 1,
        "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 134000,
        "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": true, "hidden_act": "silu"
    }"#;

    async fn device_with_default_limits() -> Device {
        // It starts the engine, without which there is no compiler of kernels.
        crate::support::device().await;
        let backend = wgpu::Backend::BrowserWebGpu;
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: backend.into(),
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let options = wgpu::RequestAdapterOptions::default();
        let adapter = instance.request_adapter(&options).await.unwrap();
        let limits = wgpu::Limits::default();
        assert_eq!(limits.max_storage_buffer_binding_size, 128 << 20);
        assert_eq!(limits.max_buffer_size, 256 << 20);
        let descriptor = wgpu::DeviceDescriptor {
            required_limits: limits,
            ..wgpu::DeviceDescriptor::default()
        };
        let (device, queue) = adapter.request_device(&descriptor).await.unwrap();
        let given = device.limits();
        assert_eq!(given.max_storage_buffer_binding_size, 128 << 20);
        assert_eq!(given.max_buffer_size, 256 << 20);
        let setup = WgpuSetup {
            instance,
            adapter,
            device,
            queue,
            backend,
        };
        Device::wgpu_options().setup(setup).init().unwrap()
    }

    /// A model with a large vocabulary and one small block.
    async fn checkpoint() -> Checkpoint<MemorySource> {
        use rand::{Rng, SeedableRng};
        use safetensors::{Dtype, serialize, tensor::TensorView};

        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let block = |name: &str| format!("model.layers.0.{name}.weight");
        let linear = [
            ("self_attn.q_proj", [256, 256]),
            ("self_attn.k_proj", [256, 256]),
            ("self_attn.v_proj", [256, 256]),
            ("self_attn.o_proj", [256, 256]),
            ("mlp.gate_proj", [32, 256]),
            ("mlp.up_proj", [32, 256]),
            ("mlp.down_proj", [256, 32]),
        ];
        let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = linear
            .iter()
            .map(|(name, shape)| (block(name), shape.to_vec()))
            .chain([("model.embed_tokens.weight".into(), vec![WORDS, CHANNELS])])
            .map(|(name, shape)| {
                let values = (0..shape.iter().product()).flat_map(|_| {
                    half::f16::from_f32(random.random_range(-0.1..0.1)).to_le_bytes()
                });
                let values = values.collect();
                (name, shape, values)
            })
            .collect();
        let ones = half::f16::ONE.to_le_bytes().repeat(CHANNELS);
        for name in [
            block("input_layernorm"),
            block("post_attention_layernorm"),
            "model.norm.weight".into(),
        ] {
            tensors.push((name, vec![CHANNELS], ones.clone()));
        }
        let views = tensors.iter().map(|(name, shape, bytes)| {
            (
                name,
                TensorView::new(Dtype::F16, shape.clone(), bytes).unwrap(),
            )
        });
        let weights = serialize(views, None).unwrap();
        drop(tensors);
        Checkpoint::open(vec![
            MemorySource::new("config.json", CONFIG.as_bytes()),
            MemorySource::new("model.safetensors", weights),
            MemorySource::new("tokenizer.json", TOKENIZER),
        ])
        .await
        .unwrap()
    }

    everywhere! {
        async fn a_vocabulary_that_does_not_fit_a_binding_trains() {
            let small = device_with_default_limits().await;
            let large = crate::support::device().await;
            let checkpoint = checkpoint().await;
            // The golden ids, spread over the whole vocabulary.
            let mut batch = LLAMA.golden().batches[0].batch();
            for id in batch.ids.iter_mut().chain(&mut batch.labels).filter(|id| **id >= 0) {
                *id = *id * 397 % WORDS as i32;
            }
            let mut results = Vec::new();
            for (device, most_bytes) in [(small, Some(128 << 20)), (large, None)] {
                let model = Base::load_as(WeightForm::Packed, most_bytes, &checkpoint, &device, |_, _| true);
                let model = model.await.unwrap();
                let parts = match &model.embedding {
                    FrozenWeight::Split(split) => split.parts().len(),
                    _ => 1,
                };
                assert_eq!(parts, if most_bytes.is_some() { 2 } else { 1 });
                let settings = settings(vec![OptimizerSettings::adamw(1e-2)]);
                let mut session = Session::new(&model, settings).unwrap();
                let mut losses = Vec::new();
                for _ in 0..2 {
                    let report = session.step(&model, &batch).await.unwrap();
                    losses.push(report.runs[0].loss.unwrap());
                }
                let b = session.adapters().banks().last().unwrap().b.clone();
                results.push((losses, values(b).await));
            }
            let [(losses, factor), (expected, expected_factor)] = &results[..] else { panic!() };
            // All words are about as likely.
            assert!((losses[0] - (WORDS as f64).ln()).abs() < 2.0, "{losses:?}");
            assert!(losses[1] < losses[0] - 1e-3, "{losses:?}");
            for (loss, expected) in losses.iter().zip(expected) {
                assert!((loss - expected).abs() < 1e-4, "{losses:?} {expected:?}");
            }
            let change = norm(expected_factor.iter().map(|&v| f64::from(v)));
            let error = norm(factor.iter().zip(expected_factor).map(|(x, y)| f64::from(x - y)));
            assert!(change > 0.0 && error < 1e-3 * change, "{error} of {change}");
        }
    }
}
