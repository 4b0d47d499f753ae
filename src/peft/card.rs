//! README.md of an adapter: what it is, how it is loaded, and what it was made with.

/// What a card tells of.
pub struct Card<'a> {
    /// The run.
    pub name: &'a str,
    /// As in `adapter_config.json`.
    pub base: &'a str,
    /// What it was made with, as rows of a table.
    pub recipe: &'a [(&'a str, String)],
    /// All settings of the run as JSON.
    pub settings: &'a str,
}

/// Markdown with the header that the Hugging Face hub reads.
pub fn card(card: &Card<'_>) -> String {
    let Card {
        name,
        base,
        recipe,
        settings,
    } = card;
    let (name, quoted) = (one_line(name), serde_json::json!(base));
    let rows = recipe.iter().map(|(key, value)| {
        let value = one_line(value).replace('|', "\\|");
        format!("| {key} | {value} |\n")
    });
    let rows: String = rows.collect();
    let base = one_line(base);
    format!(
        "---\nbase_model: {quoted}\nlibrary_name: peft\ntags: [lora]\n---\n\n# {name}\n\n\
         A LoRA adapter for {base}, trained with riemann-lora.\n\n\
         ```python\n\
         from peft import PeftModel\n\
         from transformers import AutoModelForCausalLM, AutoTokenizer\n\n\
         base = AutoModelForCausalLM.from_pretrained({quoted})\n\
         model = PeftModel.from_pretrained(base, \".\")  # this folder\n\
         tokenizer = AutoTokenizer.from_pretrained({quoted})\n\
         ```\n\n\
         ## Recipe\n\n| | |\n| --- | --- |\n{rows}\nAll settings:\n\n```json\n{settings}\n```\n"
    )
}

fn one_line(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_has_what_the_hub_reads_and_the_recipe() {
        let recipe = [("Data", "a|b\n.txt".to_owned())];
        let text = card(&Card {
            name: "Scaled\nAdamW",
            base: "org/\"base\"",
            recipe: &recipe,
            settings: "{}",
        });
        assert!(text.starts_with("---\nbase_model: \"org/\\\"base\\\"\"\nlibrary_name: peft\n"));
        assert!(text.contains("\n# Scaled AdamW\n"));
        assert!(text.contains("| Data | a\\|b .txt |\n"));
        assert!(text.contains("from_pretrained(base, \".\")"));
    }
}
