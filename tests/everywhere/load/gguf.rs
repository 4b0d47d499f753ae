//! What an honest GGUF file gives.

use riemann_lora::load::{HostTensor, MemorySource, StorageType};
use riemann_lora::model::Checkpoint;
use serde::Deserialize;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    GOLDEN_WEIGHTS, assert_refused,
    gguf_writer::{GgufWriter, Sizes, TINY, TOKENS, Value, WIDE, WrittenTensor},
    golden_folder, open, theta,
};

async fn open_gguf(writer: &GgufWriter) -> Checkpoint<MemorySource> {
    let opened = open(&[("tiny.gguf", &writer.finish())]).await;
    opened.expect("the file is honest")
}

async fn read(checkpoint: &Checkpoint<MemorySource>, name: &str) -> HostTensor {
    checkpoint
        .tensor(name)
        .await
        .expect("the tensor was checked when the file was opened")
}

fn single_precision(values: impl IntoIterator<Item = f32>) -> Vec<u8> {
    values.into_iter().flat_map(f32::to_le_bytes).collect()
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn config_and_tensors_are_listed() {
    let checkpoint = open_gguf(&GgufWriter::llama(TINY)).await;
    assert_eq!(checkpoint.name(), "tiny");
    let config = checkpoint.config();
    assert_eq!(config.vocab_size as u64, TOKENS);
    assert_eq!((config.hidden_size, config.intermediate_size), (32, 64));
    assert_eq!(
        (config.num_attention_heads, config.num_key_value_heads),
        (4, 2)
    );
    assert_eq!((config.head_dim, config.num_hidden_layers), (8, 1));
    assert_eq!(config.max_position_embeddings, 64);
    // The file has it in single precision, where 1e-5 is not 1e-5.
    assert_eq!((config.norm_eps, theta(config)), (1e-5, 100_000.0));
    assert!(!config.tie_word_embeddings);

    let listed: Vec<(&str, &[usize])> = checkpoint
        .tensors()
        .iter()
        .map(|tensor| (tensor.name.as_str(), tensor.shape.as_slice()))
        .collect();
    let expected: [(&str, &[usize]); 12] = [
        ("model.embed_tokens.weight", &[261, 32]),
        ("model.layers.0.input_layernorm.weight", &[32]),
        ("model.layers.0.self_attn.q_proj.weight", &[32, 32]),
        ("model.layers.0.self_attn.k_proj.weight", &[16, 32]),
        ("model.layers.0.self_attn.v_proj.weight", &[16, 32]),
        ("model.layers.0.self_attn.o_proj.weight", &[32, 32]),
        ("model.layers.0.post_attention_layernorm.weight", &[32]),
        ("model.layers.0.mlp.gate_proj.weight", &[64, 32]),
        ("model.layers.0.mlp.up_proj.weight", &[64, 32]),
        ("model.layers.0.mlp.down_proj.weight", &[32, 64]),
        ("model.norm.weight", &[32]),
        ("lm_head.weight", &[261, 32]),
    ];
    assert_eq!(listed, expected);
    let total: usize = checkpoint
        .tensors()
        .iter()
        .map(|tensor| tensor.elements())
        .sum();
    assert_eq!(total as u64, config.parameters());
    assert_eq!(checkpoint.tensors()[0].bytes, 261 * 32 * 4);
}

everywhere! {
    /// Some converters write one number a layer.
    async fn arrays_of_equal_numbers_are_that_number() {
        let mut writer = GgufWriter::llama(TINY);
        writer.set("llama.attention.head_count_kv", Value::Integers(vec![2, 2]));
        let checkpoint = open_gguf(&writer).await;
        assert_eq!(checkpoint.config().num_key_value_heads, 2);
        writer.set("llama.attention.head_count_kv", Value::Integers(vec![2, 4]));
        let expected = "llama.attention.head_count_kv differs between layers";
        assert_refused(&[("model.gguf", &writer.finish())], expected).await;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn a_head_that_is_not_there_is_tied() {
    let mut writer = GgufWriter::llama(TINY);
    writer
        .tensors
        .retain(|tensor| tensor.name != "output.weight");
    let checkpoint = open_gguf(&writer).await;
    assert!(checkpoint.config().tie_word_embeddings);
    let error = checkpoint
        .tensor("lm_head.weight")
        .await
        .expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "tiny: it has no tensor called lm_head.weight"
    );
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn version_alignment_and_file_name_may_differ() {
    for (version, alignment) in [(2, 32), (3, 64), (3, 8)] {
        let mut writer = GgufWriter::llama(TINY);
        writer.version = version;
        writer.alignment = alignment;
        writer.set("general.alignment", Value::U64(alignment));
        // So that tensors behind it need padding.
        writer.tensor("blk.0.attn_norm.weight").bytes = single_precision((0..32).map(|i| i as f32));
        let bytes = writer.finish();
        // The first bytes tell what it is where the name does not.
        let checkpoint = open(&[("README.md", b"hello"), ("model.bin", &bytes)]).await;
        let checkpoint = checkpoint.expect("the file is honest");
        let norm = read(&checkpoint, "model.layers.0.input_layernorm.weight").await;
        let expected: Vec<f32> = (0..32).map(|i| i as f32).collect();
        assert_eq!((norm.shape, norm.values), (vec![32], expected));
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn query_and_key_rows_come_in_hugging_face_order() {
    let mut writer = GgufWriter::llama(TINY);
    for (name, rows) in [("attn_q", 32), ("attn_k", 16), ("attn_v", 16)] {
        let values = (0..rows).flat_map(|row| std::iter::repeat_n(row as f32, 32));
        writer.tensor(&format!("blk.0.{name}.weight")).bytes = single_precision(values);
    }
    let checkpoint = open_gguf(&writer).await;
    // Two halves of a head, whose rows the file keeps alternating: 0 and 1 are a pair, so are 2 and 3.
    let head = [0.0, 2.0, 4.0, 6.0, 1.0, 3.0, 5.0, 7.0];
    let heads = |count: usize| -> Vec<f32> {
        (0..count)
            .flat_map(|i| head.map(|row| row + 8.0 * i as f32))
            .collect()
    };
    let cases = [
        ("q_proj", heads(4)),
        ("k_proj", heads(2)),
        ("v_proj", (0..16).map(|row| row as f32).collect()),
    ];
    for (name, expected) in cases {
        let name = format!("model.layers.0.self_attn.{name}.weight");
        let tensor = read(&checkpoint, &name).await;
        let rows: Vec<f32> = tensor.values.chunks(32).map(|row| row[0]).collect();
        assert_eq!(rows, expected, "{name}");
        assert!(
            tensor
                .values
                .chunks(32)
                .all(|row| row.iter().all(|value| *value == row[0]))
        );
    }
}

#[derive(Deserialize)]
struct ReferenceBlocks {
    number: u32,
    bytes: String,
    values: Vec<f32>,
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn every_storage_type_can_be_the_type_of_a_tensor() {
    let mut blocks: Vec<(u32, Vec<u8>, Vec<f32>)> = vec![
        (0, single_precision([1.5, -2.0]), vec![1.5, -2.0]),
        (1, vec![0x00, 0x3E, 0x00, 0xC0], vec![1.5, -2.0]),
        (30, vec![0xC0, 0x3F, 0x00, 0xC0], vec![1.5, -2.0]),
    ];
    let quantised: Vec<ReferenceBlocks> =
        serde_json::from_str(include_str!("../../fixtures/dequantise.json"))
            .expect("the fixture is JSON");
    for case in quantised {
        let digits = (0..case.bytes.len()).step_by(2);
        let bytes = digits.map(|i| u8::from_str_radix(&case.bytes[i..i + 2], 16));
        let bytes = bytes
            .collect::<Result<_, _>>()
            .expect("the fixture is hexadecimal");
        blocks.push((case.number, bytes, case.values));
    }
    assert_eq!(blocks.len(), 16);
    for (number, bytes, values) in blocks {
        let mut writer = GgufWriter::llama(WIDE);
        // A matrix that is read as it is, and one whose rows are reordered.
        for name in ["blk.0.attn_output.weight", "blk.0.attn_q.weight"] {
            let tensor = writer.tensor(name);
            let copies = 256 * 256 / values.len();
            *tensor = WrittenTensor {
                kind: number,
                bytes: bytes.repeat(copies),
                ..tensor.clone()
            };
        }
        let storage = StorageType::from_ggml(number).expect("the type is supported");
        let checkpoint = open_gguf(&writer).await;
        let info = checkpoint
            .tensors()
            .iter()
            .find(|tensor| tensor.name.contains("o_proj"));
        let info = info.expect("every layer has one");
        assert_eq!(info.storage, storage);
        assert_eq!(
            info.bytes as usize,
            bytes.len() * (256 * 256 / values.len())
        );

        let largest = values
            .iter()
            .fold(0.0f32, |largest, value| largest.max(value.abs()));
        let is_close = |a: f32, b: f32| (a - b).abs() <= 1e-6 * largest;
        let plain = read(&checkpoint, "model.layers.0.self_attn.o_proj.weight").await;
        assert_eq!(plain.shape, [256, 256]);
        for (i, value) in plain.values.iter().enumerate() {
            assert!(
                is_close(*value, values[i % values.len()]),
                "{storage}: value {i}"
            );
        }
        let reordered = read(&checkpoint, "model.layers.0.self_attn.q_proj.weight").await;
        for (row, found) in reordered.values.chunks(256).enumerate() {
            let (head, inside) = (row / 64, row % 64);
            let row_in_file = head * 64 + inside % 32 * 2 + inside / 32;
            for (i, value) in found.iter().enumerate() {
                let expected = values[(row_in_file * 256 + i) % values.len()];
                assert!(is_close(*value, expected), "{storage}: row {row}");
            }
        }
    }
}

/// The golden Llama model as a converter would write it: other names, other order of query and key rows.
pub fn golden_as_gguf() -> GgufWriter {
    let sizes = Sizes {
        hidden: 32,
        feed_forward: 88,
        heads: 4,
        key_heads: 2,
        head_dim: 8,
        layers: 2,
    };
    let mut writer = GgufWriter::llama(sizes);
    writer.set("llama.context_length", Value::U32(128));
    writer.set("llama.rope.freq_base", Value::F32(10_000.0));
    writer
        .tensors
        .retain(|tensor| tensor.name != "output.weight");
    let golden =
        safetensors::SafeTensors::deserialize(GOLDEN_WEIGHTS).expect("the fixture is sound");
    for tensor in &mut writer.tensors {
        let name = tensor.name.replace("blk.", "model.layers.");
        let pairs = [
            ("token_embd", "model.embed_tokens"),
            ("output_norm", "model.norm"),
            ("attn_norm", "input_layernorm"),
            ("ffn_norm", "post_attention_layernorm"),
            ("attn_output", "self_attn.o_proj"),
            ("attn_q", "self_attn.q_proj"),
            ("attn_k", "self_attn.k_proj"),
            ("attn_v", "self_attn.v_proj"),
            ("ffn_gate", "mlp.gate_proj"),
            ("ffn_up", "mlp.up_proj"),
            ("ffn_down", "mlp.down_proj"),
        ];
        let name = pairs
            .iter()
            .fold(name, |name, (from, to)| name.replace(from, to));
        let view = golden.tensor(&name).expect("both have the same tensors");
        tensor.shape = view.shape().iter().map(|&size| size as u64).collect();
        tensor.bytes = view.data().to_vec();
        if name.contains("q_proj") || name.contains("k_proj") {
            let rows: Vec<&[u8]> = view.data().chunks(32 * 4).collect();
            // Row (head, side, pair) of [heads, 2, 4] goes to (head, pair, side).
            let order = (0..rows.len()).map(|row| row / 8 * 8 + row % 2 * 4 + row % 8 / 2);
            tensor.bytes = order.flat_map(|row| rows[row].to_vec()).collect();
        }
    }
    writer
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn both_formats_give_the_same_golden_model() {
    let mut writer = golden_as_gguf();
    // Its vocabulary is larger than this tokenizer's, as it is in models whose tables are padded.
    assert_eq!(writer.tensor("token_embd.weight").shape, [320, 32]);
    let from_gguf = open_gguf(&writer).await;
    let from_folder = open(&golden_folder()).await.expect("the fixture is sound");
    assert_eq!(from_gguf.config().vocab_size, 320);
    assert_eq!(from_gguf.config(), from_folder.config());
    assert_eq!(from_gguf.tensors(), from_folder.tensors());
    for tensor in from_folder.tensors() {
        let name = &tensor.name;
        assert_eq!(
            read(&from_gguf, name).await,
            read(&from_folder, name).await,
            "{name}"
        );
    }
}
