//! ROUGE-L (Lin 2004).

use super::{Answered, words::plain_words};

/// The mean over answers of the F measure of the longest common subsequence of words, 0 to 1; of several references the best
/// counts. Words are not stemmed. 0 of none.
pub fn rouge_l(corpus: &[Answered]) -> f64 {
    let sum: f64 = corpus.iter().map(best).sum();
    sum / corpus.len().max(1) as f64
}

fn best(Answered { answer, references }: &Answered) -> f64 {
    let answer = plain_words(answer);
    let measures = references
        .iter()
        .map(|reference| measure(&answer, &plain_words(reference)));
    measures.fold(0.0, f64::max)
}

fn measure(answer: &[String], reference: &[String]) -> f64 {
    let common = longest_common(answer, reference) as f64;
    if common == 0.0 {
        return 0.0;
    }
    let (precision, recall) = (
        common / answer.len() as f64,
        common / reference.len() as f64,
    );
    2.0 * precision * recall / (precision + recall)
}

/// Words of the longest common subsequence.
fn longest_common(one: &[String], other: &[String]) -> usize {
    let mut row = vec![0; other.len() + 1];
    for word in one {
        let mut diagonal = 0;
        for (place, candidate) in other.iter().enumerate() {
            let above = row[place + 1];
            row[place + 1] = match word == candidate {
                true => diagonal + 1,
                false => above.max(row[place]),
            };
            diagonal = above;
        }
    }
    row[other.len()]
}
