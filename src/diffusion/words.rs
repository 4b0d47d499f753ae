//! Captions to numbers: one word, one row of the text encoder's table.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The id of no word, which fills captions up and is all that the model sees without a caption.
pub const NO_WORD: i32 = 0;
/// Rows for words that the model has not been pretrained with, after that of no word.
pub const SPARE_WORDS: usize = 15;

/// The words that a model knows.
#[derive(Debug, Clone)]
pub struct Words {
    ids: HashMap<String, i32>,
}

impl Words {
    /// Of a list with one word a line, lower case.
    pub fn new(list: &str) -> Self {
        let words = list.lines().filter(|line| !line.is_empty());
        let ids = words.map(str::to_owned).zip(1 + SPARE_WORDS as i32..);
        Self { ids: ids.collect() }
    }

    /// Rows that the text encoder's table needs.
    pub fn table_rows(&self) -> usize {
        1 + SPARE_WORDS + self.ids.len()
    }

    /// Whether the model has been pretrained with a word.
    pub fn knows(&self, word: &str) -> bool {
        self.ids.contains_key(word)
    }

    /// The known words, in the order of their rows.
    pub fn list(&self) -> Vec<String> {
        let mut words: Vec<(&String, &i32)> = self.ids.iter().collect();
        words.sort_unstable_by_key(|(_, id)| **id);
        words.into_iter().map(|(word, _)| word.clone()).collect()
    }

    /// Groups of unknown words among the first `length` words of captions that have one row, so that the model cannot tell
    /// them apart.
    pub fn alike(&self, captions: &[String], length: usize) -> Vec<Vec<String>> {
        let mut rows: BTreeMap<i32, BTreeSet<String>> = BTreeMap::new();
        for word in captions
            .iter()
            .flat_map(|c| Self::split(c).into_iter().take(length))
        {
            if !self.knows(&word) {
                rows.entry(self.id(&word)).or_default().insert(word);
            }
        }
        let groups = rows.into_values().filter(|words| words.len() > 1);
        groups.map(|words| words.into_iter().collect()).collect()
    }

    /// The words of a caption: lower case, in letters and digits; everything else separates.
    pub fn split(caption: &str) -> Vec<String> {
        let lower = caption.to_lowercase();
        let words = lower.split(|letter: char| !letter.is_alphanumeric());
        words
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect()
    }

    /// Ids of a caption's first `length` words, filled up with [`NO_WORD`].
    ///
    /// A word that the model does not know gets one of the spare rows, always the same, so that it can be learned. Two
    /// unknown words may meet in one row.
    pub fn encode(&self, caption: &str, length: usize) -> Vec<i32> {
        let words = Self::split(caption);
        let mut ids: Vec<i32> = words
            .iter()
            .take(length)
            .map(|word| self.id(word))
            .collect();
        ids.resize(length, NO_WORD);
        ids
    }

    fn id(&self, word: &str) -> i32 {
        let spare = || 1 + (fnv1a(word) % SPARE_WORDS as u64) as i32;
        self.ids.get(word).copied().unwrap_or_else(spare)
    }
}

/// FNV-1a with 64 bits (Fowler, Noll and Vo): the same on every machine and in every version.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_become_rows_of_the_table() {
        let words = Words::new("apple\nred\n");
        assert_eq!(words.table_rows(), 18);
        assert_eq!(words.encode("Red, apple!", 4), [17, 16, 0, 0]);
        assert_eq!(words.encode("red red red", 2), [17, 17]);
        assert_eq!(words.encode("", 2), [0, 0]);
    }

    #[test]
    fn an_unknown_word_has_a_spare_row_of_its_own() {
        let words = Words::new("apple");
        let id = words.encode("zib", 1)[0];
        assert!((1..=15).contains(&id));
        assert_eq!(words.encode("a ZIB", 2)[1], id);
        assert!(!words.knows("zib") && words.knows("apple"));
        assert_ne!(words.encode("sketched", 1)[0], id);
    }

    #[test]
    fn unknown_words_of_one_row_are_alike() {
        let words = Words::new("apple\npear");
        assert_eq!(words.list(), ["apple", "pear"]);
        // More different words than rows: some must meet, and the known one is never among them.
        let captions: Vec<String> = (0..16).map(|n| format!("apple new{n}")).collect();
        let groups = words.alike(&captions, 2);
        assert!(!groups.is_empty());
        for group in groups {
            let id = words.encode(&group[0], 1);
            assert!(
                group
                    .iter()
                    .all(|word| words.encode(word, 1) == id && !words.knows(word))
            );
        }
        assert!(words.alike(&captions, 1).is_empty());
        assert!(words.alike(&["zib".into(), "zib".into()], 2).is_empty());
    }

    #[test]
    fn the_hash_is_fnvs() {
        // Published test vectors of FNV-1a.
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }
}
