//! Where an answer ends before the model would end it.

/// Lets text through up to a stop string, which it leaves out.
///
/// Text comes in pieces, and a stop string may begin in one and end in another: what may be the
/// beginning of one waits for what follows. The stop string that is complete first counts, of those
/// that end together the longest, so that the result does not depend on where the pieces end.
#[derive(Debug, Clone, Default)]
pub struct UntilStop {
    stops: Vec<String>,
    waiting: String,
    stopped: bool,
}

impl UntilStop {
    /// Nothing came so far. Empty stop strings mean nothing.
    pub fn new(stops: &[String]) -> Self {
        Self {
            stops: stops
                .iter()
                .filter(|stop| !stop.is_empty())
                .cloned()
                .collect(),
            ..Self::default()
        }
    }

    /// What is certain to come before any stop string, now that `text` has come.
    pub fn push(&mut self, text: &str) -> String {
        if self.stopped {
            return String::new();
        }
        self.waiting.push_str(text);
        let ends = self.stops.iter().filter_map(|stop| {
            let start = self.waiting.find(stop.as_str())?;
            Some((start + stop.len(), start))
        });
        if let Some((_, start)) = ends.min() {
            self.stopped = true;
            self.waiting.truncate(start);
            return std::mem::take(&mut self.waiting);
        }
        let begun = self.stops.iter().map(|stop| begun(&self.waiting, stop));
        let certain = self.waiting.len() - begun.max().unwrap_or(0);
        let waiting = self.waiting.split_off(certain);
        std::mem::replace(&mut self.waiting, waiting)
    }

    /// What waited for text that does not come.
    pub fn finish(&mut self) -> String {
        std::mem::take(&mut self.waiting)
    }

    /// Whether a stop string came.
    pub fn has_stopped(&self) -> bool {
        self.stopped
    }
}

/// Bytes at the end of `text` that are a beginning of `stop`, but not all of it.
fn begun(text: &str, stop: &str) -> usize {
    let mut lengths = stop.char_indices().map(|(length, _)| length).rev();
    lengths
        .find(|&length| text.ends_with(&stop[..length]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What came through, piece by piece, and whether it stopped.
    fn through(stops: &[&str], pieces: &[&str]) -> (Vec<String>, bool) {
        let stops: Vec<String> = stops.iter().map(|stop| (*stop).to_owned()).collect();
        let mut until = UntilStop::new(&stops);
        let mut passed: Vec<String> = pieces.iter().map(|piece| until.push(piece)).collect();
        passed.push(until.finish());
        (passed, until.has_stopped())
    }

    #[test]
    fn a_stop_string_may_span_pieces() {
        type Texts = &'static [&'static str];
        let cases: [(Texts, Texts, Texts, bool); 7] = [
            (&[], &["a", "b"], &["a", "b", ""], false),
            (&[""], &["a"], &["a", ""], false),
            (&["\n\n"], &["a\n", "\nb", "c"], &["a", "", "", ""], true),
            // What only looked like one comes as soon as that is certain, or at the end.
            (&["END"], &["aE", "N", "x"], &["a", "", "ENx", ""], false),
            (&["END"], &["aEN"], &["a", "EN"], false),
            (&["aab"], &["aa", "a", "b"], &["", "a", "", ""], true),
            (&["»x"], &["a»", "»x"], &["a", "»", ""], true),
        ];
        for (stops, pieces, expected, stopped) in cases {
            let expected: Vec<String> = expected.iter().map(|text| (*text).to_owned()).collect();
            assert_eq!(through(stops, pieces), (expected, stopped), "{pieces:?}");
        }
    }

    #[test]
    fn the_cut_does_not_depend_on_where_pieces_end() {
        let text = "xéabcab\n\nb";
        for stops in [
            &["abc", "b"][..],
            &["b\n", "ab\n\n"],
            &["cab", "\n", "bcab"],
            &["q"],
            &["éa", "xéab"],
        ] {
            let (whole, stopped) = through(stops, &[text]);
            let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).skip(1).collect();
            for cuts in 0..1_usize << boundaries.len() {
                let mut pieces = Vec::new();
                let mut start = 0;
                for (bit, &at) in boundaries.iter().enumerate() {
                    if cuts >> bit & 1 == 1 {
                        pieces.push(&text[start..at]);
                        start = at;
                    }
                }
                pieces.push(&text[start..]);
                let (passed, also) = through(stops, &pieces);
                assert_eq!((passed.concat(), also), (whole.concat(), stopped));
            }
        }
    }
}
