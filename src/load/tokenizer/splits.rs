//! Which pieces of a vocabulary are two others of it, one after the other.
//!
//! To look up both halves of every split takes the square of a piece's length. Here every piece knows the longest other one
//! that it begins with, and the longest that it ends with, from two sorted lists: the work grows with the text of the
//! vocabulary.

/// Calls `found` with each piece and each byte at which both halves are pieces too, until it is false. Pieces are not empty
/// and each is there once.
pub fn splits<'a>(mut pieces: Vec<&'a str>, mut found: impl FnMut(&'a str, usize) -> bool) {
    pieces.sort_unstable();
    let forwards: Vec<usize> = (0..pieces.len()).collect();
    let begins = longest(&pieces, &forwards, |piece, part| piece.starts_with(part));
    let mut backwards = forwards;
    backwards.sort_unstable_by(|&one, &other| {
        let reversed = |index: usize| pieces[index].bytes().rev();
        reversed(one).cmp(reversed(other))
    });
    let ends = longest(&pieces, &backwards, |piece, part| piece.ends_with(part));

    // For which piece a length was noted last: nothing has to be cleared between two of them.
    let lengths = pieces.iter().map(|piece| piece.len()).max().unwrap_or(0);
    let mut noted = vec![usize::MAX; lengths];
    for (index, &piece) in pieces.iter().enumerate() {
        for part in chain(&begins, index) {
            noted[pieces[part].len()] = index;
        }
        for part in chain(&ends, index) {
            let middle = piece.len() - pieces[part].len();
            if noted[middle] == index && !found(piece, middle) {
                return;
            }
        }
    }
}

/// The longest other piece that each one has at this end. `order` puts a part before what has it, with nothing between them
/// that has it not.
fn longest(
    pieces: &[&str],
    order: &[usize],
    has: impl Fn(&str, &str) -> bool,
) -> Vec<Option<usize>> {
    let mut longest = vec![None; pieces.len()];
    let mut open: Vec<usize> = Vec::new();
    for &index in order {
        while let Some(&last) = open.last() {
            if has(pieces[index], pieces[last]) {
                longest[index] = Some(last);
                break;
            }
            open.pop();
        }
        open.push(index);
    }
    longest
}

fn chain(longest: &[Option<usize>], from: usize) -> impl Iterator<Item = usize> {
    std::iter::successors(longest[from], |&part| longest[part])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_splits_into_two_pieces_are_found() {
        // All texts of a, b and é of up to four letters, without every fifth.
        let mut all = vec![String::new()];
        for from in 0..40 {
            for letter in ["a", "b", "é"] {
                all.push(format!("{}{letter}", all[from]));
            }
        }
        all.remove(0);
        let kept = all.iter().enumerate().filter(|(at, _)| at % 5 != 3);
        let pieces: Vec<&str> = kept.map(|(_, text)| text.as_str()).collect();
        let mut expected = Vec::new();
        for piece in &pieces {
            for (middle, _) in piece.char_indices().skip(1) {
                let (left, right) = piece.split_at(middle);
                if pieces.contains(&left) && pieces.contains(&right) {
                    expected.push((*piece, middle));
                }
            }
        }
        let mut found = Vec::new();
        splits(pieces, |piece, middle| {
            found.push((piece, middle));
            true
        });
        found.sort_unstable();
        expected.sort_unstable();
        assert!(expected.len() > 100, "{}", expected.len());
        assert_eq!(found, expected);
    }

    #[test]
    fn it_ends_when_enough_is_found() {
        let mut found = 0;
        splits(vec!["a", "aa", "aaa", "aaaa"], |_, _| {
            found += 1;
            found < 2
        });
        assert_eq!(found, 2);
    }
}
