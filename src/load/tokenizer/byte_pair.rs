//! Building a byte-pair encoding from parts that a file supplied.

use tokenizers::models::bpe::{BPE, BpeBuilder, Vocab};

/// Checks merges before the `tokenizers` crate sees them.
///
/// The crate copies both halves of a merge into a buffer as long as the longest token and panics if they do not fit.
/// It does report halves that are not in the vocabulary.
///
/// # Errors
/// The problem in words.
pub fn check_merges<'a>(
    longest_token: usize,
    merges: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Result<(), String> {
    for (left, right) in merges {
        if left.len() + right.len() > longest_token {
            return Err(format!(
                "the merge of {left:?} and {right:?} makes no token of the vocabulary"
            ));
        }
    }
    Ok(())
}

/// A model with the vocabulary `tokens`, whose positions are ids, and `merges` in order of priority.
///
/// Of tokens that occur twice the first one is used, so no text becomes the id of the second one.
///
/// # Errors
/// The problem in words.
pub fn build(
    tokens: &[&str],
    merges: Vec<(String, String)>,
    configure: impl FnOnce(BpeBuilder) -> BpeBuilder,
) -> Result<BPE, String> {
    let longest = tokens.iter().map(|token| token.len()).max().unwrap_or(0);
    let pairs = merges
        .iter()
        .map(|(left, right)| (left.as_str(), right.as_str()));
    check_merges(longest, pairs)?;
    let mut vocabulary = Vocab::with_capacity(tokens.len());
    for (id, token) in tokens.iter().enumerate() {
        let id = u32::try_from(id).map_err(|_| "it has more than 2^32 tokens".to_owned())?;
        vocabulary.entry((*token).to_owned()).or_insert(id);
    }
    let builder = BpeBuilder::new().vocab_and_merges(vocabulary, merges);
    configure(builder)
        .build()
        .map_err(|error| error.to_string())
}
