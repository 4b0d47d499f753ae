//! Tokenizers rebuilt from GGUF metadata.
//!
//! The keys are those of the format's specification (`docs/gguf.md` in the ggml repository). Which pre-tokenizer a
//! name in `tokenizer.ggml.pre` stands for is not specified; names and patterns are those of the models' own
//! `tokenizer.json` files and of llama.cpp.

use std::collections::HashMap;

use tokenizers::{
    AddedToken, DecoderWrapper, NormalizerWrapper, PreTokenizerWrapper, SplitDelimiterBehavior,
    decoders::{
        byte_fallback::ByteFallback, fuse::Fuse, sequence::Sequence as DecoderSequence,
        strip::Strip,
    },
    models::bpe::BPE,
    normalizers::{Prepend, Replace, Sequence as NormalizerSequence, unicode::NFC},
    pre_tokenizers::{
        byte_level::ByteLevel,
        digits::Digits,
        sequence::Sequence as PreTokenizerSequence,
        split::{Split, SplitPattern},
    },
};

use super::{SpecialTokens, Tokenizer, byte_pair, splits::splits};
use crate::load::{error::LoadError, gguf::Metadata};

/// Token types of the format that mean something here.
const UNKNOWN: i64 = 2;
const CONTROL: i64 = 3;
const USER_DEFINED: i64 = 4;
const UNUSED: i64 = 5;
const BYTE: i64 = 6;

/// SentencePiece writes a space as this character.
const SPACE: &str = "▁";

/// Pieces of SentencePiece vocabularies have at most 16 characters by default.
const LONGEST_PIECE: usize = 512;

/// What a merge and a piece take beside their text, in bytes.
const MERGE_BYTES: usize = 64;
/// How much merges may take, in vocabularies: a vocabulary that was trained has about two merges a piece, one of all parts
/// of a long text hundreds.
const MERGES_OF_VOCABULARY: usize = 8;
const FEWEST_MERGES_BYTES: usize = 1 << 20;

/// GPT-2's words.
const GPT2_WORDS: &str =
    r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

/// Llama 3's words: digits in groups of up to three.
const LLAMA3_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Qwen 2's words: digits one by one.
const QWEN2_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// Tekken's words, of Mistral: a capital begins one, marks belong to their letters, digits one by one.
const TEKKEN_WORDS: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// GPT-4o's words: Tekken's with what is left out of a word at its end, and digits in groups of up to three.
const GPT4O_WORDS: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// What llama.cpp cuts at, one after another, if a file does not name its pre-tokenizer.
const UNNAMED_SPLITS: [&str; 4] = [
    r"[\p{P}\$\+<=>\^~\|]+",
    GPT2_WORDS,
    r"\p{N}+",
    "[0-9][0-9][0-9]",
];

impl Tokenizer {
    /// Rebuilds the tokenizer from the metadata of the GGUF file `file`.
    ///
    /// # Errors
    /// Metadata that are missing or malformed, or a tokenizer of a kind that is not supported.
    pub fn from_gguf(file: &str, metadata: &Metadata) -> Result<Self, LoadError> {
        let wrong = |problem: String| LoadError::new(file, problem);
        let parts = Parts::read(metadata).map_err(wrong)?;
        let inner = match metadata.string("tokenizer.ggml.model").map_err(wrong)? {
            Some("gpt2") => byte_level(metadata, &parts),
            Some("llama") => sentence_piece(metadata, &parts),
            Some(other) => Err(format!(
                "its tokenizer is of the kind {other}, which is not supported; gpt2 and llama are"
            )),
            None => Err("it has no tokenizer (tokenizer.ggml.model)".to_owned()),
        };
        let mut inner = inner.map_err(wrong)?;
        inner
            .add_special_tokens(parts.added(&[UNKNOWN, CONTROL], true))
            .and_then(|_| inner.add_tokens(parts.added(&[USER_DEFINED], false)))
            .map_err(|error| wrong(error.to_string()))?;
        let special = special_tokens(metadata, parts.tokens.len()).map_err(wrong)?;
        Self::new(file, inner, special)
    }
}

/// The vocabulary.
struct Parts<'a> {
    tokens: Vec<&'a str>,
    types: Vec<i64>,
}

impl<'a> Parts<'a> {
    fn read(metadata: &'a Metadata) -> Result<Self, String> {
        let tokens = metadata
            .strings("tokenizer.ggml.tokens")?
            .filter(|tokens| !tokens.is_empty())
            .ok_or("it has no tokenizer (tokenizer.ggml.tokens)")?;
        let types = metadata
            .integers("tokenizer.ggml.token_type", tokens.len())?
            .unwrap_or_else(|| vec![0; tokens.len()]);
        Ok(Self { tokens, types })
    }

