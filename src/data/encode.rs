//! Pairs and conversations to tokens and labels.
//!
//! A text is tokenised as a whole, as it is when a model answers, and labels follow from the places of its tokens. The rule
//! for a token that reaches over a border is that of the completion: what holds a letter of it counts.

use super::codec::TextCodec;
use super::conversation::Conversation;
use super::example::{Example, LossOn};
use super::prompt::PromptStyle;
use super::skipped::{RowError, SkipReason};

/// An example, and the control token that somebody wrote out in it, which became text.
#[derive(Debug, PartialEq, Eq)]
pub struct EncodedRow {
    /// Tokens and which of them count.
    pub example: Example,
    /// The first such control token, as it is written.
    pub control_in_text: Option<String>,
}

/// How a pair becomes a text.
#[derive(Debug, Clone, Copy)]
pub struct PairForm<'a> {
    /// Plain, or as turns of a chat.
    pub style: PromptStyle,
    /// What stands between prompt and completion where the style is plain.
    pub separator: &'a str,
}

/// The whole of a pair, however long: prompt, separator, completion, end of text.
///
/// # Errors
/// [`RowError`] of an empty completion, or of the codec.
pub fn encode_pair<Codec: TextCodec + ?Sized>(
    prompt: &str,
    completion: &str,
    form: PairForm<'_>,
    loss_on: LossOn,
    codec: &Codec,
) -> Result<EncodedRow, RowError> {
    if form.style == PromptStyle::Chat {
        return encode_chat(Conversation::of_pair(prompt, completion), loss_on, codec);
    }
    let prompt = codec.without_begin(prompt);
    let completion = codec.without_end(completion);
    if completion.trim().is_empty() {
        return Err(empty_answer("completion"));
    }
    let text = format!("{prompt}{}{completion}", form.separator);
    let border = text.len() - completion.len();
    let encoded = codec
        .encode(&text, &[0..prompt.len(), border..text.len()])
        .map_err(RowError::of_codec(SkipReason::Tokenizer))?;
    let first = encoded.places.partition_point(|place| place.end <= border);
    let mut example = Example::empty();
    example.push(codec.begin_of_text().as_slice(), loss_on == LossOn::All);
    example.push(&encoded.ids[..first], loss_on == LossOn::All);
    example.prompt_tokens = example.ids.len();
    example.push(&encoded.ids[first..], true);
    finish(&mut example, false, codec);
    Ok(EncodedRow {
        example,
        control_in_text: encoded.control_in_text,
    })
}

/// The whole of a conversation, however long, as the chat template writes it; assistants' turns are the completions.
///
/// A turn begins where the template would let the model begin to write. It ends with the token that ends generation:
/// what the template writes after that, a model never has to predict. With the loss on completions, what is said after the
/// last answer has no label and is left out.
///
/// # Errors
/// [`RowError`] of an answer that is missing or empty, of the codec, or of a message that the template leaves out.
pub fn encode_chat<Codec: TextCodec + ?Sized>(
    mut conversation: Conversation,
    loss_on: LossOn,
    codec: &Codec,
) -> Result<EncodedRow, RowError> {
    let learned = |message: &&super::codec::ChatMessage| message.is_assistant() && message.learned;
    let Some(last) = conversation
        .messages
        .iter()
        .rposition(|message| learned(&message))
    else {
        return Err(RowError::new(
            SkipReason::NoAnswer,
            "has no assistant message that counts; there is nothing to learn from it",
        ));
    };
    if loss_on == LossOn::Completion {
        conversation.messages.truncate(last + 1);
    }
    for (index, message) in conversation.messages.iter_mut().enumerate() {
        if !message.is_assistant() {
            continue;
        }
        message.content = codec.without_end(&message.content).to_owned();
        if message.content.trim().is_empty() && !message.more.contains_key("tool_calls") {
            return Err(empty_answer(&format!("answer (message {})", index + 1)));
        }
    }
    let rendered = conversation
        .render(codec)
        .map_err(RowError::of_codec(SkipReason::Template))?;
    let encoded = codec
        .encode(&rendered.text, &rendered.contents)
        .map_err(RowError::of_codec(SkipReason::Tokenizer))?;
    let mut example = Example {
        counts: vec![loss_on == LossOn::All; encoded.ids.len()],
        prompt_tokens: encoded.ids.len(),
        ids: encoded.ids,
    };
    let mut ended = false;
    for (index, message) in conversation.messages.iter().enumerate() {
        ended = false;
        let Some(beginning) = rendered.beginnings[index] else {
            continue;
        };
        let said = rendered.contents[index].end;
        let next = rendered.contents.get(index + 1);
        let next = next.map_or(rendered.text.len(), |next| next.start);
        let begin = encoded
            .places
            .partition_point(|place| place.end <= beginning);
        let behind = encoded.places.partition_point(|place| place.start < said);
        let until = encoded.places.partition_point(|place| place.start < next);
        let mut turn = example.ids[behind..until].iter();
        let end = turn.position(|id| codec.ends_generation(*id));
        ended = end.is_some();
        if !message.learned {
            continue;
        }
        let stop = match end {
            Some(end) => behind + end + 1,
            None => {
                let turn = rendered.end_of_turn(index);
                encoded.places.partition_point(|place| place.start < turn)
            }
        };
        example.counts[begin..stop].fill(true);
        example.prompt_tokens = example.prompt_tokens.min(begin);
    }
    let answered = conversation
        .messages
        .last()
        .is_some_and(|last| last.is_assistant());
    finish(&mut example, ended || !answered, codec);
    Ok(EncodedRow {
        example,
        control_in_text: encoded.control_in_text,
    })
}

