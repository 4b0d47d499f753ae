//! How close answers are to what people wrote: BLEU, ROUGE-L, CIDEr-D and exact match, each against several references.
//!
//! The numbers are those of sacrebleu, rouge-score and pycocoevalcap (`tests/fixtures/scores`).

mod bleu;
mod cider;
mod exact;
mod ngrams;
mod rouge;
mod words;

pub use bleu::{Bleu, bleu};
pub use cider::cider;
pub use exact::exact_match;
pub use rouge::rouge_l;

/// An answer, and what it could have been.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What a model wrote.
    pub answer: String,
    /// What people wrote, at least one.
    pub references: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::{words::mteval_words, *};

    #[derive(Deserialize)]
    struct Case {
        corpus: Vec<Texts>,
        bleu: f64,
        brevity_penalty: f64,
        rouge_l: f64,
        cider: f64,
        exact_match: f64,
        words: Vec<Vec<String>>,
    }

    #[derive(Deserialize)]
    struct Texts {
        answer: String,
        references: Vec<String>,
    }

    #[test]
    fn scores_are_those_of_the_packages_that_people_use() {
        let text = include_str!("../../tests/fixtures/scores/scores.json");
        let cases: std::collections::BTreeMap<String, Case> = serde_json::from_str(text).unwrap();
        assert_eq!(cases.len(), 4);
        for (name, case) in cases {
            for (texts, words) in case.corpus.iter().zip(&case.words) {
                assert_eq!(&mteval_words(&texts.answer), words, "{name}");
            }
            let corpus: Vec<Answered> = case
                .corpus
                .into_iter()
                .map(|Texts { answer, references }| Answered { answer, references })
                .collect();
            let found = bleu(&corpus);
            for (what, found, expected) in [
                ("BLEU", found.score, case.bleu),
                (
                    "brevity penalty",
                    found.brevity_penalty,
                    case.brevity_penalty,
                ),
                ("ROUGE-L", rouge_l(&corpus), case.rouge_l),
                ("CIDEr-D", cider(&corpus), case.cider),
                ("exact match", exact_match(&corpus), case.exact_match),
            ] {
                let close = (found - expected).abs() <= 1e-9 * expected.abs().max(1.0);
                assert!(close, "{name}: {what} is {found}, expected {expected}");
            }
        }
    }

    #[test]
    fn scores_of_nothing_are_nothing() {
        assert_eq!(bleu(&[]).score, 0.0);
        assert_eq!([rouge_l(&[]), cider(&[]), exact_match(&[])], [0.0; 3]);
        let silent = Answered {
            answer: String::new(),
            references: vec!["a word".to_owned()],
        };
        let silent = [silent];
        assert_eq!(bleu(&silent).score, 0.0);
        assert_eq!(
            [rouge_l(&silent), cider(&silent), exact_match(&silent)],
            [0.0; 3]
        );
    }
}
