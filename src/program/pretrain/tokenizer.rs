//! A byte-level byte-pair tokenizer learned from a text.

use std::collections::HashSet;

use anyhow::{Result, anyhow};
use tokenizers::{
    AddedToken, Tokenizer,
    models::bpe::{BPE, BpeTrainer},
    models::{ModelWrapper, TrainerWrapper},
    pre_tokenizers::byte_level::ByteLevel,
};

/// Ends a document. Its id is 0.
pub const END_OF_TEXT: &str = "<|endoftext|>";

/// `tokenizer.json` with `vocab_size` tokens: all bytes, the most useful merges, and one that ends a document.
///
/// # Errors
/// A text that is not UTF-8, or too small for so many tokens.
pub fn train_tokenizer(text: &[u8], vocab_size: usize) -> Result<String> {
    let text = std::str::from_utf8(text)?;
    let mut tokenizer = Tokenizer::new(ModelWrapper::BPE(BPE::default()));
    // No space of its own before a text: ids must not depend on what comes before.
    let byte_level = ByteLevel::new(false, true, true);
    tokenizer
        .with_pre_tokenizer(Some(byte_level))
        .with_decoder(Some(byte_level));
    let alphabet: HashSet<char> = ByteLevel::alphabet().into_iter().collect();
    let mut trainer = TrainerWrapper::BpeTrainer(
        BpeTrainer::builder()
            .vocab_size(vocab_size)
            .show_progress(false)
            .special_tokens(vec![AddedToken::from(END_OF_TEXT, true)])
            .initial_alphabet(alphabet)
            .build(),
    );
    let failed = |error: tokenizers::Error| anyhow!("the tokenizer cannot be trained: {error}");
    tokenizer
        .train(&mut trainer, text.lines())
        .map_err(failed)?;
    let found = tokenizer.get_vocab_size(true);
    if found != vocab_size {
        return Err(anyhow!(
            "the text yields {found} tokens and not {vocab_size}; use more text or a smaller vocab_size"
        ));
    }
    tokenizer.to_string(false).map_err(failed)
}
