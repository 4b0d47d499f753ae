//! Imports of the crate go one way. Only natively: it reads the sources.
//!
//! Code of tests may import what it tests with, so it is not read: modules under `#[cfg(test)]` and files called `tests.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Every module at the top of src/, and the ones that it may import: rows above its own only, so that there is no circle.
const ORDER: &[(&str, &[&str])] = &[
    ("packed", &[]),
    ("engine", &[]),
    ("theory", &[]),
    ("score", &[]),
    ("load", &["packed"]),
    ("data", &["load"]),
    ("tensor_file", &["packed", "engine", "load"]),
    ("kernel", &["packed", "engine"]),
    ("model", &["packed", "load", "kernel"]),
    ("optim", &["kernel", "model"]),
    (
        "train",
        &["engine", "data", "tensor_file", "kernel", "model", "optim"],
    ),
    ("generate", &["engine", "load", "model", "optim"]),
    ("peft", &["load", "tensor_file", "model", "train"]),
    (
        "pretrain",
        &["engine", "data", "tensor_file", "model", "optim", "train"],
    ),
    (
        "diffusion",
        &[
            "engine",
            "data",
            "tensor_file",
            "kernel",
            "model",
            "optim",
            "train",
            "pretrain",
        ],
    ),
    (
        "messages",
        &[
            "engine",
            "theory",
            "load",
            "data",
            "kernel",
            "model",
            "optim",
            "train",
            "generate",
            "diffusion",
        ],
    ),
    (
        "web",
        &[
            "engine",
            "theory",
            "load",
            "data",
            "kernel",
            "model",
            "train",
            "generate",
            "peft",
            "diffusion",
            "messages",
        ],
    ),
    (
        "program",
        &[
            "engine",
            "theory",
            "load",
            "data",
            "model",
            "optim",
            "train",
            "generate",
            "peft",
            "pretrain",
            "diffusion",
            "score",
        ],
    ),
    ("main", &["program"]),
];

/// A file that imports a module, `None` where the order does not know one of them.
type Imports = BTreeMap<(String, String), BTreeSet<String>>;

#[test]
fn imports_go_one_way() {
    let mut imports = Imports::new();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    read_folder(&source, &source, &mut imports);
    assert!(
        imports.len() > 40,
        "too few imports were found: {imports:?}"
    );
    assert_eq!(faults(&imports, ORDER), Vec::<String>::new());
}

#[test]
fn a_row_names_only_rows_above_it() {
    for (index, (module, allowed)) in ORDER.iter().enumerate() {
        for other in *allowed {
            let above = ORDER[..index].iter().any(|(name, _)| name == other);
            assert!(above, "{module} may not be allowed {other}");
        }
    }
}

#[test]
fn a_forbidden_import_and_a_circle_are_named() {
    let mut imports = Imports::new();
    let optim = "
        //! See [`crate::web`].
        use crate::{model::{Adapters, Bank}, web};
        /* crate::peft */
        const WORDS: &str = \"crate::diffusion\";
        #[cfg(test)]
        mod tests {
            use crate::train::Session;
        }
        fn scale() -> f64 { crate::messages::scale() }
    ";
    read_text("optim/adamw.rs", optim, &mut imports);
    read_text(
        "model/base.rs",
        "use super::super::optim::BankLayout;",
        &mut imports,
    );
    read_text(
        "program/train.rs",
        "use riemann_lora::{\n    web::Desk,\n};",
        &mut imports,
    );
    read_text(
        "program/train.rs",
        "use crate::program::stop;",
        &mut imports,
    );
    read_text("gpu/mod.rs", "use crate::kernel::product;", &mut imports);
    assert_eq!(
        faults(&imports, ORDER),
        [
            "src/gpu/mod.rs: gpu stands in no row of the order",
            "src/model/base.rs: model must not import optim",
            "src/optim/adamw.rs: optim must not import messages",
            "src/optim/adamw.rs: optim must not import web",
            "src/program/train.rs: program must not import web",
            "model imports optim, and that comes back to it",
            "optim imports model, and that comes back to it",
        ]
    );
}

/// What is wrong with imports, in words.
fn faults(imports: &Imports, order: &[(&str, &[&str])]) -> Vec<String> {
    let mut faults = Vec::new();
    for ((module, other), files) in imports {
        let file = files.first().map_or("", String::as_str);
        match order.iter().find(|(name, _)| name == module) {
            None => faults.push(format!(
                "src/{file}: {module} stands in no row of the order"
            )),
            Some((_, allowed)) if !allowed.contains(&other.as_str()) => {
                faults.push(format!("src/{file}: {module} must not import {other}"));
            }
            Some(_) => {}
        }
    }
    for (module, other) in imports.keys() {
        if reaches(imports, other, module) {
            faults.push(format!(
                "{module} imports {other}, and that comes back to it"
            ));
        }
    }
    faults
}

