//! Pairs and conversations to tokens and labels.

use super::codec::TextCodec;
use super::error::DataError;
use super::example::{Example, LossOn};
use super::prompt::{PromptStyle, encode_prompt};
use crate::load::ChatMessage;

/// The whole of a pair, however long: prompt, completion, end of text.
///
/// Prompt and completion are tokenised apart, so that the boundary between them is one between tokens.
///
/// # Errors
/// [`DataError`] of the codec, without a file.
pub fn encode_pair<Codec: TextCodec + ?Sized>(
    prompt: &str,
    completion: &str,
    style: PromptStyle,
    loss_on: LossOn,
    codec: &Codec,
) -> Result<Example, DataError> {
    if style == PromptStyle::Chat {
        let messages = [
            ChatMessage::new("user", prompt),
            ChatMessage::new("assistant", completion),
        ];
        return encode_chat(&messages, loss_on, codec);
    }
    let mut example = Example::empty();
    example.push(
        &encode_prompt(prompt, style, codec)?,
        loss_on == LossOn::All,
    );
    example.prompt_tokens = example.ids.len();
    example.push(&codec.encode(completion)?, true);
    let ended = example
        .ids
        .last()
        .is_some_and(|id| codec.ends_generation(*id));
    finish(&mut example, ended, codec);
    Ok(example)
}

/// The whole of a conversation, however long, as the chat template writes it; assistants' turns are the completions.
///
/// A turn begins where the template would let the model begin to write. It ends with the token that ends generation:
/// what the template writes after that, a model never has to predict. Turns are tokenised apart from what is around them.
///
/// # Errors
/// [`DataError`] of the codec, or if the template writes earlier turns differently when later ones follow; without a
/// file.
pub fn encode_chat<Codec: TextCodec + ?Sized>(
    messages: &[ChatMessage],
    loss_on: LossOn,
    codec: &Codec,
) -> Result<Example, DataError> {
    let mut example = Example::empty();
    let mut written = String::new();
    let mut ended = false;
    for (index, message) in messages.iter().enumerate() {
        if !message.is_assistant() {
            continue;
        }
        let before = codec.render_chat(&messages[..index], true)?;
        let after = codec.render_chat(&messages[..=index], false)?;
        let (Some(context), Some(turn)) =
            (before.strip_prefix(&written), after.strip_prefix(&before))
        else {
            return Err(DataError::new(
                "the model's chat template rewrites earlier turns when later ones follow, so the answers cannot be found in it; give each answer an example of its own",
            ));
        };
        example.push(&codec.encode(context)?, loss_on == LossOn::All);
        if written.is_empty() {
            example.prompt_tokens = example.ids.len();
        }
        let turn = codec.encode(turn)?;
        let end = turn.iter().rposition(|id| codec.ends_generation(*id));
        ended = end.is_some();
        let (learned, rest) = turn.split_at(end.map_or(turn.len(), |end| end + 1));
        example.push(learned, true);
        example.push(rest, loss_on == LossOn::All);
        written = after;
    }
    finish(&mut example, ended, codec);
    Ok(example)
}

/// Adds the end of text, unless the last completion has `ended`, and takes the first token out of the loss: nothing
/// stands before it that it could be predicted from.
fn finish<Codec: TextCodec + ?Sized>(example: &mut Example, ended: bool, codec: &Codec) {
    if !ended && let Some(end) = codec.end_of_text() {
        example.push(&[end], true);
    }
    if let Some(first) = example.counts.first_mut() {
        *first = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::toy::{BEGIN, END, ToyCodec};

    /// Tokens as the toy writes them, those that count in upper case brackets.
    fn shown(example: &Example) -> String {
        ToyCodec::shown(&example.ids, &example.counts)
    }

    #[test]
    fn only_the_completion_and_its_end_count() {
        let codec = ToyCodec::default();
        let example =
            encode_pair("ab", "cd", PromptStyle::Plain, LossOn::Completion, &codec).unwrap();
        assert_eq!(example.ids, [97, 98, 10, 99, 100, END]);
        assert_eq!(example.counts, [false, false, false, true, true, true]);
        assert_eq!(example.prompt_tokens, 3);
        let all = encode_pair("ab", "cd", PromptStyle::Plain, LossOn::All, &codec).unwrap();
        assert_eq!(all.ids, example.ids);
        assert_eq!(all.counts, [false, true, true, true, true, true]);
        assert_eq!(all.prompt_tokens, 3);
    }

    #[test]
    fn the_token_that_begins_a_text_comes_first_and_an_end_is_not_repeated() {
        let codec = ToyCodec {
            begin: true,
            ..ToyCodec::default()
        };
        let example =
            encode_pair("", "c<end>", PromptStyle::Plain, LossOn::Completion, &codec).unwrap();
        assert_eq!(example.ids, [BEGIN, 10, 99, END]);
        assert_eq!(example.counts, [false, false, true, true]);
    }

    #[test]
    fn a_pair_in_the_template_is_what_generation_continues() {
        let codec = ToyCodec {
            begin: true,
            ..ToyCodec::default()
        };
        let example = encode_pair("q", "a", PromptStyle::Chat, LossOn::Completion, &codec).unwrap();
        assert_eq!(shown(&example), "u:q<end>\\na:[a<end>]\\n");
        let prompt = encode_prompt("q", PromptStyle::Chat, &codec).unwrap();
        assert_eq!(example.ids[..example.prompt_tokens], prompt);
    }

    #[test]
    fn every_assistants_turn_counts_and_nothing_else() {
        let codec = ToyCodec::default();
        let messages = [
            ChatMessage::new("system", "s"),
            ChatMessage::new("user", "q"),
            ChatMessage::new("assistant", "yes"),
            ChatMessage::new("user", "r"),
            ChatMessage::new("assistant", "no"),
        ];
        let example = encode_chat(&messages, LossOn::Completion, &codec).unwrap();
        assert_eq!(
            shown(&example),
            "s:s<end>\\nu:q<end>\\na:[yes<end>]\\nu:r<end>\\na:[no<end>]\\n"
        );
        assert_eq!(example.prompt_tokens, "s:s.\nu:q.\na:".len());
        assert_eq!(example.counted(), 7);
        let whole = codec
            .encode(&codec.render_chat(&messages, false).unwrap())
            .unwrap();
        assert_eq!(example.ids, whole);
        let all = encode_chat(&messages, LossOn::All, &codec).unwrap();
        assert_eq!(all.ids, whole);
        assert_eq!(all.counted(), whole.len() - 1);
    }

    #[test]
    fn an_end_is_added_where_the_template_writes_none() {
        let codec = ToyCodec {
            ends_turns: false,
            ..ToyCodec::default()
        };
        let example = encode_pair("q", "a", PromptStyle::Chat, LossOn::Completion, &codec).unwrap();
        assert_eq!(shown(&example), "u:q\\na:[a\\n<end>]");
    }

    #[test]
    fn templates_that_rewrite_the_past_are_refused() {
        let codec = ToyCodec {
            forgets_answers: true,
            ..ToyCodec::default()
        };
        let messages = [
            ChatMessage::new("user", "q"),
            ChatMessage::new("assistant", "yes"),
            ChatMessage::new("assistant", "no"),
        ];
        let error = encode_chat(&messages, LossOn::Completion, &codec).unwrap_err();
        assert!(
            error.to_string().contains("rewrites earlier turns"),
            "{error}"
        );
        assert!(encode_chat(&messages[..2], LossOn::Completion, &codec).is_ok());
    }
}
