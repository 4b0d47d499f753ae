//! SentencePiece's table of letters and what they become, which `tokenizers` follows without looking where it leads.
//!
//! The bytes: the length of a double-array trie, the trie as words of 32 bits, then all replacements, each with a zero
//! behind it (`builder.cc` of SentencePiece; the layout of a word is Darts-clone's).

/// The longest replacement in bytes, at least 1.
///
/// # Errors
/// A table that is cut off, or that leads out of itself.
pub fn check(base64: &str) -> Result<usize, String> {
    let damaged = || "has a damaged table of letters".to_owned();
    let bytes = base64::decode(base64).map_err(|_| damaged())?;
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or_else(damaged)?;
    let length = u32::from_le_bytes(*length) as usize / 4 * 4;
    let (trie, replacements) = rest.split_at_checked(length).ok_or_else(damaged)?;
    let words: Vec<Word> = trie
        .chunks_exact(4)
        .map(|word| Word(u32::from_le_bytes([word[0], word[1], word[2], word[3]])))
        .collect();
    let replacements = std::str::from_utf8(replacements).map_err(|_| damaged())?;
    let longest = walk(&words, replacements).ok_or_else(damaged)?;
    Ok(longest.max(1))
}

/// A word of the trie.
#[derive(Clone, Copy)]
struct Word(u32);

impl Word {
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    fn value(self) -> usize {
        (self.0 & 0x7FFF_FFFF) as usize
    }

    fn label(self) -> u32 {
        self.0 & (1 << 31 | 0xFF)
    }

    fn offset(self) -> usize {
        ((self.0 >> 10) as usize) << ((self.0 & 1 << 9) >> 6)
    }
}

/// Goes wherever a text can lead; `None` where that is outside of the table.
fn walk(words: &[Word], replacements: &str) -> Option<usize> {
    let mut seen = vec![false; words.len()];
    let mut left = vec![words.first()?.offset()];
    let mut longest = 0;
    while let Some(node) = left.pop() {
        for letter in 1..=255 {
            let word = *words.get(node ^ letter as usize)?;
            if word.label() != letter {
                continue;
            }
            let next = node ^ letter as usize ^ word.offset();
            let visited = seen.get_mut(next)?;
            if word.has_leaf() {
                let from = words[next].value();
                let replacement = replacements.get(from..)?;
                let end = replacement.find('\0').unwrap_or(replacement.len());
                longest = longest.max(end);
            }
            if !std::mem::replace(visited, true) {
                left.push(next);
            }
        }
    }
    Some(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table in which `a` becomes `xyz`: the root's children lie at 256, what `a` leads to at 512.
    fn table(change: impl FnOnce(&mut Vec<u32>, &mut Vec<u8>)) -> String {
        let mut words = vec![0; 768];
        words[0] = 256 << 10;
        words[256 ^ 97] = 97 | 1 << 8 | ((256 ^ 97 ^ 512) << 10);
        words[512] = 4;
        let mut replacements = b"no!\0xyz\0".to_vec();
        change(&mut words, &mut replacements);
        let mut bytes = (4 * words.len() as u32).to_le_bytes().to_vec();
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend(replacements);
        base64::encode(bytes)
    }

    #[test]
    fn a_table_is_walked_to_its_replacements() {
        assert_eq!(check(&table(|_, _| {})), Ok(3));
        // The crate reads it alike.
        let json = format!(
            r#"{{"type":"Precompiled","precompiled_charsmap":"{}"}}"#,
            table(|_, _| {})
        );
        let table: tokenizers::normalizers::Precompiled = serde_json::from_str(&json).unwrap();
        assert_eq!(table.transform("a"), Some("xyz"));
    }

    #[test]
    fn what_leads_out_of_the_table_is_found() {
        let damaged = [
            String::new(),
            "AAEAAAAAAAA=".to_owned(),
            "not base64".to_owned(),
            table(|words, _| words.clear()),
            table(|words, _| words.truncate(700)),
            table(|words, _| words[0] = 1 << 30),
            table(|words, _| words[256 ^ 97] = 97 | 1 << 8 | 1 << 31 >> 1),
            table(|words, _| words[512] = 9),
            table(|_, replacements| replacements[4..6].copy_from_slice("é".as_bytes())),
        ];
        for (index, table) in damaged.iter().enumerate() {
            let refused = check(table).is_err();
            // A letter of two bytes at the place itself is none that leads into the middle of one.
            assert_eq!(refused, index + 1 < damaged.len(), "{index}");
        }
        assert!(
            check(&table(|words, replacements| {
                replacements[3..5].copy_from_slice("é".as_bytes());
                words[512] = 4;
            }))
            .is_err()
        );
    }
}
