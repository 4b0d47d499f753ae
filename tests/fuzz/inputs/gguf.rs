//! GGUF files that lie about all they can.

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    gguf_writer::{GgufWriter, TINY, TOKENS, Value, WIDE},
    numbers::number,
    texts::odd_text,
    using::open_and_use,
};

/// A model in one file.
pub struct Gguf;

const NUMBERS: &[&str] = &[
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.sliding_window",
    "rope.dimension_count",
    "rope.scaling.type",
    "rope.scaling.factor",
    "rope.freq_base",
    "attention.layer_norm_rms_epsilon",
    "logit_scale",
    "vocab_size",
];

const OTHERS: &[&str] = &[
    "general.architecture",
    "general.alignment",
    "general.name",
    "general.file_type",
    "split.count",
    "split.no",
    "split.tensors.count",
    "tokenizer.ggml.model",
    "tokenizer.ggml.pre",
    "tokenizer.ggml.bos_token_id",
    "tokenizer.ggml.eos_token_id",
    "tokenizer.ggml.eot_token_id",
    "tokenizer.ggml.padding_token_id",
    "tokenizer.ggml.unknown_token_id",
    "tokenizer.ggml.add_bos_token",
    "tokenizer.ggml.add_space_prefix",
    "tokenizer.ggml.scores",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.merges",
    "tokenizer.chat_template",
];

/// Types of GGUF, each with the values and the bytes of a block.
const PACKED: &[(u32, usize, usize)] = &[
    (0, 1, 4),
    (1, 1, 2),
    (30, 1, 2),
    (2, 32, 18),
    (3, 32, 20),
    (6, 32, 22),
    (7, 32, 24),
    (8, 32, 34),
    (12, 256, 144),
    (13, 256, 176),
    (14, 256, 210),
];

impl Target for Gguf {
    fn draw(&self, random: &mut Random) -> Files {
        let mut file = seed(random);
        for _ in 0..random.below(4) {
            change(random, &mut file);
        }
        // A writer of such an alignment would itself need the memory.
        file.alignment = file.alignment.clamp(1, 1 << 16);
        let mut bytes = file.finish();
        if random.once_in(3) {
            let reach = if random.once_in(4) { bytes.len() } else { 6000 };
            wound(random, &mut bytes, reach);
        }
        vec![("model.gguf".into(), bytes)]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        open_and_use(files)
    }
}

/// A sound file, of any type of weights and with either tokenizer.
fn seed(random: &mut Random) -> GgufWriter {
    let sizes = if random.once_in(8) { WIDE } else { TINY };
    let mut file = GgufWriter::llama(sizes);
    if random.once_in(3) {
        sentence_pieces(&mut file);
    }
    let fitting = PACKED
        .iter()
        .filter(|(_, values, _)| (sizes.hidden as usize).is_multiple_of(*values));
    let fitting: Vec<_> = fitting.collect();
    let (kind, ..) = **random.pick(&fitting);
    for tensor in file
        .tensors
        .iter_mut()
        .filter(|tensor| tensor.shape.len() > 1)
    {
        tensor.kind = kind;
        tensor.bytes = contents(&tensor.shape, kind);
    }
    file
}

fn is_small(shape: &[u64]) -> bool {
    let mut sizes = shape.iter();
    let values = sizes.try_fold(1u64, |values, size| values.checked_mul(*size));
    values.is_some_and(|values| values < 1 << 20)
}

/// Bytes of a tensor of type `kind`: small numbers.
fn contents(shape: &[u64], kind: u32) -> Vec<u8> {
    let known = PACKED.iter().find(|(other, ..)| *other == kind);
    let (_, values, bytes) = *known.unwrap_or(&PACKED[0]);
    let length = shape.iter().product::<u64>() as usize / values * bytes;
    (0..length)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 7 & 0x3F) as u8)
        .collect()
}

/// A SentencePiece tokenizer of as many tokens.
fn sentence_pieces(file: &mut GgufWriter) {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).into();
    tokens.extend((0..244).map(|byte| format!("<0x{byte:02X}>")));
    tokens.extend(
        [
            "▁", "h", "e", "l", "o", "he", "ll", "hell", "▁hell", "▁hello", "hello", "a", "b", "1",
        ]
        .map(str::to_owned),
    );
    assert_eq!(tokens.len() as u64, TOKENS);
    let kind = |id| match id {
        0 => 2,
        1 | 2 => 3,
        3..247 => 6,
        _ => 1,
    };
    let ids = 0..tokens.len();
    file.set(
        "tokenizer.ggml.token_type",
        Value::Integers(ids.clone().map(kind).collect()),
    );
    file.set(
        "tokenizer.ggml.scores",
        Value::Floats(ids.map(|id| -(id as f32)).collect()),
    );
    file.set("tokenizer.ggml.tokens", Value::Strings(tokens));
    file.set("tokenizer.ggml.model", Value::String("llama".into()));
    file.set("tokenizer.ggml.unknown_token_id", Value::U32(0));
    file.remove("tokenizer.ggml.pre");
    file.remove("tokenizer.ggml.merges");
}

