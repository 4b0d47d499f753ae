//! Training from the terminal.

use std::io::{ErrorKind, Write};
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    data::DatasetBuilder,
    peft::{self, Card, Precision},
    train::{Course, End, Milestone, Session, SessionSettings, evaluate},
};

use super::{
    data_file,
    history::History,
    kept_training::{KeptTraining, Origin, Place, check_writable},
    settings::{self, Settings},
    stop::Stop,
    understood::understood,
};

/// Train runs on a text, side by side.
#[derive(Debug, Args)]
pub struct Train {
    /// A GGUF file, or a folder with config.json, model.safetensors and tokenizer.json.
    model: PathBuf,
    /// Text, pairs, JSON, a table or a parquet file.
    data: PathBuf,
    /// JSON, with comments if you like; `-` reads it from the standard input. `riemann-lora settings`
    /// prints a whole file with every field explained, `riemann-lora settings --schema` its JSON
    /// Schema.
    settings: PathBuf,
    /// Text that is read in the same way and only measured on, in place of a part of the data.
    #[arg(long)]
    validation: Option<PathBuf>,
    /// Measure the validation loss every so many steps, and at the end.
    #[arg(long)]
    evaluate_every: Option<u32>,
    /// Folder for the adapters: one PEFT folder a run, with a GGUF file for llama.cpp in it.
    #[arg(long)]
    output: Option<PathBuf>,
    /// What the adapters say of their base: its id on the Hugging Face hub. Without it, the id where it is known, else what
    /// the model calls itself.
    #[arg(long)]
    base: Option<String>,
    /// Where the training is kept, every so many steps, on Ctrl-C and at its end; the same command goes on from there.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
    /// Steps between two times that the training is kept: a kill loses no more.
    #[arg(long, default_value_t = 50, requires = "checkpoint", value_parser = clap::value_parser!(u32).range(1..))]
    checkpoint_every: u32,
    /// Result file with all losses; a picture of the same name is put beside it.
    #[arg(long)]
    result: Option<PathBuf>,
    /// Print every step and evaluation as a line of JSON.
    #[arg(long)]
    json: bool,
}

