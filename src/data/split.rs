//! Which examples are kept out of training.

use super::error::DataError;
use super::settings::Validation;
use super::shuffle::{SPLIT_STREAM, shuffled};

/// Examples by their place in the file, each list in the file's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Trained on; never empty.
    pub train: Vec<usize>,
    /// Kept out.
    pub validation: Vec<usize>,
    /// Whether no prompt is on both sides.
    pub prompts_kept_apart: bool,
}

/// Splits examples at random, the same for the same `seed`.
///
/// `prompts[i]` numbers the prompt of example i, from 0. Examples with the same prompt stay together, because a model
/// that has seen a prompt with one answer has seen much of its other answers: prompts are taken in random order, each if
/// it fits into what is asked for. Where not even one fits, single examples are taken.
///
/// # Errors
/// [`DataError`], without a file, if nothing would be left to train on.
pub fn split(prompts: &[u32], validation: Validation, seed: u64) -> Result<Split, DataError> {
    let examples = prompts.len();
    let wanted = match validation {
        Validation::None => 0,
        Validation::Share(0.0) => 0,
        Validation::Share(share) => share_of(examples, share),
        Validation::Count(count) => count,
        Validation::AtMost { share: 0.0, .. } => 0,
        Validation::AtMost { share, count } => share_of(examples, share)
            .min(count)
            .min(examples.saturating_sub(1)),
    };
    if examples == 0 || wanted >= examples {
        return Err(DataError::new(format!(
            "has {examples} examples, of which {wanted} would be kept for validation and none is left to train on; keep fewer, or use a larger file"
        )));
    }
    let mut kept = vec![false; examples];
    let mut taken = 0;
    let members = members(prompts);
    for prompt in shuffled(members.len() as u32, seed, SPLIT_STREAM) {
        let members = &members[prompt as usize];
        if taken + members.len() <= wanted {
            members.iter().for_each(|example| kept[*example] = true);
            taken += members.len();
        }
    }
    let prompts_kept_apart = taken > 0 || wanted == 0;
    if !prompts_kept_apart {
        let order = shuffled(examples as u32, seed, SPLIT_STREAM);
        order[..wanted]
            .iter()
            .for_each(|example| kept[*example as usize] = true);
    }
    let (validation, train) = (0..examples).partition(|example| kept[*example]);
    Ok(Split {
        train,
        validation,
        prompts_kept_apart,
    })
}

/// At least one.
fn share_of(examples: usize, share: f64) -> usize {
    ((examples as f64 * share).round() as usize).max(1)
}

/// The examples of each prompt.
fn members(prompts: &[u32]) -> Vec<Vec<usize>> {
    let count = prompts.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members = vec![Vec::new(); count];
    for (example, prompt) in prompts.iter().enumerate() {
        members[*prompt as usize].push(example);
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::settings::DEFAULT_VALIDATION;

    fn distinct(count: u32) -> Vec<u32> {
        (0..count).collect()
    }

    fn assert_disjoint_and_whole(split: &Split, examples: usize) {
        let mut all = [split.train.clone(), split.validation.clone()].concat();
        assert!(split.train.is_sorted() && split.validation.is_sorted());
        all.sort_unstable();
        assert_eq!(all, Vec::from_iter(0..examples));
    }

    #[test]
    fn sizes_are_exact_where_prompts_differ() {
        let cases = [
            (100, Validation::Share(0.1), 10),
            (100, Validation::Count(37), 37),
            (100, Validation::None, 0),
            (100, Validation::Share(0.0), 0),
            (3, Validation::Share(0.01), 1),
            (2, Validation::Count(1), 1),
            (1, DEFAULT_VALIDATION, 0),
            (2, DEFAULT_VALIDATION, 1),
            (100, DEFAULT_VALIDATION, 10),
            (2000, DEFAULT_VALIDATION, 64),
        ];
        for (examples, validation, expected) in cases {
            let split = split(&distinct(examples), validation, 3).unwrap();
            assert_eq!(
                split.validation.len(),
                expected,
                "{validation:?} of {examples}"
            );
            assert!(split.prompts_kept_apart);
            assert_disjoint_and_whole(&split, examples as usize);
        }
    }

    #[test]
    fn seeded() {
        let of = |seed| {
            split(&distinct(20), Validation::Count(4), seed)
                .unwrap()
                .validation
        };
        assert_eq!(of(0), [4, 13, 14, 15]);
        assert_eq!(of(1), [5, 9, 10, 11]);
    }

    #[test]
    fn a_prompt_is_never_on_both_sides() {
        let prompts: Vec<u32> = (0..300).map(|example| example / 7).collect();
        let split = split(&prompts, Validation::Count(30), 1).unwrap();
        assert_disjoint_and_whole(&split, 300);
        assert_eq!(split.validation.len(), 28);
        assert!(split.prompts_kept_apart);
        for example in &split.validation {
            assert!(
                split
                    .train
                    .iter()
                    .all(|other| prompts[*other] != prompts[*example])
            );
        }
    }

    #[test]
    fn one_prompt_for_all_is_split_by_example() {
        let split = split(&[0; 10], Validation::Count(3), 1).unwrap();
        assert_disjoint_and_whole(&split, 10);
        assert_eq!(split.validation.len(), 3);
        assert!(!split.prompts_kept_apart);
    }

    #[test]
    fn something_is_left_to_train_on() {
        for (examples, validation) in [
            (0, Validation::None),
            (1, Validation::Share(0.5)),
            (5, Validation::Count(5)),
            (5, Validation::Count(usize::MAX)),
            (5, Validation::Share(0.95)),
        ] {
            let error = split(&distinct(examples), validation, 0).unwrap_err();
            assert!(
                error.to_string().contains("none is left to train on"),
                "{error}"
            );
        }
    }
}
