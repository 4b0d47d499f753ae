//! An adapter as a GGUF file, as llama.cpp's `--lora` reads it.
//!
//! The metadata says that it is an adapter, of which architecture, and its alpha; a weight `NAME`
//! has its factors in `NAME.lora_a`, [r, in], and `NAME.lora_b`, [out, r]. llama.cpp takes the rank
//! from each tensor and scales by alpha / rank, whatever made the adapter: the alpha here is the rank times the scale that was
//! used, and an adapter of p parts, whose rank is p·r, has its B multiplied by p.

use burn::tensor::{Int, Tensor, TensorData, Transaction};

use super::{PeftError, Precision, factors::factors};
use crate::model::{Adapters, ModelConfig, arrangement::Arrangement, walk::gguf_arrangement};

/// What errors call the file.
const FILE: &str = "GGUF adapter";
/// Offsets of tensors are multiples of this many bytes.
const ALIGNMENT: usize = 32;
const VERSION: u32 = 3;

/// Writes run `run` for llama.cpp. `name` is what the file says of itself.
///
/// # Errors
/// A device that failed.
pub async fn write_gguf(
    adapters: &Adapters,
    run: usize,
    config: &ModelConfig,
    name: &str,
    precision: Precision,
) -> Result<Vec<u8>, PeftError> {
    let adapters = adapters.run(run);
    let architecture = config.architecture;
    let shape = &adapters.shape;
    let mut names = Vec::new();
    let mut transaction = Transaction::default();
    for (layer, banks) in adapters.blocks.iter().enumerate() {
        for (module, a, b) in factors(config, &shape.targets, banks) {
            let Some(module) = architecture.module_named(module) else {
                continue;
            };
            let weight = module.name.gguf;
            let parts = a.dims()[0] / shape.rank;
            let b = b.mul_scalar(parts as f64);
            let b = arranged(b, gguf_arrangement(config, module));
            for (factor, tensor) in [("lora_a", a), ("lora_b", b)] {
                let name = format!("blk.{layer}.{weight}.weight.{factor}");
                names.push((name, tensor.dims()));
                transaction = transaction.register(tensor);
            }
        }
    }
    let data = transaction
        .execute_async()
        .await
        .map_err(|error| PeftError::new(FILE, error))?;
    let tensors = names.into_iter().zip(&data);
    let tensors = tensors.map(|((name, shape), data)| WrittenTensor {
        name,
        shape,
        bytes: precision.bytes(data.iter::<f32>()),
    });
    let (kind, file_type) = precision.ggml_numbers();
    let metadata = [
        ("general.architecture", Value::Text(architecture.gguf_name)),
        ("general.type", Value::Text("adapter")),
        ("general.name", Value::Text(name)),
        ("general.file_type", Value::Whole(file_type)),
        ("adapter.type", Value::Text("lora")),
        (
            "adapter.lora.alpha",
            Value::Float((shape.scale() * shape.rank as f64) as f32),
        ),
    ];
    Ok(file(&metadata, &tensors.collect::<Vec<_>>(), kind))
}

/// The rows of a factor as the file has those of its weight.
fn arranged(b: Tensor<2>, arrangement: Arrangement) -> Tensor<2> {
    if arrangement.keeps_rows() {
        return b;
    }
    let rows = b.dims()[0];
    let order: Vec<i32> = (0..rows).map(|row| arrangement.row(row) as i32).collect();
    let order = Tensor::<1, Int>::from_data(TensorData::new(order, [rows]), &b.device());
    b.select(0, order)
}

/// A metadata value.
enum Value<'a> {
    Text(&'a str),
    Whole(u32),
    Float(f32),
}

struct WrittenTensor {
    name: String,
    /// As torch has it.
    shape: [usize; 2],
    bytes: Vec<u8>,
}

