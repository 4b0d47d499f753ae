//! Exact match.

use super::Answered;

/// The share of answers that are one of their references, but for white space around them, 0 to 1. 0 of none.
pub fn exact_match(corpus: &[Answered]) -> f64 {
    let same = |Answered { answer, references }: &&Answered| {
        let answer = answer.trim();
        references
            .iter()
            .any(|reference| reference.trim() == answer)
    };
    corpus.iter().filter(same).count() as f64 / corpus.len().max(1) as f64
}
