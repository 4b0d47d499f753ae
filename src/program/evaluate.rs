//! How close a model's answers are to those in a file.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use indicatif::ProgressBar;
use riemann_lora::{
    data::{
        DataSettings,
        decode::decode,
        detect,
        prompt::SEPARATOR,
        read::{ReadOptions, Record, read},
    },
    generate::SampleSettings,
    model::Adapters,
    score::{Answered, bleu, cider, exact_match, rouge_l},
};
use serde::Serialize;

use super::{LoadedModel, adapter, answering::answer, data_file, result_file::ResultFile};

/// Let a model answer the prompts of a file, greedily, and compare its answers with the file's.
///
/// Completions of the same prompt are references of one answer.
#[derive(Debug, Args)]
pub struct Evaluate {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Prompts with completions, in any form that `train` reads.
    data: PathBuf,
    /// Folders of PEFT or MLX adapters to answer with, one after the other; the base alone without one.
    #[arg(long)]
    adapter: Vec<PathBuf>,
    /// Put prompts into the model's chat template.
    #[arg(long)]
    chat: bool,
    /// What stands behind a prompt, as in training; not with --chat.
    #[arg(long, default_value = SEPARATOR)]
    separator: String,
    /// Prompts that are answered, from the beginning of the file.
    #[arg(long, default_value_t = 110)]
    prompts: usize,
    /// Most tokens of an answer.
    #[arg(long, default_value_t = 64)]
    max_tokens: u32,
    /// Text before which an answer ends; may be given several times.
    #[arg(long)]
    stop: Vec<String>,
    /// Where scores and answers go, as JSON.
    #[arg(long)]
    output: Option<PathBuf>,
}

/// What one adapter, or the base, came to.
#[derive(Debug, Serialize)]
struct Scores {
    /// Folder of the adapter; `None` of the base.
    adapter: Option<String>,
    /// 0 to 100.
    bleu: f64,
    brevity_penalty: f64,
    /// 0 to 1.
    rouge_l: f64,
    /// 0 to 10.
    cider: f64,
    /// 0 to 1.
    exact_match: f64,
}

/// A prompt and all of its completions.
#[derive(Debug, Clone)]
struct Asked {
    system: Option<String>,
    prompt: String,
    references: Vec<String>,
}

impl Evaluate {
    /// Prints the scores of every adapter, and writes them with the answers.
    pub async fn run(self) -> Result<()> {
        let asked = self.asked()?;
        let base = super::load(&self.model).await?;
        let folders: Vec<Option<&PathBuf>> = match self.adapter.is_empty() {
            true => vec![None],
            false => self.adapter.iter().map(Some).collect(),
        };
        let mut figures = Vec::new();
        let mut answers = Vec::new();
        for folder in folders {
            let adapters = folder.map(|folder| adapter::read(folder, &base));
            let adapters = adapters.transpose()?;
            let corpus = self.answers(&base, adapters.as_ref(), &asked).await?;
            let found = bleu(&corpus);
            let scores = Scores {
                adapter: folder.map(|folder| folder.display().to_string()),
                bleu: found.score,
                brevity_penalty: found.brevity_penalty,
                rouge_l: rouge_l(&corpus),
                cider: cider(&corpus),
                exact_match: exact_match(&corpus),
            };
            println!(
                "{}: BLEU {:.2}, ROUGE-L {:.4}, CIDEr-D {:.3}, exact match {:.3}",
                scores.adapter.as_deref().unwrap_or("base"),
                scores.bleu,
                scores.rouge_l,
                scores.cider,
                scores.exact_match
            );
            figures.push(scores);
            let texts = corpus.into_iter().map(|answered| answered.answer);
            answers.push(texts.collect::<Vec<String>>());
        }
        if let Some(output) = &self.output {
            let prompts: Vec<&String> = asked.iter().map(|asked| &asked.prompt).collect();
            ResultFile::new(&figures)?
                .with("prompts", &prompts)?
                .with("answers", &answers)?
                .write(output, None)?;
        }
        Ok(())
    }

    /// The prompts of the file, each once.
    fn asked(&self) -> Result<Vec<Asked>> {
        let (name, bytes) = data_file::read(&self.data)?;
        let (text, _) = decode(&name, bytes, None)?;
        let (format, _) = detect(&name, &text);
        let known = DataSettings::default();
        let options = ReadOptions {
            format,
            columns: known.columns,
            documents: known.documents,
            roles: known.roles,
            maximum: usize::MAX,
        };
        let mut asked: Vec<Asked> = Vec::new();
        for found in read(&name, &text, &options)?.records {
            let Record::Pair {
                system,
                prompt,
                completion,
            } = found.record
            else {
                bail!(
                    "{name}, line {}: this is no prompt with a completion; scores compare an answer with what it should be",
                    found.line
                );
            };
            let same = |asked: &Asked| asked.prompt == prompt && asked.system == system;
            match asked.iter().position(same) {
                Some(place) => asked[place].references.push(completion),
                None if asked.len() == self.prompts => {}
                None => asked.push(Asked {
                    system,
                    prompt,
                    references: vec![completion],
                }),
            }
        }
        Ok(asked)
    }

    async fn answers(
        &self,
        base: &LoadedModel,
        adapters: Option<&Adapters>,
        asked: &[Asked],
    ) -> Result<Vec<Answered>> {
        let bar = ProgressBar::new(asked.len() as u64);
        let mut corpus = Vec::new();
        for one in asked {
            let answer = self.answer(base, adapters, one).await;
            corpus.push(Answered {
                answer: answer.with_context(|| one.prompt.clone())?,
                references: one.references.clone(),
            });
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(corpus)
    }

    async fn answer(
        &self,
        base: &LoadedModel,
        adapters: Option<&Adapters>,
        asked: &Asked,
    ) -> Result<String> {
        if asked.system.is_some() {
            bail!("it has a system message, which is not evaluated; leave the field out");
        }
        let settings = SampleSettings {
            prompt: asked.prompt.clone(),
            chat: self.chat,
            max_tokens: self.max_tokens,
            temperature: 0.0,
            top_k: 0,
            top_p: 1.0,
            seed: 0,
            stop: self.stop.clone(),
            include_base: false,
        };
        let mut text = String::new();
        answer(base, adapters, &self.separator, settings, |piece| {
            text.push_str(piece);
            Ok(())
        })
        .await?;
        Ok(text)
    }
}
