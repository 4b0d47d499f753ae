//! A conversation as a model's chat template writes it, and where each message stands in that text.
//!
//! Templates are programs: they may trim what is said, put words of their own before it, or write earlier turns in another
//! way than the last one. So the places are not guessed from the text but measured, by rendering the conversation again with
//! marks around the contents, and believed only where both texts agree.

use std::ops::Range;

use serde_json::Value;

use super::codec::{ChatMessage, TextCodec};
use super::error::DataError;

/// Marks from Unicode's private use area: they are no letters, no spaces and no control tokens, and no template looks for them.
const BEGIN: char = '\u{f8f0}';
const END: char = '\u{f8f1}';

/// How much a template may write in all to find what it changes in a conversation, and how often at least.
const RENDERED_BYTES: usize = 256 << 20;
const FEWEST_RENDERINGS: usize = 256;

/// A conversation, and the functions that its assistant may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// What is said, in order.
    pub messages: Vec<ChatMessage>,
    /// The functions, as transformers hands them to a template.
    pub tools: Option<Value>,
}

/// A rendered conversation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rendered {
    /// The whole text.
    pub text: String,
    /// Bytes of each message's content, as the template writes it.
    pub contents: Vec<Range<usize>>,
    /// Where the model begins to write, for each message that the assistant says.
    pub beginnings: Vec<Option<usize>>,
    /// What the template writes behind the last message.
    pub tail: String,
}

impl Conversation {
    /// A prompt and the answer to it.
    pub fn of_pair(prompt: &str, completion: &str) -> Self {
        Self {
            messages: vec![
                ChatMessage::new("user", prompt),
                ChatMessage::new("assistant", completion),
            ],
            tools: None,
        }
    }

    /// The text of the conversation with its places.
    ///
    /// # Errors
    /// [`DataError`] of the codec, or if a message cannot be found in the text, because the template leaves it out or
    /// changes it.
    pub(super) fn render<Codec: TextCodec + ?Sized>(
        &self,
        codec: &Codec,
    ) -> Result<Rendered, DataError> {
        let text = self.text(&self.messages, codec)?;
        let contents = self.all_places(&text, codec)?;
        if let Some(tools) = &self.tools
            && codec.render_chat(&self.messages, None, false)? == text
        {
            let count = tools.as_array().map_or(1, Vec::len);
            return Err(DataError::new(format!(
                "has {count} `tools`, which the model's chat template does not write; remove them, or use a model that knows tools"
            )));
        }
        self.check_calls(&text)?;
        let tail = contents.last().map_or(0, |content| content.end);
        let mut rendered = Rendered {
            tail: text[tail..].to_owned(),
            beginnings: vec![None; contents.len()],
            text,
            contents,
        };
        let opening = self.opening(codec);
        for (index, message) in self.messages.iter().enumerate() {
            if message.is_assistant() {
                rendered.beginnings[index] = Some(rendered.beginning(index, &opening));
            }
        }
        Ok(rendered)
    }

    /// The tokens up to where the assistant's next answer begins.
    ///
    /// # Errors
    /// [`DataError`] of the codec.
    pub(super) fn encode_opening<Codec: TextCodec + ?Sized>(
        &self,
        codec: &Codec,
    ) -> Result<Vec<u32>, DataError> {
        let text = codec.render_chat(&self.messages, self.tools.as_ref(), true)?;
        let closed = self.text(&self.messages, codec)?;
        // Where the text ends in another way when an answer follows, its beginning is all the same.
        let all = 0..self.messages.len();
        let written = self.places(&closed, all, codec).unwrap_or_default();
        let fits = |place: &Range<usize>| text.get(place.clone()) == closed.get(place.clone());
        let written: Vec<_> = written.into_iter().filter(fits).collect();
        Ok(codec.encode(&text, &written)?.ids)
    }

    /// Whether the system is the first who says something, and not the template in its place.
    pub(super) fn begins_with_system(&self) -> bool {
        self.messages
            .first()
            .is_some_and(|first| first.role == "system")
    }

    fn text<Codec: TextCodec + ?Sized>(
        &self,
        messages: &[ChatMessage],
        codec: &Codec,
    ) -> Result<String, DataError> {
        codec.render_chat(messages, self.tools.as_ref(), false)
    }

    /// With marks around the contents of messages `marked`.
    fn marked(&self, marked: Range<usize>) -> Vec<ChatMessage> {
        let mut messages = self.messages.clone();
        for message in &mut messages[marked] {
            message.content = format!("{BEGIN}{}{END}", message.content);
        }
        messages
    }