/// Whether `from` imports `to`, directly or by others.
fn reaches(imports: &Imports, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut pending = vec![from];
    while let Some(module) = pending.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            let next = imports.keys().filter(|(importer, _)| importer == module);
            pending.extend(next.map(|(_, other)| other.as_str()));
        }
    }
    false
}

fn read_folder(source: &Path, folder: &Path, imports: &mut Imports) {
    for entry in std::fs::read_dir(folder).expect("src can be read") {
        let path = entry.expect("src can be read").path();
        if path.is_dir() {
            read_folder(source, &path, imports);
            continue;
        }
        let name = path.strip_prefix(source).expect("it lies in src");
        let name = name.to_str().expect("names are UTF-8").replace('\\', "/");
        if name.ends_with(".rs") && name != "lib.rs" && !name.ends_with("/tests.rs") {
            let text = std::fs::read_to_string(&path).expect("sources are UTF-8");
            read_text(&name, &text, imports);
        }
    }
}

/// Adds the imports of the file `name` below src/.
fn read_text(name: &str, text: &str, imports: &mut Imports) {
    let inner = name.trim_end_matches(".rs").trim_end_matches("/mod");
    let (module, depth) = (
        inner.split('/').next().unwrap_or(inner),
        inner.split('/').count(),
    );
    let code = without_tests(&code_of(text));
    // From so many modules up on, `super` is the crate.
    let up = "super::".repeat(depth);
    for root in ["crate::", "riemann_lora::", &up] {
        for (start, _) in code.match_indices(root) {
            let inside_word = code[..start].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if inside_word || code[..start].ends_with("super::") {
                continue;
            }
            for other in first_names(&code[start + root.len()..]) {
                let known = ORDER.iter().any(|(name, _)| *name == other);
                if other != module && (known || root == "crate::") {
                    let files: &mut BTreeSet<String> =
                        imports.entry((module.to_owned(), other)).or_default();
                    files.insert(name.to_owned());
                }
            }
        }
    }
}

/// The modules that a path begins with, of which a group in braces has several.
fn first_names(path: &str) -> Vec<String> {
    let name = |path: &str| -> String {
        let path = path.trim_start().chars();
        path.take_while(|c| c.is_alphanumeric() || *c == '_')
            .collect()
    };
    let Some(group) = path.strip_prefix('{') else {
        return vec![name(path)];
    };
    let mut names = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (place, sign) in group.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[start..place]));
                start = place + 1;
                if sign == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

/// A source without its comments and without what stands in its strings.
fn code_of(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(sign) = rest.chars().next() {
        let skipped = match sign {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |end| end + 2),
            'r' if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |end| end + 2),
            '"' => end_of_string(rest),
            // A quote in quotes, which begins no string.
            '\'' if rest.starts_with("'\"'") => 3,
            '\'' if rest.starts_with("'\\\"'") => 4,
            _ => {
                code.push(sign);
                rest = &rest[sign.len_utf8()..];
                continue;
            }
        };
        rest = &rest[skipped..];
    }
    code
}

/// Bytes of the string that `text` begins with.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (place, sign) in text.char_indices().skip(1) {
        match sign {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place + 1,
            _ => {}
        }
    }
    text.len()
}

/// Code without modules of tests.
fn without_tests(code: &str) -> String {
    let mut kept = String::new();
    let mut rest = code;
    while let Some(start) = rest.find("#[cfg(") {
        let (before, attribute) = rest.split_at(start);
        let end = attribute.find(']').map_or(attribute.len(), |end| end + 1);
        let (attribute, after) = attribute.split_at(end);
        kept.push_str(before);
        rest = after;
        let of_tests = ["(test)", "(test,", " test)", " test,"];
        let is_module = after.trim_start().starts_with("mod ");
        if is_module && of_tests.iter().any(|test| attribute.contains(test)) {
            rest = after_block(after);
        }
    }
    kept + rest
}

/// What comes after the next block in braces, or after the next semicolon if that comes first.
fn after_block(code: &str) -> &str {
    let mut depth = 0;
    for (place, sign) in code.char_indices() {
        match sign {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 && matches!(sign, '}' | ';') {
            return &code[place + 1..];
        }
    }
    ""
}
