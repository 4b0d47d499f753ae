//! Words that follow each other.

use std::collections::BTreeMap;

/// How often each sequence of `length` words is in `words`.
pub fn ngrams(words: &[String], length: usize) -> BTreeMap<&[String], usize> {
    let mut counts = BTreeMap::new();
    for ngram in words.windows(length) {
        *counts.entry(ngram).or_insert(0) += 1;
    }
    counts
}
