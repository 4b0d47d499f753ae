//! Files that were damaged at random, from a seed.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riemann_lora::{load::MemorySource, model::Checkpoint};

use super::gguf_writer::{GgufWriter, TINY};

/// Opens `count` damaged copies of a small GGUF file, and reads all tensors of those that still open.
///
/// `around` is called with each attempt, so that it can measure it. Returns how many copies opened.
pub fn try_damaged_files(
    seed: u64,
    count: usize,
    mut around: impl FnMut(&mut dyn FnMut()),
) -> usize {
    let whole = GgufWriter::llama(TINY).finish();
    // Behind the header there is nothing that a loader could misunderstand, so most damage is done in it.
    let header = whole
        .windows(13)
        .position(|window| window == b"output.weight")
        .expect("it has a head")
        + 40;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut opened = 0;
    for _ in 0..count {
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..=3) {
            let position = random.random_range(0..header);
            match random.random_range(0..8) {
                0..4 => bytes[position] ^= 1 << random.random_range(0..8),
                4..6 => bytes[position] = random.random(),
                // The most dangerous numbers are the largest ones.
                6 => bytes[position..position + 8].fill(0xFF),
                _ => {
                    let end = position + random.random_range(0..64);
                    bytes.drain(position..end.min(header));
                }
            }
        }
        if random.random_ratio(1, 8) {
            bytes.truncate(random.random_range(0..bytes.len()));
        }
        let mut bytes = Some(bytes);
        around(&mut || {
            let source = MemorySource::new("damaged.gguf", bytes.take().unwrap_or_default());
            if let Ok(checkpoint) = pollster::block_on(Checkpoint::open(vec![source])) {
                opened += 1;
                use_everything(&checkpoint);
            }
        });
    }
    opened
}

/// Whatever opens must also work.
fn use_everything(checkpoint: &Checkpoint<MemorySource>) {
    for info in checkpoint.tensors() {
        let tensor = pollster::block_on(checkpoint.tensor(&info.name));
        let tensor = tensor.expect("a tensor that was checked can be read");
        assert_eq!(tensor.values.len(), info.elements());
    }
    let tokenizer = checkpoint.tokenizer();
    if let Ok(ids) = tokenizer.encode("hello 123 <|end|> Ω") {
        tokenizer.decode(&ids, false);
    }
    let _ = tokenizer.render_chat(&[], None, true);
}
