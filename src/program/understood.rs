//! What was understood of data, for the terminal.

use riemann_lora::data::{Dataset, Detected, SkipReason};

use super::counted::counted;

/// Lines that say how files were read, and what of them is trained on, cut and left out.
pub fn understood(data: &str, validation: Option<&str>, dataset: &Dataset) -> Vec<String> {
    let statistics = dataset.statistics();
    let mut lines = vec![read_as(data, dataset.detected())];
    if let (Some(name), Some(detected)) = (validation, dataset.validation_detected()) {
        lines.push(read_as(name, detected));
    }
    lines.push(format!(
        "{} to train on and {} held out; {} tokens, of which {} count in the loss; 95 % have at most {} tokens, the longest {}",
        counted(statistics.train_examples, "example"),
        statistics.validation_examples,
        statistics.train_tokens + statistics.validation_tokens,
        statistics.train_counted_tokens + statistics.validation_counted_tokens,
        statistics.length_95,
        statistics.longest,
    ));
    if let Some(added) = dataset.added_by_template() {
        lines.push(format!(
            "the chat template adds of its own accord: {added:?}"
        ));
    }
    if statistics.truncated + statistics.dropped > 0 {
        lines.push(format!(
            "{} cut at the end, and {} left out because nothing of the completion fits; a longer data.sequence_length keeps them whole",
            counted(statistics.truncated, "example"),
            counted(statistics.dropped, "example")
        ));
    }
    let skipped = &statistics.skipped;
    if skipped.rows() > 0 {
        let counts = skipped.counts.iter();
        let counts: Vec<String> = counts
            .map(|count| format!("{} {}", count.rows, reason(count.reason)))
            .collect();
        lines.push(format!(
            "{} left out: {}",
            counted(skipped.rows(), "row"),
            counts.join(", ")
        ));
        lines.extend(
            skipped
                .first
                .iter()
                .map(|row| format!("  {}, line {}: {}", row.file, row.line, row.problem)),
        );
    }
    let control = &statistics.control_in_text;
    if control.rows > 0 {
        lines.push(format!(
            "{} with a control token written out ({}, first in line {}): it is learned as the text that it is",
            counted(control.rows, "row"), control.token, control.line
        ));
    }
    lines
}

/// `train.csv is a table: the name ends in .csv; separated by ','`.
fn read_as(name: &str, detected: &Detected) -> String {
    let mut words = format!(
        "{name} is read as {}: {}",
        json_word(detected.format),
        detected.reason
    );
    if let Some(separator) = detected.separator {
        words += &format!("; separated by {separator:?}");
    }
    if let Some(arranged) = &detected.arranged {
        words += &format!("; {arranged}");
    }
    if let Some(columns) = &detected.columns {
        words += &format!("; {} → {}", columns.prompt.join(" + "), columns.completion);
    }
    words + &format!("; {}", json_word(detected.encoding))
}

/// A choice as settings write it.
fn json_word(choice: impl serde::Serialize) -> String {
    let value = serde_json::to_value(choice).unwrap_or_default();
    value.as_str().unwrap_or_default().to_owned()
}

fn reason(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Unreadable => "that cannot be read",
        SkipReason::Field => "with fields that cannot be used",
        SkipReason::NoAnswer => "without an answer",
        SkipReason::EmptyAnswer => "with an empty answer",
        SkipReason::Template => "that the chat template refuses",
        SkipReason::Tokenizer => "that cannot be tokenised",
        SkipReason::TooLarge => "that are too large",
    }
}
