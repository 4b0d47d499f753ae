//! Texts to words.

/// The words of BLEU: mteval's tokens for Western languages (version 13a), as sacrebleu has them. Punctuation stands alone, but
/// for points and commas between digits and for a dash that no digit precedes.
pub fn mteval_words(text: &str) -> Vec<String> {
    let text = text
        .replace("<skipped>", "")
        .replace("-\n", "")
        .replace('\n', " ")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
        .replace("&lt;", "<")
        .replace("&gt;", ">");
    let letters: Vec<char> = format!(" {} ", text.trim()).chars().collect();
    let is_digit = |place: usize| letters.get(place).is_some_and(char::is_ascii_digit);
    let mut spaced = String::new();
    for (place, &letter) in letters.iter().enumerate() {
        let after_digit = place > 0 && is_digit(place - 1);
        let alone = match letter {
            '.' | ',' => !(after_digit && is_digit(place + 1)),
            '-' => after_digit,
            '!'..='&' | '('..='+' | '/' | ':'..='@' | '['..='`' | '{'..='~' => true,
            _ => false,
        };
        if alone {
            spaced.extend([' ', letter, ' ']);
        } else {
            spaced.push(letter);
        }
    }
    spaced.split_whitespace().map(str::to_owned).collect()
}

/// The words of ROUGE: runs of a to z and digits, in lower case, as rouge-score has them.
pub fn plain_words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|letter: char| !letter.is_ascii_lowercase() && !letter.is_ascii_digit())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}
