//! BLEU (Papineni et al. 2002).

use std::collections::BTreeMap;

use super::{Answered, ngrams::ngrams, words::mteval_words};

/// Longest sequences of words that are compared.
const ORDERS: usize = 4;

/// BLEU of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bleu {
    /// 0 to 100.
    pub score: f64,
    /// What the score is multiplied by because answers are shorter than references, up to 1.
    pub brevity_penalty: f64,
}

/// BLEU of all answers together, with case, mteval's 13a tokens and, where an order has no match, exponential smoothing: the
/// defaults of sacrebleu (Post 2018). Of references the one of nearest length counts for the length, the shorter of two. 0 of
/// none.
pub fn bleu(corpus: &[Answered]) -> Bleu {
    let mut matches = [0_usize; ORDERS];
    let mut totals = [0_usize; ORDERS];
    let (mut length, mut wanted) = (0, 0);
    for Answered { answer, references } in corpus {
        let answer = mteval_words(answer);
        let references: Vec<Vec<String>> =
            references.iter().map(|text| mteval_words(text)).collect();
        length += answer.len();
        let nearest = references
            .iter()
            .map(Vec::len)
            .min_by_key(|count| (count.abs_diff(answer.len()), *count));
        wanted += nearest.unwrap_or(0);
        for order in 0..ORDERS {
            let mut most: BTreeMap<&[String], usize> = BTreeMap::new();
            for reference in &references {
                for (ngram, count) in ngrams(reference, order + 1) {
                    let most = most.entry(ngram).or_insert(0);
                    *most = count.max(*most);
                }
            }
            for (ngram, count) in ngrams(&answer, order + 1) {
                totals[order] += count;
                matches[order] += count.min(most.get(ngram).copied().unwrap_or(0));
            }
        }
    }
    let brevity_penalty = match (length, length < wanted) {
        (0, _) => 0.0,
        (_, true) => (1.0 - wanted as f64 / length as f64).exp(),
        (_, false) => 1.0,
    };
    let mut smoothing = 1.0;
    let mut logarithms = 0.0;
    for (matches, total) in matches.into_iter().zip(totals) {
        if total == 0 {
            return Bleu {
                score: 0.0,
                brevity_penalty,
            };
        }
        let precision = match matches {
            0 => {
                smoothing *= 2.0;
                1.0 / (smoothing * total as f64)
            }
            matches => matches as f64 / total as f64,
        };
        logarithms += precision.ln();
    }
    let score = match matches.iter().sum::<usize>() {
        0 => 0.0,
        _ => 100.0 * brevity_penalty * (logarithms / ORDERS as f64).exp(),
    };
    Bleu {
        score,
        brevity_penalty,
    }
}