    /// The places of the contents of messages `range`, with one more rendering; `None` where the template does not treat
    /// them as they are or trimmed.
    fn places<Codec: TextCodec + ?Sized>(
        &self,
        text: &str,
        range: Range<usize>,
        codec: &Codec,
    ) -> Option<Vec<Range<usize>>> {
        let messages = &self.messages[range.clone()];
        let marked = self.text(&self.marked(range), codec).ok()?;
        let mut rest = marked.as_str();
        let mut between = Vec::with_capacity(messages.len() + 1);
        for message in messages {
            let (before, after) = rest.split_once(BEGIN)?;
            between.push(before);
            rest = after
                .strip_prefix(message.content.as_str())?
                .strip_prefix(END)?;
        }
        between.push(rest);
        if between.iter().any(|text| text.contains([BEGIN, END])) {
            return None;
        }

        let mut at = text.strip_prefix(between[0]).map(|_| between[0].len())?;
        let mut places = Vec::with_capacity(messages.len());
        for (message, after) in messages.iter().zip(&between[1..]) {
            let content = message.content.as_str();
            let forms = [
                content,
                content.trim(),
                content.trim_end(),
                content.trim_start(),
            ];
            let is_last = places.len() + 1 == messages.len();
            let fits = |form: &&str| {
                let rest = text[at..].strip_prefix(*form);
                rest.is_some_and(|rest| match is_last {
                    true => rest == *after,
                    false => rest.starts_with(after),
                })
            };
            let form = forms.into_iter().find(fits)?;
            places.push(at..at + form.len());
            at += form.len() + after.len();
        }
        Some(places)
    }

    /// The places of all contents: of all at once, or else of halves, down to the messages that the template changes. Of such
    /// a one it is what stands before and after it with and without marks.
    fn all_places<Codec: TextCodec + ?Sized>(
        &self,
        text: &str,
        codec: &Codec,
    ) -> Result<Vec<Range<usize>>, DataError> {
        let mut places: Vec<Range<usize>> = Vec::with_capacity(self.messages.len());
        let all = 0..self.messages.len();
        let mut left = vec![all];
        let mut renderings = (RENDERED_BYTES / text.len().max(1)).max(FEWEST_RENDERINGS);
        while let Some(range) = left.pop() {
            renderings = renderings.checked_sub(1).ok_or_else(|| {
                DataError::new(format!(
                    "has {} messages, too many of which the model's chat template changes; divide it into shorter conversations",
                    self.messages.len()
                ))
            })?;
            let earliest = places.last().map_or(0, |place| place.end);
            let found = self.places(text, range.clone(), codec);
            let found = found.filter(|found| found.iter().all(|place| earliest <= place.start));
            if let Some(found) = found {
                places.extend(found);
                continue;
            }
            if range.len() != 1 {
                let middle = range.start + range.len() / 2;
                left.extend([middle..range.end, range.start..middle]);
                continue;
            }
            let index = range.start;
            let message = &self.messages[index];
            let marked = self.text(&self.marked(index..index + 1), codec).ok();
            let end = marked.as_deref().and_then(|marked| {
                let after = &marked[marked.rfind(END)? + END.len_utf8()..];
                text.ends_with(after).then(|| text.len() - after.len())
            });
            // The first mark is gone where a template takes thoughts out of an answer; what is left of it ends at the second.
            let start = marked.as_deref().and_then(|marked| {
                let before = &marked[..marked.find(BEGIN)?];
                text.starts_with(before).then_some(before.len())
            });
            match (start, end) {
                (Some(start), Some(end)) if earliest <= start && start <= end => {
                    places.push(start..end);
                }
                (None, Some(end)) if message.is_assistant() && earliest <= end => {
                    let said = message.content.trim();
                    let said = (0..=said.len()).filter(|&from| said.is_char_boundary(from));
                    let longest = said
                        .map(|from| &message.content.trim()[from..])
                        .find(|said| text[earliest..end].ends_with(said));
                    places.push(end - longest.map_or(0, str::len)..end);
                }
                _ => {
                    return Err(DataError::new(format!(
                        "message {} ({}) cannot be found in what the model's chat template writes: it leaves it out or changes it; say it in another way, or remove the row",
                        index + 1,
                        message.role
                    )));
                }
            }
        }
        Ok(places)
    }

    /// What a template that knows no calls leaves out must not be left out in silence.
    fn check_calls(&self, text: &str) -> Result<(), DataError> {
        for message in &self.messages {
            let calls = message.more.get("tool_calls").and_then(Value::as_array);
            for call in calls.into_iter().flatten() {
                let name = call["function"]["name"].as_str().or(call["name"].as_str());
                if name.is_none_or(|name| !text.contains(name)) {
                    return Err(DataError::new(
                        "has `tool_calls`, which the model's chat template does not write; write the call into `content`, or use a model that knows tools",
                    ));
                }
            }
        }
        Ok(())
    }

