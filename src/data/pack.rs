//! Documents to windows of at most one length.
//!
//! A window has tokens of one document only: nobody predicts a document from the one before it, which has nothing to do with
//! it, and positions begin anew with each.

use super::example::Example;

/// Cuts documents into windows that neither overlap nor leave a gap. All tokens but a window's first count.
#[derive(Debug)]
pub struct Packer {
    sequence_length: usize,
    begin: Option<u32>,
    end: Option<u32>,
    /// What is not yet handed out of the current document.
    window: Vec<u32>,
    /// What is left of the document before, which has its end only if another follows.
    last: Vec<u32>,
    /// Whether the next token is the first of its document.
    at_beginning: bool,
}

impl Packer {
    /// For windows of `sequence_length` tokens. `begin` is put before each document, and `end` between two.
    pub fn new(sequence_length: usize, begin: Option<u32>, end: Option<u32>) -> Self {
        Self {
            sequence_length: sequence_length.max(2),
            begin,
            end,
            window: Vec::new(),
            last: Vec::new(),
            at_beginning: true,
        }
    }

    /// Whether the next token is the first of its document.
    pub fn is_between_documents(&self) -> bool {
        self.at_beginning
    }

    /// Adds tokens of the current document; windows that become full go to `windows`.
    pub fn push(&mut self, mut ids: &[u32], windows: &mut Vec<Example>) {
        if ids.is_empty() {
            return;
        }
        if std::mem::take(&mut self.at_beginning) {
            self.close_last(windows);
            self.window.extend(self.begin);
        }
        // A full window waits for the token after it, so that the end of a document is never alone in one.
        while !ids.is_empty() {
            if self.window.len() == self.sequence_length {
                windows.push(window(std::mem::take(&mut self.window)));
            }
            let room = self.sequence_length - self.window.len();
            let (now, later) = ids.split_at(room.min(ids.len()));
            self.window.extend_from_slice(now);
            ids = later;
        }
    }

    /// The current document is over.
    pub fn end_document(&mut self, windows: &mut Vec<Example>) {
        if !std::mem::replace(&mut self.at_beginning, true) {
            self.close_last(windows);
            self.last = std::mem::take(&mut self.window);
        }
    }

    /// The last window, if it has a token that can be predicted.
    pub fn finish(mut self, windows: &mut Vec<Example>) {
        let open = std::mem::take(&mut self.window);
        if !open.is_empty() {
            self.close_last(windows);
        }
        let left = if open.is_empty() { self.last } else { open };
        if left.len() >= 2 {
            windows.push(window(left));
        }
    }

    /// Hands out the document before, with its end.
    fn close_last(&mut self, windows: &mut Vec<Example>) {
        let mut last = std::mem::take(&mut self.last);
        if last.is_empty() {
            return;
        }
        if let Some(end) = self.end {
            // In a full window there is no room for it, and alone it could not be predicted.
            if last.len() == self.sequence_length {
                let before_end = last.split_off(last.len() - 1);
                windows.push(window(std::mem::replace(&mut last, before_end)));
            }
            last.push(end);
        }
        if last.len() >= 2 {
            windows.push(window(last));
        }
    }
}

fn window(ids: Vec<u32>) -> Example {
    let mut counts = vec![true; ids.len()];
    counts[0] = false;
    Example {
        ids,
        counts,
        prompt_tokens: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(
        length: usize,
        begin: Option<u32>,
        end: Option<u32>,
        documents: &[&[&[u32]]],
    ) -> Vec<Vec<u32>> {
        let mut packer = Packer::new(length, begin, end);
        let mut windows = Vec::new();
        for document in documents {
            for piece in *document {
                packer.push(piece, &mut windows);
            }
            packer.end_document(&mut windows);
        }
        packer.finish(&mut windows);
        for window in &windows {
            assert!(!window.counts[0]);
            assert_eq!(window.counted(), window.ids.len() - 1);
        }
        windows.into_iter().map(|window| window.ids).collect()
    }

    #[test]
    fn windows_follow_each_other_without_gap_or_overlap() {
        let ids: Vec<u32> = (0..103).collect();
        let windows = packed(10, None, Some(999), &[&[&ids[..37], &[], &ids[37..]]]);
        assert_eq!(windows.len(), 11);
        assert!(windows[..10].iter().all(|window| window.len() == 10));
        assert_eq!(windows.concat(), ids);
    }

    #[test]
    fn a_last_single_token_is_all_that_is_lost() {
        assert_eq!(packed(3, None, None, &[&[&[1, 2, 3, 4]]]), [vec![1, 2, 3]]);
        assert_eq!(
            packed(3, None, None, &[&[&[1, 2, 3, 4, 5]]]),
            [vec![1, 2, 3], vec![4, 5]]
        );
        assert!(packed(3, None, None, &[&[&[1]]]).is_empty());
    }

    #[test]
    fn a_window_has_one_document_and_one_end_stands_between_two() {
        let documents: [&[&[u32]]; 4] = [&[&[1, 2]], &[], &[&[]], &[&[3], &[4]]];
        assert_eq!(
            packed(4, None, Some(9), &documents),
            [vec![1, 2, 9], vec![3, 4]]
        );
        assert_eq!(
            packed(4, Some(8), Some(9), &documents),
            [vec![8, 1, 2, 9], vec![8, 3, 4]]
        );
        assert_eq!(packed(9, None, None, &documents), [[1, 2], [3, 4]]);
    }

    #[test]
    fn the_end_of_a_full_window_is_predicted_from_the_token_before_it() {
        assert_eq!(
            packed(3, None, Some(9), &[&[&[1, 2, 3]], &[&[4, 5]]]),
            [vec![1, 2], vec![3, 9], vec![4, 5]]
        );
    }
}