impl Train {
    /// Trains all runs and writes what was asked for.
    pub async fn run(self) -> Result<()> {
        let settings: Settings = settings::read(&self.settings)?;
        self.check_places()?;
        let base = super::load(&self.model).await?;
        let (file, bytes) = data_file::read(&self.data)?;
        let validation = self
            .validation
            .as_deref()
            .map(data_file::read)
            .transpose()?;
        let kept = match &self.checkpoint {
            Some(path) => {
                let held_out = validation.as_ref().map(|(_, bytes)| bytes.as_slice());
                let origin = Origin::of(&self.model, &bytes, held_out, &settings)?;
                Some(KeptTraining::new(path, origin))
            }
            None => None,
        };
        let mut builder = DatasetBuilder::new(&file, bytes, &settings.data)?;
        let mut held_out = None;
        if let Some((name, bytes)) = validation {
            builder = builder.with_validation(&name, bytes)?;
            held_out = Some(name);
        }
        let dataset = builder.finish(&base.tokenizer)?;
        for line in understood(&file, held_out.as_deref(), &dataset) {
            eprintln!("{line}");
        }
        // Not at the step that meets the longest row.
        let longest = dataset.statistics().longest;
        let longest = longest.min(settings.data.sequence_length as usize);
        base.model.check_length(longest)?;

        let rows = settings.session.batch_size as usize;
        let before = match &kept {
            Some(kept) => kept.open()?,
            None => None,
        };
        let (mut session, mut history) = match before {
            Some((bytes, history)) => (Session::resume(&base.model, &bytes)?, history),
            None => {
                let history = History::new(&settings.session);
                (
                    Session::new(&base.model, settings.session.clone())?,
                    history,
                )
            }
        };
        if session.steps_done() > 0 {
            let (done, all) = (session.steps_done(), session.settings().steps);
            eprintln!("Goes on after step {done} of {all}.");
        }
        let stop = Stop::on_interrupt()?;
        let mut batches = dataset.train_batches(rows)?;
        let bar = ProgressBar::new(u64::from(session.settings().steps)).with_style(
            ProgressStyle::with_template("{pos}/{len} {wide_bar} {eta} left")?,
        );
        bar.set_position(u64::from(session.steps_done()));
        let course = Course {
            evaluate_every: self.evaluate_every,
            checkpoint_every: match kept {
                Some(_) => self.checkpoint_every,
                None => 0,
            },
        };
        let trained = course.train(
            &mut session,
            &base.model,
            |step| batches.batch(step),
            || stop.is_asked(),
            async |session, milestone| match milestone {
                Milestone::Step(report) => {
                    history.add(report);
                    if self.json {
                        say(&serde_json::to_string(report)?, &stop)?;
                    }
                    bar.set_position(u64::from(report.step));
                    anyhow::Ok(())
                }
                Milestone::Evaluation => {
                    let held_out = dataset.validation_batches(dataset.validation().len(), rows)?;
                    let report = evaluate(session, &base.model, held_out, async |_| true).await?;
                    let (step, losses) = (session.steps_done(), report.map(|r| r.losses));
                    let losses = losses.unwrap_or_default();
                    if self.json {
                        let line = serde_json::json!({ "step": step, "validation_losses": losses });
                        say(&line.to_string(), &stop)?;
                    } else {
                        bar.suspend(|| history.print(step, "validation", &losses));
                    }
                    Ok(())
                }
                Milestone::Checkpoint => match &kept {
                    Some(kept) => kept.save(&session.checkpoint().await?, &history),
                    None => Ok(()),
                },
            },
        );
        let end = trained.await?;
        bar.finish_and_clear();
        if end == End::Stopped {
            if let Some(kept) = &kept {
                let path = kept.path().display();
                eprintln!("Stopped; kept in {path}. The same command goes on from there.");
            }
            std::process::exit(Stop::EXIT_CODE);
        }
        // What is asked for again after the end is written again, and nothing is trained.
        if let Some(kept) = &kept {
            kept.save(&session.checkpoint().await?, &history)?;
        }
        if !self.json {
            history.print(session.steps_done(), "training", &history.last());
        }
        if let Some(path) = &self.result {
            history.write(path)?;
        }
        if let Some(folder) = &self.output {
            let config = &base.model.config;
            let name = self.base_id(&base.name);
            let recipe = recipe(session.settings(), &name, &file, session.steps_done());
            for (index, run) in session.settings().runs.iter().enumerate() {
                let dropout = session.settings().dropout;
                let adapter = match session.adapter(index) {
                    Ok(adapter) => adapter,
                    Err(none) => {
                        eprintln!("{}: {none}", run.name);
                        continue;
                    }
                };
                let files = peft::write(&adapter, 0, config, &name, dropout).await?;
                let title = format!("{name} LoRA {}", run.name);
                let gguf = peft::write_gguf(&adapter, 0, config, &title, Precision::F32);
                // A run's name is the user's, and may be no folder name.
                let folder = folder.join(format!("run-{}", index + 1));
                std::fs::create_dir_all(&folder)?;
                std::fs::write(folder.join(peft::CONFIG_FILE), files.config)?;
                std::fs::write(folder.join(peft::WEIGHTS_FILE), files.weights)?;
                std::fs::write(folder.join(peft::GGUF_FILE), gguf.await?)?;
                let settings = serde_json::json!({ "run": run, "data": settings.data });
                let card = peft::card(&Card {
                    name: &run.name,
                    base: &name,
                    recipe: &recipe,
                    settings: &serde_json::to_string_pretty(&settings)?,
                });
                std::fs::write(folder.join(peft::CARD_FILE), card)?;
                eprintln!("{}: {}", run.name, folder.display());
            }
        }
        Ok(())
    }

    /// Refuses places that cannot be written to, before hours are spent on what belongs there.
    fn check_places(&self) -> Result<()> {
        let places = [
            (&self.output, Place::Folder),
            (&self.result, Place::File),
            (&self.checkpoint, Place::File),
        ];
        for (path, what) in places {
            if let Some(path) = path {
                check_writable(path, what)?;
            }
        }
        Ok(())
    }

    fn base_id(&self, name: &str) -> String {
        // A folder given as `.` has a name, too.
        let path = self.model.canonicalize();
        let path = path.as_deref().unwrap_or(&self.model).to_string_lossy();
        let known = || peft::base_id(&path, name);
        self.base.clone().unwrap_or_else(known)
    }
}

/// What the cards of all runs have in common.
fn recipe(
    settings: &SessionSettings,
    base: &str,
    data: &str,
    steps: u32,
) -> Vec<(&'static str, String)> {
    let names: Vec<&str> = settings.targets.iter().map(|t| t.name()).collect();
    let SessionSettings {
        rank,
        alpha,
        dropout,
        ..
    } = settings;
    let scale = match settings.use_rslora {
        true => "alpha / √rank (rsLoRA)",
        false => "alpha / rank",
    };
    vec![
        ("Base", base.to_owned()),
        ("Data", data.to_owned()),
        ("Start", format!("fresh adapters, seed {}", settings.seed)),
        (
            "Rank, alpha, dropout",
            format!("{rank}, {alpha}, {dropout}"),
        ),
        ("Scale", scale.to_owned()),
        ("Layers", names.join(", ")),
        ("Batch", settings.batch_size.to_string()),
        ("Steps", format!("{steps} of {}", settings.steps)),
    ]
}

/// Prints a line. Whoever reads it may have had enough, as `head` has: the training then ends as by Ctrl-C, and is kept.
fn say(line: &str, stop: &Stop) -> Result<()> {
    match writeln!(std::io::stdout(), "{line}") {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => {
            stop.ask();
            Ok(())
        }
        other => Ok(other?),
    }
}
