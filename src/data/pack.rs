//! Documents to windows of one length.

use super::example::Example;

/// Cuts a stream of documents into windows that neither overlap nor leave a gap. All tokens but a window's first count.
#[derive(Debug)]
pub struct Packer {
    sequence_length: usize,
    begin: Option<u32>,
    end: Option<u32>,
    window: Vec<u32>,
    /// Whether the next token is the first of its document.
    at_beginning: bool,
    /// Whether a document before this one still wants its end.
    owes_end: bool,
}

impl Packer {
    /// For windows of `sequence_length` tokens. `begin` is put before each document, and `end` between two.
    pub fn new(sequence_length: usize, begin: Option<u32>, end: Option<u32>) -> Self {
        Self {
            sequence_length: sequence_length.max(2),
            begin,
            end,
            window: Vec::new(),
            at_beginning: true,
            owes_end: false,
        }
    }

    /// Adds tokens of the current document; windows that become full go to `windows`.
    pub fn push(&mut self, ids: &[u32], windows: &mut Vec<Example>) {
        if ids.is_empty() {
            return;
        }
        if std::mem::take(&mut self.at_beginning) {
            let end = self.end.filter(|_| self.owes_end);
            self.extend(end.as_slice(), windows);
            let begin = self.begin;
            self.extend(begin.as_slice(), windows);
        }
        self.extend(ids, windows);
    }

    /// The current document is over.
    pub fn end_document(&mut self) {
        self.owes_end |= !self.at_beginning;
        self.at_beginning = true;
    }

    /// The last window, if it has a token that can be predicted.
    pub fn finish(self) -> Option<Example> {
        (self.window.len() >= 2).then(|| window(self.window))
    }

    fn extend(&mut self, mut ids: &[u32], windows: &mut Vec<Example>) {
        while !ids.is_empty() {
            let room = self.sequence_length - self.window.len();
            let (now, later) = ids.split_at(room.min(ids.len()));
            self.window.extend_from_slice(now);
            ids = later;
            if self.window.len() == self.sequence_length {
                windows.push(window(std::mem::take(&mut self.window)));
            }
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
            packer.end_document();
        }
        windows.extend(packer.finish());
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
    fn one_end_stands_between_documents_and_one_beginning_before_each() {
        let documents: [&[&[u32]]; 4] = [&[&[1, 2]], &[], &[&[]], &[&[3], &[4]]];
        assert_eq!(packed(4, None, Some(9), &documents), [vec![1, 2, 9, 3]]);
        assert_eq!(
            packed(4, Some(8), Some(9), &documents),
            [vec![8, 1, 2, 9], vec![8, 3, 4]]
        );
        assert_eq!(packed(9, None, None, &documents), [vec![1, 2, 3, 4]]);
    }
}