fn file(metadata: &[(&str, Value<'_>)], tensors: &[WrittenTensor], kind: u32) -> Vec<u8> {
    let mut bytes = b"GGUF".to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend((tensors.len() as u64).to_le_bytes());
    bytes.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in metadata {
        push_text(&mut bytes, key);
        match value {
            Value::Whole(value) => {
                bytes.extend(4_u32.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
            Value::Float(value) => {
                bytes.extend(6_u32.to_le_bytes());
                bytes.extend(value.to_le_bytes());
            }
            Value::Text(text) => {
                bytes.extend(8_u32.to_le_bytes());
                push_text(&mut bytes, text);
            }
        }
    }
    let mut offset = 0;
    for tensor in tensors {
        push_text(&mut bytes, &tensor.name);
        bytes.extend((tensor.shape.len() as u32).to_le_bytes());
        // The file has dimensions in the opposite order.
        for size in tensor.shape.iter().rev() {
            bytes.extend((*size as u64).to_le_bytes());
        }
        bytes.extend(kind.to_le_bytes());
        bytes.extend((offset as u64).to_le_bytes());
        offset += tensor.bytes.len().next_multiple_of(ALIGNMENT);
    }
    for tensor in tensors {
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        bytes.extend(&tensor.bytes);
    }
    bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
    bytes
}

fn push_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine;
    use crate::load::{MemorySource, Source, gguf::contents};
    use crate::model::{AdapterShape, Target, architecture::Fields};
    use crate::packed::dequantise;

    fn config(json: serde_json::Value) -> ModelConfig {
        let fields = Fields::new(json).expect("an object");
        ModelConfig::from_json(&fields).expect("a sound config")
    }

    fn llama() -> ModelConfig {
        config(serde_json::json!({
            "model_type": "llama",
            "vocab_size": 10,
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
        }))
    }

    fn gpt2() -> ModelConfig {
        config(serde_json::json!({
            "model_type": "gpt2",
            "vocab_size": 10,
            "n_embd": 32,
            "n_inner": 48,
            "n_layer": 2,
            "n_positions": 16,
            "n_head": 4,
        }))
    }

    async fn adapters(config: &ModelConfig, targets: &[Target]) -> Adapters {
        let device = engine::start().await.expect("the CPU engine").0;
        let shape = AdapterShape {
            rank: 4,
            alpha: 8.0,
            use_rslora: false,
            targets: targets.to_vec(),
        };
        let mut adapters = Adapters::new(config, shape, 2, 0, &device);
        for bank in adapters.banks_mut() {
            let dims = bank.b.dims();
            let count = dims.iter().product::<usize>();
            let values: Vec<f32> = (0..count).map(|i| i as f32 / count as f32).collect();
            bank.b = Tensor::from_data(TensorData::new(values, dims), &device);
        }
        adapters
    }

    /// The tensors of the file, as the GGUF reader finds them.
    async fn read(bytes: Vec<u8>) -> Vec<(String, Vec<usize>, Vec<f32>)> {
        let source = MemorySource::new("adapter.gguf", bytes);
        let (metadata, stored) = contents(&source).await.expect("a GGUF file");
        assert_eq!(metadata.string("general.type"), Ok(Some("adapter")));
        assert_eq!(metadata.string("adapter.type"), Ok(Some("lora")));
        assert_eq!(metadata.float("adapter.lora.alpha"), Ok(Some(8.0)));
        let mut tensors = Vec::new();
        for tensor in stored {
            let bytes = source.read(tensor.offset, tensor.bytes as usize).await;
            let mut values = vec![0.0; tensor.shape.iter().product()];
            dequantise(tensor.storage, &bytes.expect("in the file"), &mut values);
            tensors.push((tensor.name, tensor.shape, values));
        }
        tensors
    }

    #[pollster::test]
    async fn rows_of_queries_come_back_in_hugging_faces_order() {
        let config = llama();
        let all = adapters(&config, &[Target::QProj, Target::VProj]).await;
        let written = write_gguf(&all, 1, &config, "tiny", Precision::F32).await;
        let tensors = read(written.expect("written")).await;
        let names: Vec<&str> = tensors.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(
            names[..4],
            [
                "blk.0.attn_q.weight.lora_a",
                "blk.0.attn_q.weight.lora_b",
                "blk.0.attn_v.weight.lora_a",
                "blk.0.attn_v.weight.lora_b"
            ]
        );
        assert_eq!(tensors.len(), 8);
        let bank = &all.run(1).blocks[0];
        let values = |tensor: &Tensor<3>| tensor.to_data().iter::<f32>().collect::<Vec<_>>();
        assert_eq!(tensors[0].1, [4, 32]);
        assert_eq!(tensors[0].2, values(&bank[0].a));
        let ours = values(&bank[0].b);
        assert_ne!(tensors[1].2, ours);
        for (row, found) in tensors[1].2.chunks_exact(4).enumerate() {
            let row = Arrangement::Pairs { head_dim: 8 }.row(row);
            assert_eq!(found, &ours[row * 4..row * 4 + 4]);
        }
        assert_eq!(tensors[3].1, [16, 4]);
        assert_eq!(tensors[3].2, values(&bank[1].b));
    }

    /// llama.cpp divides alpha by the rank of each tensor.
    #[pollster::test]
    async fn parts_of_the_fused_layer_keep_their_scale() {
        let config = gpt2();
        let targets = [Target::QProj, Target::VProj, Target::DownProj];
        let all = adapters(&config, &targets).await;
        let written = write_gguf(&all, 0, &config, "tiny", Precision::F16).await;
        let tensors = read(written.expect("written")).await;
        let find = |name: &str| {
            let found = tensors.iter().find(|(other, ..)| other == name);
            found.expect("a tensor of this name")
        };
        assert_eq!(find("blk.1.ffn_down.weight.lora_a").1, [4, 48]);
        assert_eq!(find("blk.1.attn_qkv.weight.lora_a").1, [8, 32]);
        let (_, shape, b) = find("blk.1.attn_qkv.weight.lora_b");
        assert_eq!(*shape, [96, 8]);
        let value = all.run(0).blocks[1][0].b.to_data().iter::<f32>().nth(5);
        // Row 1, column 1 of the first part, times two parts.
        assert!((b[9] - 2.0 * value.expect("a value")).abs() < 1e-3);
    }
}
