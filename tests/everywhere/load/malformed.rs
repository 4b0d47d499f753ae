//! Files that are wrong, and what is said about them.

use safetensors::Dtype;
use serde_json::{Value as Json, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    GOLDEN_CONFIG, GOLDEN_TOKENIZER, GOLDEN_WEIGHTS, assert_refused,
    gguf_writer::{GgufWriter, TINY, TOKENS, Value},
    golden_folder,
    hugging_face::{config_with, golden_tensors, write},
    open,
};

/// A change to an honest file, and a part of the message that it must lead to.
type Case = (&'static str, fn(&mut GgufWriter));

const LFS_POINTER: &[u8] =
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 269060552\n";

/// Names and contents.
type Files<'a> = Vec<(&'a str, &'a [u8])>;

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

const HEADER_CASES: &[Case] = &[
    (
        "model.gguf: it is a GGUF file of version 1; versions 2 and 3",
        |file| file.version = 1,
    ),
    ("it is a GGUF file of version 4", |file| file.version = 4),
    ("big-endian", |file| file.version = 3u32.swap_bytes()),
    ("it claims to have 1152921504606846976 tensors", |file| {
        file.counts.0 = Some(1 << 60)
    }),
    (
        "it claims to have 1152921504606846976 metadata entries",
        |file| file.counts.1 = Some(1 << 60),
    ),
    // The bytes behind the last entry are taken for one.
    ("model.gguf: ", |file| file.counts.1 = Some(60_000)),
    ("model.gguf: ", |file| file.counts.0 = Some(60_000)),
    ("general.alignment is 0", |file| {
        file.set("general.alignment", Value::U32(0))
    }),
    ("general.alignment is 24", |file| {
        file.set("general.alignment", Value::U32(24))
    }),
    ("general.alignment is -8", |file| {
        file.set("general.alignment", Value::I32(-8))
    }),
    ("general.alignment is not an integer", |file| {
        file.set("general.alignment", text("x"))
    }),
    ("metadata key general.name occurs twice", |file| {
        file.metadata
            .push(("general.name".to_owned(), text("again")));
    }),
];

const MODEL_CASES: &[Case] = &[
    ("it does not name its architecture", |file| {
        file.remove("general.architecture")
    }),
    (
        "its architecture is mamba, which is not supported; use a model of the llama, qwen2, qwen3, smollm3, granite, \
         gemma2, gemma3, olmo2, phi3, gptneox or gpt2 architecture",
        |file| {
            file.set("general.architecture", text("mamba"));
        },
    ),
    ("it is one of 3 parts, but split.no is missing", |file| {
        file.set("split.count", Value::U32(3))
    }),
    ("mixture of 8 experts", |file| {
        file.set("llama.expert_count", Value::U32(8))
    }),
    ("rotary positions are scaled (yarn)", |file| {
        file.set("llama.rope.scaling.type", text("yarn"));
    }),
    ("llama.block_count is missing", |file| {
        file.remove("llama.block_count")
    }),
    ("num_hidden_layers is 0", |file| {
        file.set("llama.block_count", Value::U32(0))
    }),
    ("num_hidden_layers is 4000000000", |file| {
        file.set("llama.block_count", Value::U32(4_000_000_000));
    }),
    ("tensor blk.1.attn_norm.weight is missing", |file| {
        file.set("llama.block_count", Value::U32(1 << 20));
    }),
    ("llama.embedding_length is not an integer", |file| {
        file.set("llama.embedding_length", Value::F32(32.0));
    }),
    ("cannot be divided among 5 heads", |file| {
        file.remove("llama.attention.key_length");
        file.set("llama.attention.head_count", Value::U32(5));
    }),
    ("cannot be divided among 0 heads", |file| {
        file.remove("llama.attention.key_length");
        file.set("llama.attention.head_count", Value::U32(0));
    }),
    ("num_key_value_heads is 3", |file| {
        file.set("llama.attention.head_count_kv", Value::U32(3));
    }),
    ("its keys have 8 channels a head and its values 4", |file| {
        file.set("llama.attention.value_length", Value::U32(4));
    }),
    ("turn 4 of 8 channels", |file| {
        file.set("llama.rope.dimension_count", Value::U32(4))
    }),
    ("rms_norm_eps is NaN", |file| {
        file.set(
            "llama.attention.layer_norm_rms_epsilon",
            Value::F32(f32::NAN),
        );
    }),
    ("layer_norm_rms_epsilon is missing", |file| {
        file.remove("llama.attention.layer_norm_rms_epsilon");
    }),
];

const TENSOR_CASES: &[Case] = &[
    (
        "model.gguf: tensor blk.0.attn_q.weight is IQ2_S, which is not supported; \
         use F32, F16, BF16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q2_K to Q6_K, IQ4_NL, IQ4_XS or MXFP4",
        |file| file.tensor("blk.0.attn_q.weight").kind = 22,
    ),
    (
        "tensor blk.0.attn_q.weight is of the unknown type 77",
        |file| {
            file.tensor("blk.0.attn_q.weight").kind = 77;
        },
    ),
    ("tensor token_embd.weight is missing", |file| {
        file.tensors
            .retain(|tensor| tensor.name != "token_embd.weight");
    }),
    ("tensor blk.0.ffn_up.weight is missing", |file| {
        file.tensors
            .retain(|tensor| tensor.name != "blk.0.ffn_up.weight");
    }),
    (
        "tensor blk.0.attn_q.bias has no place in a Llama model",
        |file| {
            let norm = file.tensor("blk.0.attn_norm.weight").clone();
            let name = "blk.0.attn_q.bias".to_owned();
            file.tensors
                .push(super::gguf_writer::WrittenTensor { name, ..norm });
        },
    ),
    ("scaled rotary frequencies (rope_freqs.weight)", |file| {
        let norm = file.tensor("blk.0.attn_norm.weight").clone();
        let name = "rope_freqs.weight".to_owned();
        file.tensors
            .push(super::gguf_writer::WrittenTensor { name, ..norm });
    }),
    ("tensor output_norm.weight occurs twice", |file| {
        let norm = file.tensor("output_norm.weight").clone();
        file.tensors.push(norm);
    }),
    (
        "tensor blk.0.attn_q.weight has shape [64, 16]; the config asks for [32, 32]",
        |file| {
            file.tensor("blk.0.attn_q.weight").shape = vec![64, 16];
        },
    ),
    (
        "tensor output_norm.weight has shape [1, 32]; the config asks for [32]",
        |file| {
            file.tensor("output_norm.weight").shape = vec![1, 32];
        },
    ),
    ("tensor token_embd.weight has shape [261, 16, 2]", |file| {
        file.tensor("token_embd.weight").shape = vec![TOKENS, 16, 2];
    }),
    (
        "tensor output.weight has shape [0, 32], which holds nothing",
        |file| {
            file.tensor("output.weight").shape = vec![0, 32];
        },
    ),
    ("tensor output.weight has 0 dimensions", |file| {
        file.tensor("output.weight").shape = vec![]
    }),
    ("tensor output.weight has 5 dimensions", |file| {
        file.tensor("output.weight").shape = vec![1; 5];
    }),
    ("more than fits in memory", |file| {
        file.tensor("output.weight").shape = vec![1 << 40, 1 << 40];
    }),
    ("more than fits in memory", |file| {
        file.tensor("output.weight").shape = vec![u64::MAX];
    }),
    (
        "tensor output.weight takes 1073741824 bytes from byte",
        |file| {
            file.tensor("output.weight").shape = vec![1 << 13, 1 << 15];
        },
    ),
    (
        "rows of 32 values, and Q4_K stores them in blocks of 256",
        |file| {
            file.tensor("output.weight").kind = 12;
        },
    ),
    (
        "has offset 33, which is no multiple of the alignment 32",
        |file| {
            file.tensor("output.weight").offset = Some(33);
        },
    ),
    ("but the file ends at byte", |file| {
        file.tensor("output.weight").offset = Some(1 << 40)
    }),
    ("has the absurd offset 18446744073709551584", |file| {
        file.tensor("output.weight").offset = Some(u64::MAX - 31);
    }),
    (
        "tensors token_embd.weight and output.weight overlap",
        |file| {
            file.tensor("output.weight").offset = Some(0);
            file.tensors
                .retain(|tensor| tensor.name != "blk.0.attn_norm.weight");
        },
    ),
];

const TOKENIZER_CASES: &[Case] = &[
    ("it has no tokenizer (tokenizer.ggml.model)", |file| {
        file.remove("tokenizer.ggml.model")
    }),
    ("it has no tokenizer (tokenizer.ggml.tokens)", |file| {
        file.remove("tokenizer.ggml.tokens")
    }),
    ("it has no tokenizer (tokenizer.ggml.tokens)", |file| {
        file.set("tokenizer.ggml.tokens", Value::Strings(vec![]));
    }),
    ("tokenizer.ggml.tokens is not an array of strings", |file| {
        file.set("tokenizer.ggml.tokens", Value::Integers(vec![1]));
    }),
    (
        "tokenizer.ggml.token_type has 1 elements; it must have 261",
        |file| {
            file.set("tokenizer.ggml.token_type", Value::Integers(vec![1]));
        },
    ),
    ("its tokenizer is of the kind bert", |file| {
        file.set("tokenizer.ggml.model", text("bert"))
    }),
    ("its pre-tokenizer viking is not supported", |file| {
        file.set("tokenizer.ggml.pre", text("viking"));
    }),
    ("its tokenizer has no merges", |file| {
        file.remove("tokenizer.ggml.merges")
    }),
    ("malformed merge \"he\"", |file| {
        file.set(
            "tokenizer.ggml.merges",
            Value::Strings(vec!["he".to_owned()]),
        );
    }),
    ("makes no token of the vocabulary", |file| {
        file.set(
            "tokenizer.ggml.merges",
            Value::Strings(vec!["<|start|> hell".to_owned()]),
        );
    }),
    ("xx", |file| {
        file.set(
            "tokenizer.ggml.merges",
            Value::Strings(vec!["x x".to_owned()]),
        );
    }),
    ("its tokenizer has no scores", |file| {
        file.set("tokenizer.ggml.model", text("llama"))
    }),
    ("tokenizer.ggml.scores has 2 elements", |file| {
        file.set("tokenizer.ggml.model", text("llama"));
        file.set("tokenizer.ggml.scores", Value::Floats(vec![0.0; 2]));
    }),
];

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn wrong_gguf_files_are_refused() {
    let tables = [HEADER_CASES, MODEL_CASES, TENSOR_CASES, TOKENIZER_CASES];
    for (expected, change) in tables.into_iter().flatten() {
        let mut writer = GgufWriter::llama(TINY);
        change(&mut writer);
        assert_refused(&[("model.gguf", &writer.finish())], expected).await;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn gguf_files_that_are_cut_off_are_refused() {
    let whole = GgufWriter::llama(TINY).finish();
    assert!(open(&[("model.gguf", &whole)]).await.is_ok());
    let in_header = (0..whole.len().min(12_000)).step_by(7);
    let in_data = (12_000..whole.len()).step_by(4_001);
    for length in in_header.chain(in_data).chain([whole.len() - 1]) {
        assert_refused(&[("model.gguf", &whole[..length])], "model.gguf: ").await;
    }
    assert_refused(
        &[("model.gguf", &whole[..whole.len() - 1])],
        "it may be cut off",
    )
    .await;
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn lengths_in_a_gguf_header_are_not_believed() {
    // A key, and an array, of 2^60 elements.
    let start = [
        b"GGUF".as_slice(),
        &3u32.to_le_bytes(),
        &0u64.to_le_bytes(),
        &1u64.to_le_bytes(),
    ]
    .concat();
    let key = [start.as_slice(), &(1u64 << 60).to_le_bytes(), b"key"].concat();
    assert_refused(&[("model.gguf", &key)], "takes 1152921504606846976 bytes").await;

    let entry = [
        start.as_slice(),
        &1u64.to_le_bytes(),
        b"k",
        &9u32.to_le_bytes(),
    ]
    .concat();
    for (kind, expected) in [
        (0u32, "takes 1152921504606846976 bytes"),
        (8, "may be cut off"),
        (9, "may be cut off"),
    ] {
        let array = [
            entry.as_slice(),
            &kind.to_le_bytes(),
            &(1u64 << 60).to_le_bytes(),
        ]
        .concat();
        assert_refused(&[("model.gguf", &array)], expected).await;
    }
    let unknown = [entry.as_slice(), &13u32.to_le_bytes(), &1u64.to_le_bytes()].concat();
    assert_refused(&[("model.gguf", &unknown)], "unknown type 13").await;

    // Arrays in arrays must not use up the stack.
    let level = [9u32.to_le_bytes().as_slice(), &1u64.to_le_bytes()].concat();
    let nested = [entry.as_slice(), &level.repeat(100_000)].concat();
    assert_refused(&[("model.gguf", &nested)], "arrays in arrays too deep").await;

    let text = [
        start.as_slice(),
        &2u64.to_le_bytes(),
        &[0xFF, 0xFE],
        &7u32.to_le_bytes(),
        &[1],
    ]
    .concat();
    assert_refused(&[("model.gguf", &text)], "is not UTF-8").await;
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn files_that_are_no_model_are_refused() {
    let gguf = GgufWriter::llama(TINY).finish();
    let cases: Vec<(Files<'_>, &str)> = vec![
        (vec![], "model: no file was given"),
        (
            vec![("notes.txt", b"hello"), ("x", b"")],
            "notes.txt: it is no model",
        ),
        (vec![("model.gguf", b"")], "model.gguf: the magic at byte 0"),
        (
            vec![("model.gguf", LFS_POINTER)],
            "model.gguf: it is a pointer of Git LFS and not the file itself",
        ),
        (
            vec![
                ("config.json", GOLDEN_CONFIG),
                ("model.safetensors", LFS_POINTER),
            ],
            "model.safetensors: it is a pointer of Git LFS and not the file itself",
        ),
        (
            vec![("model.gguf", b"PK\x03\x04 and more")],
            "model.gguf: it is not a GGUF file",
        ),
        (
            vec![("a.gguf", &gguf), ("b.gguf", &gguf)],
            "b.gguf: it is a second GGUF file beside a.gguf",
        ),
        (
            vec![("config.json", b"{}"), ("config.json", b"{}")],
            "config.json: two files have this name",
        ),
        (
            vec![("adapter_config.json", b"{}")],
            "it belongs to an adapter",
        ),
        (
            vec![("model.safetensors", GOLDEN_WEIGHTS)],
            "config.json: it is missing",
        ),
        (
            vec![("tokenizer.json", GOLDEN_TOKENIZER)],
            "config.json: it is missing",
        ),
        (
            vec![("config.json", GOLDEN_CONFIG)],
            "model.safetensors: it is missing",
        ),
        (
            vec![("config.json", GOLDEN_CONFIG), ("pytorch_model.bin", b"PK")],
            "pytorch_model.bin: weights in this format are not supported; use .safetensors",
        ),
        (
            vec![
                ("config.json", GOLDEN_CONFIG),
                ("model.safetensors", GOLDEN_WEIGHTS),
            ],
            "tokenizer.json: it is missing",
        ),
        (
            vec![
                ("config.json", GOLDEN_CONFIG),
                ("model-00001-of-90000.safetensors", GOLDEN_WEIGHTS),
            ],
            "the weights are in 90000 parts",
        ),
        (
            vec![
                ("config.json", GOLDEN_CONFIG),
                ("model.safetensors.index.json", b"[1]"),
            ],
            "model.safetensors.index.json: ",
        ),
    ];
    for (files, expected) in cases {
        assert_refused(&files, expected).await;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn wrong_configs_are_refused() {
    let mamba = config_with(|config| config["model_type"] = json!("mamba"));
    let mut folder = golden_folder();
    folder[0].1 = &mamba;
    assert_refused(
        &folder,
        "config.json: its architecture is mamba, which is not supported; use a model of the llama, mistral, qwen2, qwen3, \
         smollm3, granite, gemma2, gemma3_text, olmo2, phi3, gpt_neox or gpt2 architecture",
    )
    .await;
    folder[0].1 = b"{";
    assert_refused(&folder, "config.json: it is malformed").await;

    let cases: Vec<(&str, Json, &str)> = vec![
        (
            "model_type",
            Json::Null,
            "it does not name its architecture",
        ),
        (
            "architectures",
            json!(["LlamaForSequenceClassification"]),
            "describes a LlamaForSequenceClassification",
        ),
        ("hidden_size", Json::Null, "hidden_size is missing"),
        ("hidden_size", json!(-1), "it is malformed"),
        (
            "hidden_size",
            json!(33),
            "hidden_size 33 cannot be divided among 4 heads",
        ),
        (
            "hidden_size",
            json!(64),
            "tensor model.embed_tokens.weight has shape [320, 32]; the config asks for [320, 64]",
        ),
        (
            "num_attention_heads",
            json!(0),
            "cannot be divided among 0 heads",
        ),
        (
            "num_hidden_layers",
            json!(1_048_576),
            "tensor model.layers.2.input_layernorm.weight is missing",
        ),
        (
            "num_hidden_layers",
            json!(1),
            "tensor model.layers.1.input_layernorm.weight has no place",
        ),
        (
            "tie_word_embeddings",
            json!(false),
            "tensor lm_head.weight is missing",
        ),
        (
            "hidden_act",
            json!("gelu"),
            "hidden_act gelu is not supported",
        ),
        (
            "attention_bias",
            json!(true),
            "attention_bias is not supported",
        ),
        ("mlp_bias", json!(true), "mlp_bias is not supported"),
        (
            "rope_scaling",
            json!({ "rope_type": "llama3", "factor": 8.0 }),
            "rope_scaling {",
        ),
        ("rope_scaling", json!({ "factor": 8.0 }), "rope_scaling {"),
        (
            "rope_parameters",
            json!({ "rope_type": "yarn" }),
            "rope_parameters {",
        ),
        (
            "quantization_config",
            json!({ "bits": 4 }),
            "quantization_config is not supported",
        ),
        ("rms_norm_eps", json!(0.0), "rms_norm_eps is 0"),
        (
            "head_dim",
            json!(524_288),
            "head_dim is 524288; with num_attention_heads it must make a width of at most 1048576",
        ),
        (
            "intermediate_size",
            json!(1_048_577),
            "intermediate_size is 1048577; it must be between 1 and 1048576",
        ),
    ];
    for (field, value, expected) in cases {
        let config = config_with(|config| config[field] = value);
        let mut folder = golden_folder();
        folder[0].1 = &config;
        assert_refused(&folder, expected).await;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn wrong_weights_are_refused() {
    let name = "model.norm.weight";
    let mut changed = Vec::new();
    let mut tensors = golden_tensors();
    tensors.insert("model.norm.bias".to_owned(), tensors[name].clone());
    changed.push((
        write(&tensors),
        "tensor model.norm.bias has no place in a Llama model",
    ));
    let mut tensors = golden_tensors();
    tensors.remove(name);
    changed.push((
        write(&tensors),
        "model.safetensors: tensor model.norm.weight is missing",
    ));
    let mut tensors = golden_tensors();
    tensors.insert(name.to_owned(), (Dtype::I32, vec![32], vec![0; 128]));
    changed.push((
        write(&tensors),
        "tensor model.norm.weight is I32, which is not supported; use F32, F16 or BF16",
    ));
    let mut tensors = golden_tensors();
    tensors.insert(name.to_owned(), (Dtype::F32, vec![16], vec![0; 64]));
    changed.push((
        write(&tensors),
        "tensor model.norm.weight has shape [16]; the config asks for [32]",
    ));

    let header = |header: &str| {
        let length = (header.len() as u64).to_le_bytes();
        [length.as_slice(), header.as_bytes()].concat()
    };
    let tensor = |shape: &str, offsets: &str| {
        header(&format!(
            r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":{offsets}}}}}"#
        ))
    };
    changed.push((b"".to_vec(), "it may be cut off"));
    changed.push((
        u64::MAX.to_le_bytes().to_vec(),
        "it claims a header of 18446744073709551615 bytes",
    ));
    changed.push((1000u64.to_le_bytes().to_vec(), "it may be cut off"));
    changed.push((header("{"), "its header is damaged"));
    changed.push((header("[]"), "its header is damaged"));
    changed.push((tensor("[1]", "[0,4]"), "it may be cut off"));
    changed.push((tensor("[1]", "[4,0]"), "its header is damaged"));
    changed.push((tensor("[2]", "[0,4]"), "its header is damaged"));
    changed.push((
        tensor("[1152921504606846976,16,16]", "[0,0]"),
        "its header is damaged",
    ));
    changed.push((tensor("[]", "[0,4]"), "it may be cut off"));
    let mut tensors = golden_tensors();
    tensors.insert(name.to_owned(), (Dtype::F32, vec![0], vec![]));
    changed.push((
        write(&tensors),
        "tensor model.norm.weight has shape [0], which holds nothing",
    ));
    let mut tensors = golden_tensors();
    tensors.insert(name.to_owned(), (Dtype::F32, vec![], vec![0; 4]));
    changed.push((
        write(&tensors),
        "tensor model.norm.weight has no dimensions",
    ));
    changed.push((
        [GOLDEN_WEIGHTS, b"more"].concat(),
        "its header describes a file of 135800 bytes",
    ));
    changed.push((GOLDEN_WEIGHTS[..100_000].to_vec(), "it may be cut off"));

    for (bytes, expected) in changed {
        let mut folder = golden_folder();
        folder[1].1 = &bytes;
        assert_refused(&folder, expected).await;
    }
}

#[cfg_attr(target_arch = "wasm32", wasm_bindgen_test)]
#[cfg_attr(not(target_arch = "wasm32"), pollster::test)]
async fn wrong_tokenizers_are_refused() {
    let model = |model: Json| {
        let tokenizer = json!({ "version": "1.0", "added_tokens": [], "model": model });
        serde_json::to_vec(&tokenizer).expect("it is JSON")
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (b"".to_vec(), "tokenizer.json: it is malformed"),
        (b"{}".to_vec(), "tokenizer.json: it is malformed"),
        (
            model(json!({ "type": "Unigram", "vocab": {} })),
            "its model is Unigram, which is not supported",
        ),
        (
            model(json!({ "type": "BPE", "vocab": { "a": 0 }, "merges": ["a"] })),
            "it is malformed",
        ),
        // The crate that reads the file would panic at these.
        (
            model(json!({ "type": "BPE", "vocab": { "a": 0, "b": 1 }, "merges": ["a b"] })),
            "the merge of \"a\" and \"b\" makes no token of the vocabulary",
        ),
        (
            model(
                json!({ "type": "BPE", "vocab": { "a": 0 }, "merges": [], "continuing_subword_prefix": "##" }),
            ),
            "continuing_subword_prefix is not supported",
        ),
    ];
    for (bytes, expected) in cases {
        let mut folder = golden_folder();
        folder[2].1 = &bytes;
        assert_refused(&folder, expected).await;
    }
    let mut folder = golden_folder();
    folder.push(("tokenizer_config.json", b"{"));
    assert_refused(&folder, "tokenizer_config.json: it is malformed").await;
    folder.pop();
    folder.push(("chat_template.jinja", &[0xFF]));
    assert_refused(&folder, "chat_template.jinja: it is not UTF-8").await;
}
