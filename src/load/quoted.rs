//! What a file says, within what is said of it: as much as somebody still reads.

use std::borrow::Cow;

/// Letters of one text.
const LETTERS: usize = 60;
/// Names of one list.
const NAMES: usize = 20;

/// `text`, cut where it is long.
pub fn text(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &text[..end]).into(),
        None => text.into(),
    }
}

/// `names` with commas between them, each cut where it is long, and how many more there are.
pub fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut names = names.map(text);
    let shown: Vec<Cow<str>> = names.by_ref().take(NAMES).collect();
    match (shown.is_empty(), names.count()) {
        (true, _) => "(none)".to_owned(),
        (false, 0) => shown.join(", "),
        (false, more) => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_and_lists_are_cut_between_letters() {
        assert_eq!(text(&"é".repeat(LETTERS)), "é".repeat(LETTERS));
        let cut = text(&"é".repeat(LETTERS + 1)).into_owned();
        assert_eq!(cut, format!("{}…", "é".repeat(LETTERS)));
        assert_eq!(names([].into_iter()), "(none)");
        assert_eq!(names(["a", "b"].into_iter()), "a, b");
        let many = names(std::iter::repeat_n("a", NAMES + 3));
        assert_eq!(many, format!("{} and 3 more", vec!["a"; NAMES].join(", ")));
    }
}
