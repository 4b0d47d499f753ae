//! Writes small GGUF files, honest and dishonest ones.

/// A metadata value.
#[derive(Debug, Clone)]
pub enum Value {
    U32(u32),
    I32(i32),
    F32(f32),
    U64(u64),
    Bool(bool),
    String(String),
    Strings(Vec<String>),
    Floats(Vec<f32>),
    Integers(Vec<i32>),
}

/// A tensor to write; nothing about it needs to be true.
#[derive(Debug, Clone)]
pub struct WrittenTensor {
    pub name: String,
    /// As torch has them.
    pub shape: Vec<u64>,
    pub kind: u32,
    pub bytes: Vec<u8>,
    /// Written instead of the right offset.
    pub offset: Option<u64>,
}

/// The contents of a file.
#[derive(Debug, Clone)]
pub struct GgufWriter {
    pub version: u32,
    pub alignment: u64,
    pub metadata: Vec<(String, Value)>,
    pub tensors: Vec<WrittenTensor>,
    /// Written instead of the right numbers of tensors and of metadata entries.
    pub counts: (Option<u64>, Option<u64>),
}

/// Sizes of the model that [`GgufWriter::llama`] writes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    pub hidden: u64,
    pub feed_forward: u64,
    pub heads: u64,
    pub key_heads: u64,
    pub head_dim: u64,
    pub layers: u64,
}

/// Four heads of 8 channels, two of them for keys.
pub const TINY: Sizes = Sizes {
    hidden: 32,
    feed_forward: 64,
    heads: 4,
    key_heads: 2,
    head_dim: 8,
    layers: 1,
};

/// Rows of at least 256 values everywhere, so that every storage type fits.
pub const WIDE: Sizes = Sizes {
    hidden: 256,
    feed_forward: 256,
    heads: 4,
    key_heads: 2,
    head_dim: 64,
    layers: 1,
};

/// Number of tokens of [`GgufWriter::with_tokenizer`].
pub const TOKENS: u64 = 261;

