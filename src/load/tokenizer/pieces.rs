//! What stands around the model of a `tokenizer.json`: normalizer, pre-tokenizer, post-processor and decoder. The
//! `tokenizers` crate (0.23) believes them, and panics or fills the memory where they make no sense; so they are read here
//! first.

use fancy_regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use super::charsmap;

/// Most letters that normalizers may make of one. What writes spaces and line ends as other letters makes three of one.
const MOST_LETTERS_OF_ONE: usize = 1_000;
/// Most pieces in all.
const MOST_PIECES: usize = 200;

/// The parts beside the model, as they stand in the file.
#[derive(Debug, Default, Deserialize)]
pub struct Pieces {
    #[serde(default)]
    normalizer: Value,
    #[serde(default)]
    pre_tokenizer: Value,
    #[serde(default)]
    post_processor: Value,
    #[serde(default)]
    decoder: Value,
}

impl Pieces {
    /// Refuses what the crate cannot compute.
    ///
    /// # Errors
    /// The piece, by its name, with the problem.
    pub fn check(&self) -> Result<(), String> {
        let parts = [
            (&self.normalizer, "normalizer", "normalizers"),
            (&self.pre_tokenizer, "pre_tokenizer", "pretokenizers"),
            (&self.post_processor, "post_processor", "processors"),
            (&self.decoder, "decoder", "decoders"),
        ];
        for (part, name, list) in parts {
            let mut pieces = Vec::new();
            collect(part, list, &mut pieces);
            if pieces.len() > MOST_PIECES {
                return Err(wrong(name, part, &format!("has {} pieces", pieces.len())));
            }
            let mut letters = 1_usize;
            for piece in pieces {
                let grows = check(piece, name).map_err(|problem| wrong(name, piece, &problem))?;
                letters = letters.saturating_mul(grows);
                if letters > MOST_LETTERS_OF_ONE {
                    let problem = format!("makes more than {MOST_LETTERS_OF_ONE} letters of one");
                    return Err(wrong(name, piece, &problem));
                }
            }
        }
        Ok(())
    }
}

fn wrong(part: &str, piece: &Value, problem: &str) -> String {
    let kind = piece["type"].as_str().unwrap_or("without a type");
    format!("its {part} {kind} {problem}; use the tokenizer.json that belongs to the model")
}

/// A piece, or all pieces of a sequence of them.
fn collect<'a>(part: &'a Value, list: &str, to: &mut Vec<&'a Value>) {
    match part.get(list).and_then(Value::as_array) {
        Some(parts) => parts.iter().for_each(|part| collect(part, list, to)),
        None if part.is_object() => to.push(part),
        None => {}
    }
}

/// How many letters a piece makes of one at most. Older files leave the type away, so pieces are known by their fields.
fn check(piece: &Value, part: &str) -> Result<usize, String> {
    if let Some(charsmap) = piece.get("precompiled_charsmap") {
        return charsmap::check(charsmap.as_str().unwrap_or_default());
    }
    if let Some(pattern) = piece.get("pattern") {
        return replaced(pattern, piece["content"].as_str());
    }
    if piece["length"] == 0 {
        return Err("cuts a text into pieces of 0 letters".to_owned());
    }
    if let Some(text) = piece["prepend"].as_str() {
        return Ok(text.len().max(1));
    }
    if part == "decoder" && piece["stop"].as_u64().is_some_and(|stop| stop > 0) {
        // The crate counts back from the end of a token without asking how long it is.
        return Err("cuts letters off the end of a token, which is not supported".to_owned());
    }
    if part == "post_processor" && piece.get("special_tokens").is_some() {
        check_template(piece)?;
    }
    Ok(1)
}

/// Of `Replace` and `Split`; only the first has a content.
fn replaced(pattern: &Value, content: Option<&str>) -> Result<usize, String> {
    let content = match content {
        None => return Ok(1),
        Some(content) => content.len(),
    };
    match (pattern["String"].as_str(), pattern["Regex"].as_str()) {
        (Some(""), _) => Err("replaces nothing by something".to_owned()),
        (Some(text), _) => Ok(content.div_ceil(text.len()).max(1)),
        (None, Some(expression)) => {
            let expression = Regex::new(expression).map_err(|error| error.to_string())?;
            match expression.is_match("") {
                Ok(false) => Ok(content.max(1)),
                _ => Err("replaces nothing by something".to_owned()),
            }
        }
        (None, None) => Ok(1),
    }
}

/// A template that names each of its tokens, with as many ids as texts, and one text only.
fn check_template(piece: &Value) -> Result<(), String> {
    let tokens = &piece["special_tokens"];
    let pieces = |name| piece[name].as_array().into_iter().flatten();
    for part in pieces("single").chain(pieces("pair")) {
        let Some(id) = part["SpecialToken"]["id"].as_str() else {
            continue;
        };
        let count = |name: &str| tokens[id][name].as_array().map(Vec::len);
        match (count("ids"), count("tokens")) {
            (Some(ids), Some(tokens)) if ids == tokens => {}
            (None, None) => return Err(format!("does not say what its token {id} is")),
            _ => return Err(format!("gives its token {id} not as many ids as texts")),
        }
    }
    if pieces("single").any(|part| part["Sequence"]["id"] == "B") {
        return Err("puts a second text where there is one".to_owned());
    }
    Ok(())
}