    /// What the template writes where the assistant's answer begins, such as `<|im_start|>assistant\n`; empty if it writes
    /// nothing.
    fn opening<Codec: TextCodec + ?Sized>(&self, codec: &Codec) -> String {
        let first = self.messages.iter().position(ChatMessage::is_assistant);
        let before = &self.messages[..first
            .filter(|first| *first > 0)
            .unwrap_or(self.messages.len())];
        let render = |open| codec.render_chat(before, self.tools.as_ref(), open);
        let (Ok(open), Ok(closed)) = (render(true), render(false)) else {
            return String::new();
        };
        let pairs = open.char_indices().zip(closed.chars());
        let differs = pairs.into_iter().find(|((_, one), other)| one != other);
        let at = differs.map_or(closed.len().min(open.len()), |((at, _), _)| at);
        open[at..].to_owned()
    }
}

impl Rendered {
    /// Where the model begins to write message `index`: behind the template's opening, or at the content where the template
    /// has none.
    fn beginning(&self, index: usize, opening: &str) -> usize {
        let from = index
            .checked_sub(1)
            .map_or(0, |last| self.contents[last].end);
        let content = self.contents[index].start;
        if opening.is_empty() {
            return content;
        }
        match self.text[from..content].rfind(opening) {
            Some(at) => from + at + opening.len(),
            None => content,
        }
    }

    /// Where the text of turn `index` ends that the template writes whether or not another turn follows.
    pub fn end_of_turn(&self, index: usize) -> usize {
        let from = self.contents[index].end;
        let next = self
            .contents
            .get(index + 1)
            .map_or(self.text.len(), |next| next.start);
        let between = self.text[from..next].char_indices().zip(self.tail.chars());
        let same = between.take_while(|((_, one), other)| one == other);
        from + same
            .map(|((_, letter), _)| letter.len_utf8())
            .sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::data::codec::Encoded;
    use crate::data::toy::ToyCodec;

    /// A template that takes thoughts out of all answers but the last, as Qwen3's, and counts how often it is asked.
    #[derive(Default)]
    struct Forgetful {
        toy: ToyCodec,
        renderings: Cell<usize>,
    }

    impl TextCodec for Forgetful {
        fn encode(&self, text: &str, written: &[Range<usize>]) -> Result<Encoded, DataError> {
            self.toy.encode(text, written)
        }

        fn written_out(&self, id: u32) -> Option<String> {
            self.toy.written_out(id)
        }

        fn end_of_text(&self) -> Option<u32> {
            self.toy.end_of_text()
        }

        fn begin_of_text(&self) -> Option<u32> {
            self.toy.begin_of_text()
        }

        fn pad(&self) -> u32 {
            self.toy.pad()
        }

        fn render_chat(
            &self,
            messages: &[ChatMessage],
            tools: Option<&Value>,
            add_generation_prompt: bool,
        ) -> Result<String, DataError> {
            self.renderings.set(self.renderings.get() + 1);
            let mut messages = messages.to_vec();
            if let Some((_, earlier)) = messages.split_last_mut() {
                for message in earlier {
                    if let Some((_, said)) = message.content.split_once("</t>") {
                        message.content = said.to_owned();
                    }
                }
            }
            self.toy
                .render_chat(&messages, tools, add_generation_prompt)
        }

        fn unwritten_opening(&self) -> Option<String> {
            None
        }
    }

    /// 10,000 turns, some answers of which begin with a thought.
    fn long(content: &str, thinks: impl Fn(usize) -> bool) -> Conversation {
        let message = |index: usize| match index % 2 {
            0 => ChatMessage::new("user", format!("q{index}")),
            _ if thinks(index) => {
                ChatMessage::new("assistant", format!("<t>hm</t>{content}{index}"))
            }
            _ => ChatMessage::new("assistant", format!("{content}{index}")),
        };
        Conversation {
            messages: (0..10_000).map(message).collect(),
            tools: None,
        }
    }

    #[test]
    fn ten_thousand_turns_are_found_with_few_renderings() {
        for (thoughts, most) in [(&[][..], 4), (&[5, 4001, 9997][..], 120)] {
            let codec = Forgetful::default();
            let rendered = long("a", |index| thoughts.contains(&index))
                .render(&codec)
                .unwrap();
            for (index, place) in rendered.contents.iter().enumerate() {
                let said = ["q", "a"][index % 2];
                assert_eq!(rendered.text[place.clone()], format!("{said}{index}"));
            }
            let renderings = codec.renderings.get();
            assert!(renderings <= most, "{renderings}");
        }
    }

    #[test]
    fn a_template_that_changes_everything_is_not_asked_without_end() {
        let codec = Forgetful::default();
        let conversation = long(&"a".repeat(400), |_| true);
        let error = conversation.render(&codec).unwrap_err().to_string();
        assert!(
            error.contains("has 10000 messages, too many of which"),
            "{error}"
        );
        assert!(codec.renderings.get() <= 600, "{}", codec.renderings.get());
    }
}
