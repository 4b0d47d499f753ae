//! Texts that are seldom expected.

use super::{Random, numbers::number};

const ODD: &[&str] = &[
    "",
    " ",
    "\0",
    "\u{10FFFF}\u{FEFF}\u{202E}e\u{301}",
    "../../x",
    "{{",
    "[",
    "(a+)+$",
    "▁",
    "<0x0A>",
    "Ġ",
    "true",
    "1e400",
    "<|endoftext|>",
    "日本語 👩‍👩‍👧",
    "\u{85}\u{2028}\r",
];

pub fn odd_text(random: &mut Random) -> String {
    match random.below(10) {
        0 => "a".repeat(1 + random.below(2000)),
        1 | 2 => {
            let letters = (0..random.below(12))
                .filter_map(|_| char::from_u32(number(random) as u32 & 0x1F_FFFF));
            letters.collect()
        }
        _ => (*random.pick(ODD)).to_owned(),
    }
}
