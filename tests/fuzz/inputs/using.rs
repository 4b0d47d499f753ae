//! What is done with a model that opened: everything that a user would.

use burn::tensor::Device;
use riemann_lora::{
    data::{Batch, DataSettings, Dataset, PromptStyle, Validation, encode_prompt},
    generate::{Generator, SampleSettings},
    load::{ChatMessage, MemorySource, TextStream, Tokenizer},
    model::{Base, Checkpoint, Target, WeightForm},
    optim::OptimizerSettings,
    train::{RunSettings, Session, SessionSettings},
};

use super::{Files, Outcome, Random, fixtures::sources};

const TEXTS: [&str; 8] = [
    "",
    "hello 123 <|end|> Ω",
    "   \t\n\r\n  a  \u{0}\u{7f}\u{85}",
    "日本語 e\u{301}\u{200d}👩‍👩‍👧 \u{202e}x",
    "<|endoftext|><|start|><0x0A><s></s>",
    "'s't're  DON'T 1234567890 !!!???",
    "▁▁ Ġ Ċ \u{FFFD}\u{10FFFF}",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
];

/// Weights of a model that is trained too.
const TRAINED: usize = 2_000_000;

pub fn conversation() -> Vec<ChatMessage> {
    let turns = [
        ("system", "be brief"),
        ("user", "hi {{ x }} {% y %}"),
        ("assistant", "hello"),
        ("user", "bye"),
        ("assistant", "bye"),
    ];
    turns
        .map(|(role, content)| ChatMessage::new(role, content))
        .into()
}

pub fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Opens the files as a model, and uses it.
pub fn open_and_use(files: &Files) -> Outcome {
    let mut random = Random::of(files);
    let checkpoint = pollster::block_on(Checkpoint::open(sources(files))).map_err(words)?;
    assert!(checkpoint.config().parameters() > 0);
    let values: usize = checkpoint
        .tensors()
        .iter()
        .map(|info| info.elements())
        .sum();
    if random.once_in(4) {
        read_tensors(&checkpoint);
    }
    let texts = if random.once_in(3) { TEXTS.len() } else { 2 };
    let tokenizer = checkpoint.tokenizer();
    use_tokenizer(tokenizer, &mut random, texts);
    if values > TRAINED || !random.once_in(6) {
        return Ok(());
    }
    let form = *random.pick(&[WeightForm::Packed, WeightForm::Dense]);
    let device = Device::default();
    let base = pollster::block_on(Base::load_as(form, None, &checkpoint, &device, |_, _| true));
    train_and_sample(&base.map_err(words)?, tokenizer, &mut random)
}

fn read_tensors(checkpoint: &Checkpoint<MemorySource>) {
    for info in checkpoint.tensors() {
        let tensor = pollster::block_on(checkpoint.tensor(&info.name));
        let tensor = tensor.expect("a tensor that was checked can be read");
        assert_eq!(tensor.values.len(), info.elements());
        let packed = pollster::block_on(checkpoint.packed(&info.name));
        if let Some(packed) = packed.expect("a tensor that was checked can be read") {
            assert!(packed.bytes.len() as u64 >= info.bytes);
        }
    }
}

/// Writes and reads so many texts, any tokens, and chats.
pub fn use_tokenizer(tokenizer: &Tokenizer, random: &mut Random, texts: usize) {
    for text in TEXTS.iter().take(texts) {
        let Ok(ids) = tokenizer.encode(text) else {
            continue;
        };
        assert!(
            ids.iter().all(|&id| (id as usize) < tokenizer.vocab_size()),
            "an id that no token has"
        );
        tokenizer.decode(&ids, false);
        let mut stream = TextStream::new(true);
        for &id in &ids {
            stream.push(tokenizer, id);
        }
        stream.finish(tokenizer);
    }
    let size = tokenizer.vocab_size().min(1 << 16);
    let mut any: Vec<u32> = (0..24).map(|_| random.below(size + 2) as u32).collect();
    any.push(u32::MAX);
    tokenizer.decode(&any, random.once_in(2));
    for id in any {
        tokenizer.decode(&[id], false);
        let _ = tokenizer.token(id);
    }
    let _ = tokenizer.render_chat(&conversation(), None, true);
    let _ = tokenizer.render_chat(&[], None, false);
    let _ = tokenizer.unwritten_opening();
}

/// Two steps of two runs with adapters on `targets`.
pub fn two_runs(targets: &[Target]) -> SessionSettings {
    let run = |name: &str, optimizer| RunSettings {
        name: name.into(),
        optimizer,
        text_lr: None,
    };
    SessionSettings {
        rank: 1,
        alpha: 2.0,
        use_rslora: false,
        dropout: 0.0,
        targets: targets.to_vec(),
        batch_size: 2,
        micro_batch_size: 0,
        gradient_checkpointing: false,
        half_precision: false,
        steps: 2,
        seed: 1,
        runs: vec![
            run("a", OptimizerSettings::adamw(1e-3)),
            run("b", OptimizerSettings::scaled_adamw(1e-3)),
        ],
        diagnostics: true,
        layer_diagnostics: false,
    }
}

/// Ids that every golden model has.
pub fn small_batch() -> Batch {
    Batch {
        rows: 2,
        tokens: 4,
        ids: vec![1, 2, 3, 4, 5, 6, 7, 8],
        labels: vec![-100, 2, 3, 4, -100, 6, 7, 8],
    }
}

/// Data, two steps, an evaluation, a sample.
fn train_and_sample(base: &Base, tokenizer: &Tokenizer, random: &mut Random) -> Outcome {
    let settings = DataSettings {
        sequence_length: base.config.max_position_embeddings.min(16),
        validation: Validation::Count(1),
        ..DataSettings::default()
    };
    let lines = "a b||hello\nc||hello 12\nd e f||x\n";
    let dataset = Dataset::build("d.txt", lines, &settings, tokenizer).map_err(words)?;
    let mut batches = dataset.train_batches(2).map_err(words)?;
    let targets = base.config.architecture.targets();
    let target = *random.pick(&targets);
    let mut session = Session::new(base, two_runs(&[target])).map_err(words)?;
    for step in 0..2 {
        pollster::block_on(session.step(base, &batches.batch(step))).map_err(words)?;
    }
    for batch in dataset.validation_batches(1, 2).map_err(words)? {
        pollster::block_on(session.evaluate(base, &batch)).map_err(words)?;
    }
    let style = match tokenizer.chat_template().is_some() && random.once_in(2) {
        true => PromptStyle::Chat,
        false => PromptStyle::Plain,
    };
    let prompt = encode_prompt("hello", style, "\n", tokenizer).map_err(words)?;
    let answers = SampleSettings {
        prompt: "hello".into(),
        chat: style == PromptStyle::Chat,
        max_tokens: 4,
        temperature: 0.7,
        top_k: 0,
        top_p: 0.9,
        seed: 1,
        stop: Vec::new(),
        include_base: true,
    };
    let end = tokenizer.eos_ids();
    let mut generator =
        Generator::new(base, Some(session.adapters()), &prompt, end, answers).map_err(words)?;
    while let Some(tokens) = pollster::block_on(generator.next(base)).map_err(words)? {
        for token in tokens.into_iter().flatten() {
            tokenizer.decode(&[token], true);
        }
    }
    Ok(())
}