/// The character that byte-level tokenizers write for a byte.
///
/// Printable bytes of Latin-1 stand for themselves, the others are numbered from U+0100 on.
pub fn byte_character(byte: u8) -> char {
    let is_printable = |byte: u8| matches!(byte, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    if is_printable(byte) {
        return char::from(byte);
    }
    let before = (0..byte).filter(|&other| !is_printable(other)).count();
    char::from_u32(0x100 + before as u32).expect("a small number")
}

impl GgufWriter {
    /// A Llama model whose tensors are all zeros in single precision, with a tokenizer and an untied head.
    pub fn llama(sizes: Sizes) -> Self {
        let mut writer = Self {
            version: 3,
            alignment: 32,
            metadata: Vec::new(),
            tensors: Vec::new(),
            counts: (None, None),
        };
        let Sizes {
            hidden,
            feed_forward,
            heads,
            key_heads,
            head_dim,
            layers,
        } = sizes;
        writer.set("general.architecture", Value::String("llama".to_owned()));
        writer.set("general.name", Value::String("tiny".to_owned()));
        let numbers = [
            ("block_count", layers),
            ("context_length", 64),
            ("embedding_length", hidden),
            ("feed_forward_length", feed_forward),
            ("attention.head_count", heads),
            ("attention.head_count_kv", key_heads),
            ("attention.key_length", head_dim),
            ("rope.dimension_count", head_dim),
        ];
        for (name, number) in numbers {
            writer.set(&format!("llama.{name}"), Value::U32(number as u32));
        }
        writer.set("llama.attention.layer_norm_rms_epsilon", Value::F32(1e-5));
        writer.set("llama.rope.freq_base", Value::F32(100_000.0));
        writer.with_tokenizer();
        writer.zeros("token_embd.weight", &[TOKENS, hidden]);
        for layer in 0..layers {
            let shapes: [(&str, &[u64]); 9] = [
                ("attn_norm", &[hidden]),
                ("attn_q", &[heads * head_dim, hidden]),
                ("attn_k", &[key_heads * head_dim, hidden]),
                ("attn_v", &[key_heads * head_dim, hidden]),
                ("attn_output", &[hidden, heads * head_dim]),
                ("ffn_norm", &[hidden]),
                ("ffn_gate", &[feed_forward, hidden]),
                ("ffn_up", &[feed_forward, hidden]),
                ("ffn_down", &[hidden, feed_forward]),
            ];
            for (name, shape) in shapes {
                writer.zeros(&format!("blk.{layer}.{name}.weight"), shape);
            }
        }
        writer.zeros("output_norm.weight", &[hidden]);
        writer.zeros("output.weight", &[TOKENS, hidden]);
        writer
    }

    /// A byte-level tokenizer: 2 special tokens, 256 bytes, 3 merges.
    fn with_tokenizer(&mut self) {
        let mut tokens = vec!["<|start|>".to_owned(), "<|end|>".to_owned()];
        tokens.extend((0..=255).map(|byte| byte_character(byte).to_string()));
        tokens.extend(["he", "ll", "hell"].map(str::to_owned));
        assert_eq!(tokens.len() as u64, TOKENS);
        let kinds = (0..tokens.len()).map(|id| if id < 2 { 3 } else { 1 });
        self.set(
            "tokenizer.ggml.token_type",
            Value::Integers(kinds.collect()),
        );
        self.set("tokenizer.ggml.tokens", Value::Strings(tokens));
        let merges = ["h e", "l l", "he ll"].map(str::to_owned);
        self.set("tokenizer.ggml.merges", Value::Strings(merges.to_vec()));
        self.set("tokenizer.ggml.model", Value::String("gpt2".to_owned()));
        self.set("tokenizer.ggml.pre", Value::String("smollm".to_owned()));
        self.set("tokenizer.ggml.bos_token_id", Value::U32(0));
        self.set("tokenizer.ggml.eos_token_id", Value::U32(1));
        let template = "{% for message in messages %}<|start|>{{ message.role }}: {{ message.content }}\
                        {{ eos_token }}{% endfor %}";
        self.set(
            "tokenizer.chat_template",
            Value::String(template.to_owned()),
        );
    }

    /// Sets or replaces a metadata value.
    pub fn set(&mut self, key: &str, value: Value) {
        self.remove(key);
        self.metadata.push((key.to_owned(), value));
    }

    /// Removes a metadata value.
    pub fn remove(&mut self, key: &str) {
        self.metadata.retain(|(other, _)| other != key);
    }

    fn zeros(&mut self, name: &str, shape: &[u64]) {
        self.tensors.push(WrittenTensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            kind: 0,
            bytes: vec![0; shape.iter().product::<u64>() as usize * 4],
            offset: None,
        });
    }

    /// The tensor called `name`.
    pub fn tensor(&mut self, name: &str) -> &mut WrittenTensor {
        let mut tensors = self.tensors.iter_mut();
        tensors
            .find(|tensor| tensor.name == name)
            .expect("the test names a tensor of the model")
    }

    /// The file.
    pub fn finish(&self) -> Vec<u8> {
        let mut bytes = b"GGUF".to_vec();
        bytes.extend(self.version.to_le_bytes());
        let (tensor_count, entry_count) = self.counts;
        let tensor_count = tensor_count.unwrap_or(self.tensors.len() as u64);
        let entry_count = entry_count.unwrap_or(self.metadata.len() as u64);
        bytes.extend(tensor_count.to_le_bytes());
        bytes.extend(entry_count.to_le_bytes());
        for (key, value) in &self.metadata {
            string(&mut bytes, key);
            write_value(&mut bytes, value);
        }
        let mut data = Vec::new();
        for tensor in &self.tensors {
            data.resize(data.len().next_multiple_of(self.alignment as usize), 0);
            string(&mut bytes, &tensor.name);
            bytes.extend((tensor.shape.len() as u32).to_le_bytes());
            for size in tensor.shape.iter().rev() {
                bytes.extend(size.to_le_bytes());
            }
            bytes.extend(tensor.kind.to_le_bytes());
            let offset = tensor.offset.unwrap_or(data.len() as u64);
            bytes.extend(offset.to_le_bytes());
            data.extend(&tensor.bytes);
        }
        bytes.resize(bytes.len().next_multiple_of(self.alignment as usize), 0);
        bytes.extend(data);
        bytes
    }
}

fn string(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend((text.len() as u64).to_le_bytes());
    bytes.extend(text.as_bytes());
}

fn array(bytes: &mut Vec<u8>, kind: u32, length: usize) {
    bytes.extend(9u32.to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend((length as u64).to_le_bytes());
}

fn write_value(bytes: &mut Vec<u8>, value: &Value) {
    let mut number = |kind: u32, number: &[u8]| {
        bytes.extend(kind.to_le_bytes());
        bytes.extend(number);
    };
    match value {
        Value::U32(value) => number(4, &value.to_le_bytes()),
        Value::I32(value) => number(5, &value.to_le_bytes()),
        Value::F32(value) => number(6, &value.to_le_bytes()),
        Value::Bool(value) => number(7, &[u8::from(*value)]),
        Value::U64(value) => number(10, &value.to_le_bytes()),
        Value::String(text) => {
            number(8, &[]);
            string(bytes, text);
        }
        Value::Strings(texts) => {
            array(bytes, 8, texts.len());
            texts.iter().for_each(|text| string(bytes, text));
        }
        Value::Floats(values) => {
            array(bytes, 6, values.len());
            values
                .iter()
                .for_each(|value| bytes.extend(value.to_le_bytes()));
        }
        Value::Integers(values) => {
            array(bytes, 5, values.len());
            values
                .iter()
                .for_each(|value| bytes.extend(value.to_le_bytes()));
        }
    }
}
