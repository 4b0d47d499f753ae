//! CIDEr-D (Vedantam et al. 2015).

use std::collections::{BTreeMap, BTreeSet};

use super::{Answered, ngrams::ngrams, words::mteval_words};

/// Longest sequences of words that are compared.
const ORDERS: usize = 4;
/// How fast a difference in length costs, in words.
const DEVIATION: f64 = 6.0;
/// What the paper's released code multiplies by.
const SCALE: f64 = 10.0;

/// A text as weights of its n-grams.
struct Weighted<'a> {
    weights: [BTreeMap<&'a [String], f64>; ORDERS],
    norms: [f64; ORDERS],
    /// Pairs of neighbours, which stand for the length in the released code.
    length: f64,
}

/// The mean over answers of the cosine between n-grams of answer and references, 0 to 10, where an n-gram weighs more the
/// fewer of the corpus' references have it. Words are mteval's, in lower case. 0 of none.
pub fn cider(corpus: &[Answered]) -> f64 {
    let words = |text: &String| mteval_words(&text.to_lowercase());
    let answers: Vec<Vec<String>> = corpus.iter().map(|item| words(&item.answer)).collect();
    let references: Vec<Vec<Vec<String>>> = corpus
        .iter()
        .map(|item| item.references.iter().map(words).collect())
        .collect();
    let mut having: BTreeMap<&[String], f64> = BTreeMap::new();
    for item in &references {
        let all: BTreeSet<&[String]> = item
            .iter()
            .flat_map(|text| (1..=ORDERS).flat_map(|order| text.windows(order)))
            .collect();
        for ngram in all {
            *having.entry(ngram).or_insert(0.0) += 1.0;
        }
    }
    let items = (corpus.len() as f64).ln();
    let weighted = |text| weigh(text, &having, items);
    let scores = answers.iter().zip(&references).map(|(answer, references)| {
        let answer = weighted(answer);
        let similar: f64 = references
            .iter()
            .map(|reference| similarity(&answer, &weighted(reference)))
            .sum();
        SCALE * similar / references.len().max(1) as f64
    });
    // A sum of nothing is −0.
    (0.0 + scores.sum::<f64>()) / corpus.len().max(1) as f64
}

fn weigh<'a>(text: &'a [String], having: &BTreeMap<&[String], f64>, items: f64) -> Weighted<'a> {
    let weights = std::array::from_fn(|order| {
        let counts = ngrams(text, order + 1).into_iter();
        let weigh = |(ngram, count): (&'a [String], usize)| {
            let having = having.get(ngram).copied().unwrap_or(0.0).max(1.0);
            (ngram, count as f64 * (items - having.ln()))
        };
        counts.map(weigh).collect::<BTreeMap<_, _>>()
    });
    let norm = |weights: &BTreeMap<&[String], f64>| {
        weights
            .values()
            .map(|weight| weight * weight)
            .sum::<f64>()
            .sqrt()
    };
    Weighted {
        norms: std::array::from_fn(|order| norm(&weights[order])),
        weights,
        length: text.len().saturating_sub(1) as f64,
    }
}

/// The mean over orders, of which an answer gains nothing by repeating an n-gram.
fn similarity(answer: &Weighted<'_>, reference: &Weighted<'_>) -> f64 {
    let difference = answer.length - reference.length;
    let penalty = (-difference * difference / (2.0 * DEVIATION * DEVIATION)).exp();
    let of_order = |order: usize| {
        let products = answer.weights[order].iter().map(|(ngram, weight)| {
            let other = reference.weights[order].get(ngram).copied().unwrap_or(0.0);
            weight.min(other) * other
        });
        let sum: f64 = products.sum();
        match answer.norms[order] * reference.norms[order] {
            0.0 => sum,
            norms => sum / norms,
        }
    };
    (0..ORDERS).map(of_order).sum::<f64>() * penalty / ORDERS as f64
}
