//! One answer of a model, as `generate` and `evaluate` let it write.

use anyhow::Result;
use riemann_lora::{
    data::{PromptStyle, encode_prompt},
    generate::{Answer, Generator, SampleSettings},
    model::Adapters,
};

use super::LoadedModel;

/// Answers the prompt of `settings`, behind which stands `separator` unless it is put into the chat template. `write` is given
/// each piece of the answer as soon as it is known, and together they are the answer.
///
/// # Errors
/// A prompt that cannot be answered, or what `write` fails with.
pub async fn answer(
    base: &LoadedModel,
    adapters: Option<&Adapters>,
    separator: &str,
    settings: SampleSettings,
    mut write: impl FnMut(&str) -> Result<()>,
) -> Result<()> {
    let style = match settings.chat {
        true => PromptStyle::Chat,
        false => PromptStyle::Plain,
    };
    let prompt = encode_prompt(&settings.prompt, style, separator, &base.tokenizer)?;
    let end = base.tokenizer.eos_ids();
    let mut answer = Answer::new(&settings.stop);
    let mut generator = Generator::new(&base.model, adapters, &prompt, end, settings)?
        .limited_to(base.tokenizer.vocab_size());
    while let Some(tokens) = generator.next(&base.model).await? {
        if let Some(Some(id)) = tokens.first() {
            write(&answer.push(&base.tokenizer, *id))?;
        }
        if answer.has_stopped() {
            break;
        }
    }
    write(&answer.finish(&base.tokenizer))
}