    /// Tokens with their ids and types.
    fn iter(&self) -> impl Iterator<Item = (usize, &'a str, i64)> + '_ {
        let pairs = self.tokens.iter().zip(&self.types).enumerate();
        pairs.map(|(id, (token, kind))| (id, *token, *kind))
    }

    /// Tokens of these types, which are found in a text before it is cut into words.
    fn added(&self, types: &[i64], special: bool) -> Vec<AddedToken> {
        self.iter()
            .filter(|(_, _, kind)| types.contains(kind))
            .map(|(_, token, _)| AddedToken::from(token, special).normalized(false))
            .collect()
    }
}

/// Byte-pair encoding over bytes, as GPT-2 introduced it.
fn byte_level(metadata: &Metadata, parts: &Parts<'_>) -> Result<tokenizers::Tokenizer, String> {
    let merges = metadata
        .strings("tokenizer.ggml.merges")?
        .ok_or("its tokenizer has no merges (tokenizer.ggml.merges)")?
        .into_iter()
        .map(|merge| match merge.split_once(' ') {
            Some((left, right)) => Ok((left.to_owned(), right.to_owned())),
            None => Err(format!("its tokenizer has the malformed merge {merge:?}")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    let name = metadata.string("tokenizer.ggml.pre")?.unwrap_or("default");
    // These take a word that is in the vocabulary as it is, even where no merges lead to it.
    let takes_whole_words = begins_texts(name);
    let model = byte_pair::build(&parts.tokens, merges, |builder| {
        builder.ignore_merges(takes_whole_words)
    })?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let splits: Vec<PreTokenizerWrapper> = match name {
        "smollm" | "starcoder" | "refact" | "command-r" | "codeshell" => {
            vec![Digits::new(true).into(), split(GPT2_WORDS)?]
        }
        "gpt-2" | "gpt2" | "mpt" | "olmo" | "jais" | "phi-2" => vec![split(GPT2_WORDS)?],
        "qwen2" | "stablelm2" => vec![split(QWEN2_WORDS)?],
        "default" => UNNAMED_SPLITS
            .into_iter()
            .map(split)
            .collect::<Result<_, _>>()?,
        "llama3" | "llama-v3" | "llama-bpe" | "dbrx" | "smaug-bpe" => {
            vec![split(LLAMA3_WORDS)?]
        }
        "tekken" => vec![split(TEKKEN_WORDS)?],
        "gpt-4o" | "llama4" => vec![split(GPT4O_WORDS)?],
        other => {
            return Err(format!(
                "its pre-tokenizer {other} is not supported; use the model's .safetensors folder"
            ));
        }
    };
    if name == "qwen2" {
        tokenizer
            .with_normalizer(Some(NFC))
            .map_err(|error| error.to_string())?;
    }
    // The words are cut; what is left is to write bytes as characters.
    let bytes = ByteLevel::new(false, true, false);
    let steps = splits.into_iter().chain([bytes.into()]).collect();
    tokenizer
        .with_pre_tokenizer(Some(PreTokenizerSequence::new(steps)))
        .with_decoder(Some(bytes));
    Ok(tokenizer)
}

/// Whether tokenizers of this name put a first token before every text, where the file does not say.
fn begins_texts(name: &str) -> bool {
    matches!(name, "llama3" | "llama-v3" | "llama-bpe" | "tekken")
}

/// Cuts a text into matches of `pattern` and what lies between them.
fn split(pattern: &str) -> Result<PreTokenizerWrapper, String> {
    let pattern = SplitPattern::Regex(pattern.to_owned());
    Split::new(pattern, SplitDelimiterBehavior::Isolated, false)
        .map(Into::into)
        .map_err(|error| error.to_string())
}

/// SentencePiece's byte-pair encoding, as Llama 1 and 2 have it.
///
/// SentencePiece joins the two neighbours whose union has the highest score, so the merges are all splits of all pieces
/// into two others, in the order of the scores. Characters that are in no piece become their bytes.
fn sentence_piece(metadata: &Metadata, parts: &Parts<'_>) -> Result<tokenizers::Tokenizer, String> {
    let scores = metadata
        .floats("tokenizer.ggml.scores", parts.tokens.len())?
        .ok_or("its tokenizer has no scores (tokenizer.ggml.scores)")?;
    let merges = merges_from_scores(parts, &scores)?;
    let unknown_id = metadata
        .unsigned("tokenizer.ggml.unknown_token_id")?
        .unwrap_or(0);
    let unknown = usize::try_from(unknown_id)
        .ok()
        .and_then(|id| parts.tokens.get(id));
    let unknown = unknown.ok_or("its tokenizer.ggml.unknown_token_id is no token")?;
    let model: BPE = byte_pair::build(&parts.tokens, merges, |builder| {
        builder
            .unk_token((*unknown).to_owned())
            .fuse_unk(true)
            .byte_fallback(true)
    })?;
    let mut tokenizer = tokenizers::Tokenizer::new(model);
    let adds_space = metadata
        .boolean("tokenizer.ggml.add_space_prefix")?
        .unwrap_or(true);
    let failed = |error: tokenizers::Error| error.to_string();

    let mut normalizers: Vec<NormalizerWrapper> = Vec::new();
    if adds_space {
        normalizers.push(Prepend::new(SPACE.to_owned()).into());
    }
    normalizers.push(Replace::new(" ", SPACE).map_err(failed)?.into());
    let mut decoders: Vec<DecoderWrapper> = vec![
        Replace::new(SPACE, " ").map_err(failed)?.into(),
        ByteFallback::new().into(),
        Fuse::new().into(),
    ];
    if adds_space {
        decoders.push(Strip::new(' ', 1, 0).into());
    }
    tokenizer
        .with_normalizer(Some(NormalizerSequence::new(normalizers)))
        .map_err(failed)?
        .with_decoder(Some(DecoderSequence::new(decoders)));
    Ok(tokenizer)
}

/// The merges that SentencePiece's scores amount to, highest score first.
fn merges_from_scores(parts: &Parts<'_>, scores: &[f64]) -> Result<Vec<(String, String)>, String> {
    let is_piece = |kind: i64| !matches!(kind, UNKNOWN | CONTROL | UNUSED | BYTE);
    let ids: HashMap<&str, usize> = parts
        .iter()
        .filter(|&(_, token, kind)| is_piece(kind) && !token.is_empty())
        .map(|(id, token, _)| (token, id))
        .collect();
    if let Some(long) = ids.keys().find(|token| token.len() > LONGEST_PIECE) {
        return Err(format!("its tokenizer has a token of {} bytes", long.len()));
    }
    let size = |text: &str| text.len() + MERGE_BYTES;
    let vocabulary: usize = ids.keys().map(|token| size(token)).sum();
    let most = MERGES_OF_VOCABULARY * vocabulary + FEWEST_MERGES_BYTES;
    let mut taken = 0;
    let mut merges = Vec::new();
    let mut too_many = false;
    splits(ids.keys().copied().collect(), |piece, middle| {
        taken += size(piece);
        too_many = taken > most;
        let (left, right) = piece.split_at(middle);
        if !too_many {
            let id = ids[piece];
            merges.push((scores[id], id, ids[left], ids[right], left, right));
        }
        !too_many
    });
    if too_many {
        return Err(
            "its tokenizer's pieces are made of each other in more ways than those of a language are; use the model's .safetensors folder"
                .to_owned(),
        );
    }
    // Equal scores in the order of ids, as the converter of transformers does.
    merges.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| (a.1, a.2, a.3).cmp(&(b.1, b.2, b.3)))
    });
    let owned = merges
        .into_iter()
        .map(|merge| (merge.4.to_owned(), merge.5.to_owned()));
    Ok(owned.collect())
}

/// Special tokens by id, and the chat template.
fn special_tokens(metadata: &Metadata, token_count: usize) -> Result<SpecialTokens, String> {
    // Files exist whose padding token is a number for "none", so an id without a token counts as no id.
    let id = |name: &str| -> Result<Option<u32>, String> {
        let id = metadata.unsigned(&format!("tokenizer.ggml.{name}_token_id"))?;
        Ok(id
            .filter(|&id| id < token_count as u64)
            .and_then(|id| u32::try_from(id).ok()))
    };
    let mut eos = Vec::new();
    for id in [id("eos")?, id("eot")?, id("eom")?].into_iter().flatten() {
        if !eos.contains(&id) {
            eos.push(id);
        }
    }
    let usual = metadata.string("tokenizer.ggml.model")? == Some("llama")
        || metadata
            .string("tokenizer.ggml.pre")?
            .is_some_and(begins_texts);
    Ok(SpecialTokens {
        bos: id("bos")?,
        starts_with_bos: metadata
            .boolean("tokenizer.ggml.add_bos_token")?
            .unwrap_or(usual),
        eos,
        pad: id("padding")?,
        chat_template: metadata
            .string("tokenizer.chat_template")?
            .map(str::to_owned),
    })
}
