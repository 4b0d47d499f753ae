//! What people read first names what is there.
#![cfg(not(target_arch = "wasm32"))]

use std::path::PathBuf;

const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "EXPERIMENTS.md",
    "benchmarks/README.md",
    "docs/choices.md",
];

/// What the build makes, and what lies beside a checkout.
const NOT_IN_A_CHECKOUT: [&str; 4] = [
    "www/dist",
    "www/src/generated",
    "www/node_modules",
    "../shared",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap()
}

/// Text between each `open` and the next `close` on the same line, outside of indented and fenced code.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    let mut fenced = false;
    text.lines()
        .filter(move |line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fence && !fenced && !line.starts_with("    ")
        })
        .flat_map(move |line| {
            let mut rest = line;
            std::iter::from_fn(move || {
                let start = rest.find(open)? + open.len();
                let length = rest[start..].find(close)?;
                let found = &rest[start..start + length];
                rest = &rest[start + length + close.len()..];
                Some(found)
            })
        })
}

/// Targets of links and pictures, from the document's own folder.
fn links(document: &str) -> Vec<PathBuf> {
    let text = read(document);
    let folder = root().join(document).parent().unwrap().to_owned();
    let sources = between(&text, "src=\"", "\"").chain(between(&text, "srcset=\"", "\""));
    between(&text, "](", ")")
        .chain(sources)
        .filter(|target| !target.starts_with("http") && !target.starts_with('#'))
        .map(|target| folder.join(target.split('#').next().unwrap()))
        .collect()
}

/// Paths in backticks, from the root: words with a slash in them, a command's first word among them.
fn quoted(document: &str) -> Vec<String> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_-./".contains(character);
    between(&read(document), "`", "`")
        .filter_map(|span| span.split_whitespace().next())
        .map(|word| word.trim_start_matches("./"))
        .filter(|word| word.contains('/') && word.chars().all(plain) && !word.starts_with('/'))
        .filter(|word| {
            !NOT_IN_A_CHECKOUT
                .iter()
                .any(|built| word.starts_with(built))
        })
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_path_that_is_named_exists() {
    let mut found = 0;
    for document in DOCUMENTS {
        for link in links(document) {
            assert!(link.exists(), "{document} links to {}", link.display());
            found += 1;
        }
        for path in quoted(document) {
            assert!(root().join(&path).exists(), "{document} names `{path}`");
            found += 1;
        }
    }
    assert!(found > 100, "only {found} paths were found");
}

#[test]
fn the_readme_is_short_and_names_the_two_commands() {
    let text = read("README.md");
    let lines = text.lines().count();
    assert!(lines <= 150, "README.md has {lines} lines");
    for command in ["    ./scripts/serve ", "    ./scripts/test "] {
        assert!(text.contains(command), "README.md does not name{command}");
    }
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let commands: Vec<&str> = (ci.lines())
        .filter(|line| line.contains("scripts/"))
        .collect();
    assert_eq!(
        commands,
        ["./scripts/test"],
        ".ci/run runs what README.md names"
    );
}

#[test]
fn architecture_stays_a_page_or_so() {
    let bytes = read("ARCHITECTURE.md").len();
    assert!(bytes <= 12_000, "ARCHITECTURE.md has {bytes} bytes");
}

#[test]
fn every_module_of_the_crate_has_its_line_in_architecture() {
    let text = read("ARCHITECTURE.md");
    for entry in std::fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            let line = format!("`src/{name}/`");
            assert!(
                text.contains(&line),
                "ARCHITECTURE.md does not say what {line} is"
            );
        }
    }
}