fn change(random: &mut Random, file: &mut GgufWriter) {
    match random.below(12) {
        0 => change_frame(random, file),
        1..4 => {
            let key = format!("llama.{}", random.pick(NUMBERS));
            file.set(&key, odd_value(random));
        }
        4 | 5 => {
            let key = *random.pick(OTHERS);
            file.set(key, odd_value(random));
        }
        6 => {
            let place = random.below(file.metadata.len());
            if random.once_in(2) {
                file.metadata.remove(place);
            } else {
                let copy = file.metadata[place].clone();
                file.metadata.push(copy);
            }
        }
        7..10 => change_tensor(random, file),
        _ => change_tokens(random, file),
    }
}

/// What stands before the metadata.
fn change_frame(random: &mut Random, file: &mut GgufWriter) {
    match random.below(4) {
        0 => file.version = number(random) as u32,
        1 => file.counts.0 = Some(number(random)),
        2 => file.counts.1 = Some(number(random)),
        _ => {
            file.alignment = number(random);
            file.set("general.alignment", Value::U64(file.alignment));
        }
    }
}

fn odd_value(random: &mut Random) -> Value {
    match random.below(9) {
        0 | 1 => Value::U32(number(random) as u32),
        2 => Value::I32(number(random) as i32),
        3 => Value::F32(f32::from_bits(random.word() as u32)),
        4 => Value::U64(number(random)),
        5 => Value::Bool(random.once_in(2)),
        6 => Value::String(odd_text(random)),
        7 => Value::Strings((0..random.below(5)).map(|_| odd_text(random)).collect()),
        _ => Value::Integers(
            (0..random.below(300))
                .map(|_| number(random) as i32)
                .collect(),
        ),
    }
}

fn change_tensor(random: &mut Random, file: &mut GgufWriter) {
    if file.tensors.is_empty() {
        return;
    }
    let place = random.below(file.tensors.len());
    let tensor = &mut file.tensors[place];
    match random.below(10) {
        0 => tensor.name = odd_text(random),
        1 => {
            let copy = tensor.clone();
            file.tensors.push(copy);
        }
        2 => drop(file.tensors.remove(place)),
        3 => tensor.bytes.truncate(random.below(tensor.bytes.len())),
        4 => tensor.offset = Some(number(random)),
        5 => tensor.offset = Some(random.below(4000) as u64 * 32 + random.below(4) as u64),
        6 => {
            tensor.kind = number(random) as u32;
        }
        7 => {
            let (kind, ..) = *random.pick(PACKED);
            tensor.kind = kind;
            // A shape that was changed may ask for more than there is.
            if is_small(&tensor.shape) {
                tensor.bytes = contents(&tensor.shape, kind);
            }
        }
        _ => change_shape(random, &mut tensor.shape),
    }
}

fn change_shape(random: &mut Random, shape: &mut Vec<u64>) {
    match random.below(6) {
        0 => shape.reverse(),
        1 => shape.push(1),
        2 => shape.insert(0, 1),
        3 => shape.push(number(random)),
        4 => shape.clear(),
        _ if shape.is_empty() => shape.push(number(random)),
        _ => {
            let place = random.below(shape.len());
            shape[place] = number(random);
        }
    }
}

/// The lists of the tokenizer.
fn change_tokens(random: &mut Random, file: &mut GgufWriter) {
    let keys = [
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.merges",
        "tokenizer.ggml.token_type",
        "tokenizer.ggml.scores",
    ];
    let key = *random.pick(&keys);
    let value = file.metadata.iter_mut().find(|(other, _)| other == key);
    match value.map(|(_, value)| value) {
        Some(Value::Strings(all)) if !all.is_empty() => change_strings(random, all),
        Some(Value::Integers(all)) if !all.is_empty() => {
            let place = random.below(all.len());
            all[place] = random.below(8) as i32;
        }
        Some(Value::Floats(all)) if !all.is_empty() => {
            let place = random.below(all.len());
            all[place] = f32::from_bits(random.word() as u32);
        }
        _ => {}
    }
}

fn change_strings(random: &mut Random, all: &mut Vec<String>) {
    let (one, other) = (random.below(all.len()), random.below(all.len()));
    match random.below(6) {
        0 => all[one] = all[other].clone(),
        1 => all[one] = odd_text(random),
        2 => all.truncate(one),
        3 => all.extend((0..random.below(40)).map(|at| format!("n{at}"))),
        4 => all.swap(one, other),
        _ => all.push(format!("{} {}", all[one], all[other])),
    }
}