fn empty_answer(what: &str) -> RowError {
    RowError::new(
        SkipReason::EmptyAnswer,
        format!("has an empty {what}; nothing is learned from it"),
    )
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
    use crate::data::codec::ChatMessage;
    use crate::data::encode_prompt;
    use crate::data::toy::{BEGIN, END, ToyCodec};

    const PLAIN: PairForm<'_> = PairForm {
        style: PromptStyle::Plain,
        separator: "\n",
    };
    const CHAT: PairForm<'_> = PairForm {
        style: PromptStyle::Chat,
        separator: "\n",
    };

    /// Tokens as the toy writes them, those that count in brackets.
    fn shown(row: Result<EncodedRow, RowError>) -> String {
        let example = row.unwrap().example;
        ToyCodec::shown(&example.ids, &example.counts)
    }

    fn chat(messages: &[(&str, &str)]) -> Conversation {
        let message = |(role, content): &(&str, &str)| ChatMessage::new(*role, *content);
        Conversation {
            messages: messages.iter().map(message).collect(),
            tools: None,
        }
    }

    #[test]
    fn only_the_completion_and_its_end_count() {
        let codec = ToyCodec::default();
        let row = encode_pair("ab", "cd", PLAIN, LossOn::Completion, &codec).unwrap();
        assert_eq!(row.example.ids, [97, 98, 10, 99, 100, END]);
        assert_eq!(row.example.counts, [false, false, false, true, true, true]);
        assert_eq!(row.example.prompt_tokens, 3);
        let all = encode_pair("ab", "cd", PLAIN, LossOn::All, &codec).unwrap();
        assert_eq!(all.example.ids, row.example.ids);
        assert_eq!(all.example.counts, [false, true, true, true, true, true]);
        assert_eq!(all.example.prompt_tokens, 3);
    }

    #[test]
    fn what_is_written_stays_and_the_separator_is_chosen() {
        let codec = ToyCodec::default();
        let spaced = PairForm {
            separator: " => ",
            ..PLAIN
        };
        assert_eq!(
            shown(encode_pair(
                "a ",
                "  c\n",
                spaced,
                LossOn::Completion,
                &codec
            )),
            "a  => [  c\\n<end>]"
        );
        let none = PairForm {
            separator: "",
            ..PLAIN
        };
        assert_eq!(
            shown(encode_pair("a", "c", none, LossOn::Completion, &codec)),
            "a[c<end>]"
        );
    }

    #[test]
    fn one_token_begins_a_text_and_one_ends_it_whatever_is_written() {
        let codec = ToyCodec {
            begin: true,
            ..ToyCodec::default()
        };
        for (prompt, completion) in [("", "c"), ("<begin>", "c<end>")] {
            let row = encode_pair(prompt, completion, PLAIN, LossOn::Completion, &codec).unwrap();
            assert_eq!(row.example.ids, [BEGIN, 10, 99, END]);
            assert_eq!(row.example.counts, [false, false, true, true]);
            assert_eq!(row.control_in_text, None);
        }
        let row = encode_pair("a", "<end>", PLAIN, LossOn::Completion, &codec);
        assert_eq!(row.unwrap_err().reason, SkipReason::EmptyAnswer);
    }

    #[test]
    fn control_tokens_that_people_write_are_text() {
        let codec = ToyCodec::default();
        let row = encode_pair("a<end>b", "c<end>d", PLAIN, LossOn::Completion, &codec).unwrap();
        assert_eq!(row.control_in_text.as_deref(), Some("<end>"));
        assert_eq!(row.example.ids.iter().filter(|id| **id == END).count(), 1);
        let conversation = chat(&[("user", "q<end>x"), ("assistant", "a<end>")]);
        let row = encode_chat(conversation, LossOn::Completion, &codec).unwrap();
        assert_eq!(row.control_in_text.as_deref(), Some("<end>"));
        assert_eq!(row.example.ids.iter().filter(|id| **id == END).count(), 2);
    }

    #[test]
    fn a_pair_in_the_template_is_what_generation_continues() {
        let codec = ToyCodec {
            begin: true,
            ..ToyCodec::default()
        };
        let row = encode_pair("q", "a", CHAT, LossOn::Completion, &codec).unwrap();
        let prompt = encode_prompt("q", PromptStyle::Chat, "\n", &codec).unwrap();
        assert_eq!(row.example.ids[..row.example.prompt_tokens], prompt);
        assert_eq!(shown(Ok(row)), "u:q<end>\\na:[a<end>]\\n");
    }

    #[test]
    fn every_assistants_turn_counts_and_nothing_else() {
        let codec = ToyCodec::default();
        let conversation = chat(&[
            ("system", "s"),
            ("user", "q"),
            ("assistant", "yes"),
            ("user", "r"),
            ("assistant", "no"),
        ]);
        let row = encode_chat(conversation.clone(), LossOn::Completion, &codec).unwrap();
        let text = codec
            .render_chat(&conversation.messages, None, false)
            .unwrap();
        let whole = codec.encode(&text, &[]).unwrap().ids;
        assert_eq!(row.example.ids, whole);
        assert_eq!(row.example.prompt_tokens, "s:s.\nu:q.\na:".len());
        assert_eq!(row.example.counted(), 7);
        assert_eq!(
            shown(Ok(row)),
            "s:s<end>\\nu:q<end>\\na:[yes<end>]\\nu:r<end>\\na:[no<end>]\\n"
        );
        let all = encode_chat(conversation, LossOn::All, &codec)
            .unwrap()
            .example;
        assert_eq!(all.ids, whole);
        assert_eq!(all.counted(), whole.len() - 1);
    }

    #[test]
    fn an_answer_may_come_first_and_one_that_does_not_count_is_context() {
        let codec = ToyCodec::default();
        let mut conversation = chat(&[("assistant", "Yo"), ("user", "q"), ("assistant", "X")]);
        assert_eq!(
            shown(encode_chat(
                conversation.clone(),
                LossOn::Completion,
                &codec
            )),
            "a:[Yo<end>]\\nu:q<end>\\na:[X<end>]\\n"
        );
        conversation.messages[0].learned = false;
        assert_eq!(
            shown(encode_chat(
                conversation.clone(),
                LossOn::Completion,
                &codec
            )),
            "a:Yo<end>\\nu:q<end>\\na:[X<end>]\\n"
        );
        conversation.messages[2].learned = false;
        let error = encode_chat(conversation, LossOn::Completion, &codec).unwrap_err();
        assert_eq!(error.reason, SkipReason::NoAnswer);
    }

    #[test]
    fn an_end_is_added_where_the_template_writes_none() {
        let codec = ToyCodec {
            ends_turns: false,
            ..ToyCodec::default()
        };
        assert_eq!(
            shown(encode_pair("q", "a", CHAT, LossOn::Completion, &codec)),
            "u:q\\na:[a\\n<end>]"
        );
    }

    #[test]
    fn a_template_that_writes_thoughts_before_the_last_answer_alone_is_followed() {
        let codec = ToyCodec {
            thinks: true,
            ..ToyCodec::default()
        };
        let conversation = chat(&[
            ("user", "q"),
            ("assistant", " yes "),
            ("user", "r"),
            ("assistant", "no"),
        ]);
        assert_eq!(
            shown(encode_chat(conversation, LossOn::Completion, &codec)),
            "u:q<end>\\na:[yes<end>]\\nu:r<end>\\na:[()no<end>]\\n"
        );
    }

    #[test]
    fn what_a_template_leaves_out_is_told() {
        let codec = ToyCodec {
            forgets_answers: true,
            ..ToyCodec::default()
        };
        let conversation = chat(&[("user", "q"), ("assistant", "yes"), ("assistant", "no")]);
        let error = encode_chat(conversation, LossOn::Completion, &codec).unwrap_err();
        assert_eq!(error.reason, SkipReason::Template);
        assert!(
            error
                .problem
                .starts_with("message 2 (assistant) cannot be found"),
            "{error:?}"
        );
        let conversation = chat(&[("user", "q"), ("assistant", "yes")]);
        assert!(encode_chat(conversation, LossOn::Completion, &codec).is_ok());
    }

    #[test]
    fn empty_answers_teach_nothing() {
        let codec = ToyCodec::default();
        for content in ["", "  \n", "<end>"] {
            let conversation = chat(&[("user", "q"), ("assistant", content)]);
            let error = encode_chat(conversation, LossOn::Completion, &codec).unwrap_err();
            assert_eq!(error.reason, SkipReason::EmptyAnswer, "{content:?}");
        }
    }
}
