//! What an adapter says of its base: the id under which Python finds it.

/// Bases on the Hugging Face hub, small enough to be trained here.
const KNOWN: [&str; 35] = [
    "HuggingFaceTB/SmolLM2-135M",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "HuggingFaceTB/SmolLM2-360M",
    "HuggingFaceTB/SmolLM2-360M-Instruct",
    "HuggingFaceTB/SmolLM2-1.7B",
    "HuggingFaceTB/SmolLM2-1.7B-Instruct",
    "HuggingFaceTB/SmolLM3-3B",
    "HuggingFaceTB/SmolLM3-3B-Base",
    "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
    "openai-community/gpt2",
    "openai-community/gpt2-medium",
    "openai-community/gpt2-large",
    "distilbert/distilgpt2",
    "Qwen/Qwen2.5-0.5B",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen3-0.6B",
    "Qwen/Qwen3-0.6B-Base",
    "Qwen/Qwen3-1.7B",
    "Qwen/Qwen3-1.7B-Base",
    "meta-llama/Llama-3.2-1B",
    "meta-llama/Llama-3.2-1B-Instruct",
    "google/gemma-2-2b",
    "google/gemma-2-2b-it",
    "google/gemma-3-270m",
    "google/gemma-3-270m-it",
    "google/gemma-3-1b-pt",
    "google/gemma-3-1b-it",
    "EleutherAI/pythia-70m",
    "EleutherAI/pythia-160m",
    "EleutherAI/pythia-410m",
    "EleutherAI/pythia-1b",
    "microsoft/Phi-3-mini-4k-instruct",
    "allenai/OLMo-2-0425-1B",
];

/// Names that files have for a base of [`KNOWN`], where they are not its own.
const ALIASES: [(&str, &str); 1] = [(
    "Smollm2 135M 8k Lc100K Mix1 Ep2",
    "HuggingFaceTB/SmolLM2-135M-Instruct",
)];

/// What a base is called that does not say.
const UNNAMED: &str = "unnamed model";

/// The known id for a base that is called `names`, the most telling first: its file or folder, and what the files call it.
pub fn known_base(names: &[&str]) -> Option<&'static str> {
    names.iter().find_map(|name| {
        let plain = plain(name);
        let alias = ALIASES
            .iter()
            .find(|(alias, _)| self::plain(alias) == plain);
        let known = KNOWN.iter().copied().find(|id| {
            let own = id.rsplit('/').next().unwrap_or(id);
            !plain.is_empty() && (plain == self::plain(own) || plain == letters(id))
        });
        alias.map(|(_, id)| *id).or(known)
    })
}

/// The id for the base in the file or folder `path`, which calls itself `name`: one of the hub where it is known, else its
/// name. Never a path, because folders are the user's own affair.
pub fn base_id(path: &str, name: &str) -> String {
    if let Some(known) = known_base(&[path, name]) {
        return known.to_owned();
    }
    let last = path.rsplit(['/', '\\']).find(|part| !part.is_empty());
    match name {
        "" | UNNAMED => last.unwrap_or(UNNAMED).to_owned(),
        name => name.to_owned(),
    }
}

/// Letters and digits of the last part of a name, without what a file's name says of its form.
fn plain(name: &str) -> String {
    let mut parts = name.rsplit(['/', '\\']).filter(|part| !part.is_empty());
    let name = parts.next().unwrap_or(name);
    let lower = name.to_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    words.take_while(|word| !is_form(word)).collect()
}

fn letters(name: &str) -> String {
    let lower = name.to_lowercase();
    lower.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Whether a word of a file's name says how weights are packed.
fn is_form(word: &str) -> bool {
    let digits = word.strip_prefix("iq").or_else(|| word.strip_prefix('q'));
    let packed = digits.is_some_and(|d| d.len() == 1 && d.chars().all(|c| c.is_ascii_digit()));
    packed || ["f16", "f32", "bf16", "fp16", "fp32", "gguf", "safetensors"].contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_folders_are_known_bases() {
        for (names, id) in [
            (
                &[
                    "SmolLM2-135M-Instruct.Q4_1.gguf",
                    "Smollm2 135M 8k Lc100K Mix1 Ep2",
                ][..],
                "HuggingFaceTB/SmolLM2-135M-Instruct",
            ),
            (
                &["model.gguf", "Smollm2 135M 8k Lc100K Mix1 Ep2"],
                "HuggingFaceTB/SmolLM2-135M-Instruct",
            ),
            (&["SmolLM2-135M"], "HuggingFaceTB/SmolLM2-135M"),
            (
                &["model.safetensors", "Smollm2 360M"],
                "HuggingFaceTB/SmolLM2-360M",
            ),
            (&["gpt-2"], "openai-community/gpt2"),
            (
                &["tinyllama_tinyllama-1.1b-chat-v1.0"],
                "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
            ),
            (&["/home/me/models/Qwen3-0.6B-Q8_0.gguf"], "Qwen/Qwen3-0.6B"),
        ] {
            assert_eq!(known_base(names), Some(id), "{names:?}");
        }
        // Somebody's own is not what it began with.
        assert_eq!(known_base(&["SmolLM2-135M-Instruct-my-tune"]), None);
        assert_eq!(known_base(&["my-gpt2"]), None);
    }

    #[test]
    fn an_unknown_base_is_its_name_and_no_path() {
        assert_eq!(
            base_id("/home/me/models/my-tune/", "unnamed model"),
            "my-tune"
        );
        assert_eq!(base_id("C:\\models\\mine.gguf", ""), "mine.gguf");
        assert_eq!(
            base_id("/home/me/SmolLM2-135M/", "Other"),
            "HuggingFaceTB/SmolLM2-135M"
        );
        assert_eq!(base_id("/home/me/mine.gguf", "Mine"), "Mine");
        assert_eq!(base_id("", ""), "unnamed model");
    }
}
