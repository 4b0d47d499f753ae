//! What a chat template may be like before it is run: its parts are read by functions that call themselves, a level for each
//! operator or filter of a tag, and a browser's stack ends at some thousands of levels.

use minijinja::machinery::{CompiledTemplate, Token, tokenize};
use minijinja::syntax::SyntaxConfig;
use minijinja::{Error, ErrorKind};

/// Names, signs, numbers and texts of one tag; the longest tag of a template that TRL ships has some hundred.
const LONGEST: usize = 1_000;

/// `elif` of a template, each of which is read within the one before.
const MOST_ELIFS: usize = 200;

/// Checks the length of all tags, and how many of them are `elif`.
///
/// # Errors
/// A tag that is too long, or too many.
pub fn check_lengths(template: &str, syntax: SyntaxConfig) -> Result<(), Error> {
    let (mut length, mut elifs) = (0, 0);
    // What is no template is told by the engine.
    for (token, _) in tokenize(template, false, syntax).map_while(Result::ok) {
        match token {
            Token::VariableStart | Token::BlockStart => length = 0,
            _ => length += 1,
        }
        elifs += usize::from(length == 1 && matches!(token, Token::Ident("elif")));
        if elifs > MOST_ELIFS {
            return Err(wrong(format!(
                "it has more than {MOST_ELIFS} elif; write some of them as if in else"
            )));
        }
        if length > LONGEST {
            return Err(wrong(format!(
                "one of its tags has more than {LONGEST} words and signs; divide it into several"
            )));
        }
    }
    Ok(())
}

/// Refuses blocks: they are for templates that extend each other, and one that shows itself has no end.
///
/// # Errors
/// The name of a block.
pub fn check_blocks(template: &CompiledTemplate<'_>) -> Result<(), Error> {
    match template.blocks.keys().next() {
        None => Ok(()),
        Some(name) => Err(wrong(format!(
            "it has the block {name:?}, and a chat template has none; write what is in it without the block"
        ))),
    }
}

fn wrong(problem: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, problem)
}
