//! The experiment of the paper's section on diffusion models: teach a subject and a style by every method at every
//! learning rate.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use riemann_lora::{
    diffusion::{DenoisingSettings, DiffusionModel, Words},
    engine,
    model::Target,
    optim::{OptimizerSettings, PreconditionerSettings, UpdateRule},
    train::{RunSettings, Session, SessionSettings},
};
use serde::Serialize;

use super::{super::result_file::ResultFile, concept::Concept, drawing::draw, folder, sheet};

/// Captions of a grid.
const GRID: usize = 8;
/// Captions that are drawn to be measured.
const MEASURED: usize = 16;
/// Steps that are timed, after as many that are not.
const TIMED_STEPS: u32 = 10;

/// Teach a subject and a style by every method at every learning rate.
#[derive(Debug, Args)]
pub struct Sweep {
    /// Folder of the model.
    model: PathBuf,
    /// Folder that scripts/make-icons filled.
    icons: PathBuf,
    /// Result file; grids as PNG files are put beside it.
    result: PathBuf,
    /// Learning rates of the denoiser's adapters.
    #[arg(long, value_delimiter = ',', default_values_t = [1e-1, 1e-2, 1e-3, 1e-4, 1e-5])]
    lr: Vec<f64>,
    /// Learning rates of the text encoder's adapters, each with each of the denoiser's; without any that of the denoiser's.
    #[arg(long, value_delimiter = ',')]
    text_lr: Vec<f64>,
    /// Methods; without any the first four. The others are controls: scaled-adamw-overdamped has a δ that leaves nothing of
    /// the preconditioner but a division of gradients by 1e6, adamw-eps the eps that this amounts to.
    #[arg(long, value_delimiter = ',', value_parser = METHODS)]
    method: Vec<String>,
    /// Draw no grids, only what is measured.
    #[arg(long)]
    without_grids: bool,
    /// Steps of each run.
    #[arg(long, default_value_t = 500)]
    steps: u32,
    /// Steps after which grids are drawn, beside those before the first and after the last.
    #[arg(long, default_value_t = 100)]
    grid_at: u32,
    /// Pictures a step.
    #[arg(long, default_value_t = 8)]
    batch_size: u32,
    /// Rank of the adapters.
    #[arg(long, default_value_t = 4)]
    rank: u32,
    /// Seed of adapters, batches and noise.
    #[arg(long, default_value_t = 0)]
    seed: u32,
}

/// What a method at its learning rates came to.
#[derive(Debug, Serialize)]
struct RunResult {
    method: &'static str,
    lr: f64,
    text_lr: f64,
    /// Share of drawings whose nearest real picture is one of the subject's; `None` until it was taught, and where
    /// it diverged.
    subject_retrieval: Option<f64>,
    /// As of the subject.
    style_retrieval: Option<f64>,
    /// By concept; `None` where it is not finite.
    validation_loss: BTreeMap<&'static str, Option<f64>>,
    /// By concept.
    diverged: BTreeMap<&'static str, bool>,
}

/// The model before it is taught anything.
#[derive(Debug, Serialize)]
struct BaseResult {
    concept: &'static str,
    retrieval: f64,
    /// What drawing any real picture would give.
    retrieval_chance: f64,
    validation_loss: f64,
}

#[derive(Debug, Serialize)]
struct Figures {
    base: Vec<BaseResult>,
    runs: Vec<RunResult>,
    steps_per_second_two_runs_native: f64,
}

impl Figures {
    /// What is known of a run.
    fn run(&mut self, method: &'static str, lr: f64, text_lr: f64) -> &mut RunResult {
        let same = |run: &RunResult| (run.method, run.lr, run.text_lr) == (method, lr, text_lr);
        let index = self.runs.iter().position(same).unwrap_or_else(|| {
            self.runs.push(RunResult {
                method,
                lr,
                text_lr,
                subject_retrieval: None,
                style_retrieval: None,
                validation_loss: BTreeMap::new(),
                diverged: BTreeMap::new(),
            });
            self.runs.len() - 1
        });
        &mut self.runs[index]
    }
}

/// What methods are called.
const METHODS: [&str; 6] = [
    "adamw",
    "scaled-adamw",
    "sgd",
    "scaled-gd",
    "scaled-adamw-overdamped",
    "adamw-eps",
];

/// Of these, those that are no controls.
const COMPARED: usize = 4;

/// Method and its settings at a learning rate.
fn methods() -> [(&'static str, OptimizerSettings); METHODS.len()] {
    let [
        plain_adamw,
        scaled_adamw,
        plain_sgd,
        scaled_gd,
        overdamped,
        large_eps,
    ] = METHODS;
    let adamw = OptimizerSettings::adamw(0.0);
    let sgd = OptimizerSettings {
        rule: UpdateRule::Sgd,
        weight_decay: 0.0,
        ..adamw
    };
    let with_damping = |optimizer, damping| OptimizerSettings {
        preconditioner: Some(PreconditionerSettings::new(damping)),
        ..optimizer
    };
    let scaled = |optimizer| with_damping(optimizer, 1e-2);
    [
        (plain_adamw, adamw),
        (scaled_adamw, scaled(adamw)),
        (plain_sgd, sgd),
        (scaled_gd, scaled(sgd)),
        (overdamped, with_damping(adamw, 1e6)),
        (large_eps, OptimizerSettings { eps: 1e-2, ..adamw }),
    ]
}

impl Sweep {
    /// Trains all runs, one bank a method, and writes what came out.
    pub async fn run(self) -> Result<()> {
        ensure!(!self.lr.is_empty(), "lr is empty; give at least one");
        let (device, _) = engine::start().await?;
        let folder::Model { weights, words } = folder::Model::read(&self.model, &device)?;
        let model = weights.model();
        let mut figures = Figures {
            base: Vec::new(),
            runs: Vec::new(),
            steps_per_second_two_runs_native: 0.0,
        };
        for name in ["subject", "style"] {
            let random = (self.batch_size as usize, u64::from(self.seed));
            let mut concept = Concept::read(name, &self.icons, &model.config, random, MEASURED)?;
            if figures.base.is_empty() {
                figures.steps_per_second_two_runs_native =
                    self.speed(&model, &words, &mut concept).await?;
            }
            for (method, optimizer) in self.wanted_methods() {
                self.bank(
                    &model,
                    &words,
                    &mut concept,
                    (method, optimizer),
                    &mut figures,
                )
                .await?;
                // What is known so far is kept, for this takes long.
                self.write(&figures)?;
            }
        }
        Ok(())
    }

    fn write(&self, figures: &Figures) -> Result<()> {
        ResultFile::new(figures)?
            .with("steps", &self.steps)?
            .with("batch_size", &self.batch_size)?
            .with("rank", &self.rank)?
            .with("methods", &self.wanted_methods())?
            .write(&self.result, None)
    }

    fn wanted_methods(&self) -> Vec<(&'static str, OptimizerSettings)> {
        let all = methods().into_iter();
        match self.method.is_empty() {
            true => all.take(COMPARED).collect(),
            false => all
                .filter(|(name, _)| self.method.iter().any(|wanted| wanted == name))
                .collect(),
        }
    }

    /// Rates of the runs of one method: of the denoiser, and of the text encoder where that is not the same.
    fn rates(&self) -> Vec<(f64, Option<f64>)> {
        let all = self.lr.iter();
        if self.text_lr.is_empty() {
            return all.map(|&lr| (lr, None)).collect();
        }
        all.flat_map(|&lr| self.text_lr.iter().map(move |&text| (lr, Some(text))))
            .collect()
    }

    /// A session with a run for each pair of learning rates.
    fn session(
        &self,
        model: &DiffusionModel,
        optimizer: OptimizerSettings,
        rates: &[(f64, Option<f64>)],
    ) -> Result<Session> {
        let runs = rates.iter().map(|&(lr, text_lr)| RunSettings {
            name: format!("{lr:e}"),
            optimizer: OptimizerSettings { lr, ..optimizer },
            text_lr,
        });
        let settings = SessionSettings {
            rank: self.rank,
            alpha: f64::from(self.rank),
            use_rslora: false,
            dropout: 0.0,
            targets: Target::LLAMA.to_vec(),
            batch_size: self.batch_size,
            micro_batch_size: 0,
            gradient_checkpointing: false,
            half_precision: false,
            steps: self.steps,
            seed: self.seed,
            runs: runs.collect(),
            diagnostics: false,
            layer_diagnostics: false,
        };
        Ok(Session::new(model, settings)?)
    }

    /// Steps a second of two runs, AdamW and scaled AdamW or not makes no difference that matters.
    async fn speed(
        &self,
        model: &DiffusionModel,
        words: &Words,
        concept: &mut Concept,
    ) -> Result<f64> {
        let [_, (_, scaled), ..] = methods();
        let mut session = self.session(model, scaled, &[(1e-4, None), (1e-3, None)])?;
        let mut started = Instant::now();
        for step in 0..2 * TIMED_STEPS {
            if step == TIMED_STEPS {
                started = Instant::now();
            }
            session.step(model, &concept.batch(step, words)).await?;
        }
        Ok(f64::from(TIMED_STEPS) / started.elapsed().as_secs_f64())
    }

    /// All learning rates of one method.
    async fn bank(
        &self,
        model: &DiffusionModel,
        words: &Words,
        concept: &mut Concept,
        (method, optimizer): (&'static str, OptimizerSettings),
        figures: &mut Figures,
    ) -> Result<()> {
        let rates = self.rates();
        let mut session = self.session(model, optimizer, &rates)?;
        let validation = concept.validation(words)?;
        let settings = DenoisingSettings::default();
        if !figures.base.iter().any(|base| base.concept == concept.name) {
            let losses = session.evaluate(model, &validation).await?.means();
            let drawn = draw(model, None, words, &concept.captions, settings).await?;
            let found = concept.retrieval(&drawn.concat());
            figures.base.push(BaseResult {
                concept: concept.name,
                retrieval: found.first,
                retrieval_chance: found.chance,
                validation_loss: losses.first().copied().unwrap_or(f64::NAN),
            });
        }

        let captions = &concept.captions[..GRID.min(concept.captions.len())].to_vec();
        let mut rows = draw(model, None, words, captions, settings).await?;
        let bar = ProgressBar::new(u64::from(self.steps)).with_style(ProgressStyle::with_template(
            "{msg} {pos}/{len} steps {wide_bar} {eta} left",
        )?);
        bar.set_message(format!("{} by {method}", concept.name));
        for step in 0..self.steps {
            if session.is_finished() {
                break;
            }
            session.step(model, &concept.batch(step, words)).await?;
            bar.inc(1);
            if step + 1 == self.grid_at && !self.without_grids {
                rows.extend(
                    draw(model, Some(session.adapters()), words, captions, settings).await?,
                );
            }
        }
        bar.finish_and_clear();

        let losses = session.evaluate(model, &validation).await?.means();
        let adapters = Some(session.adapters());
        let drawn = draw(model, adapters, words, &concept.captions, settings).await?;
        for (index, &(lr, text_lr)) in rates.iter().enumerate() {
            let diverged = session.diverged_at()[index].is_some();
            // What is drawn without its adapter is the base's.
            let retrieval = (!diverged).then(|| concept.retrieval(&drawn[index]).first);
            let loss = Some(losses[index]).filter(|loss| loss.is_finite() && !diverged);
            let run = figures.run(method, lr, text_lr.unwrap_or(lr));
            match concept.name {
                "subject" => run.subject_retrieval = retrieval,
                _ => run.style_retrieval = retrieval,
            }
            run.validation_loss.insert(concept.name, loss);
            run.diverged.insert(concept.name, diverged);
        }
        if self.without_grids {
            return Ok(());
        }
        rows.extend(drawn.into_iter().map(|row| row[..captions.len()].to_vec()));
        let stem = self
            .result
            .file_stem()
            .context("the result file needs a name")?;
        let name = format!("{}-{}-{method}.png", stem.to_string_lossy(), concept.name);
        let size = model.config.image_size;
        sheet::write(
            &self.result.with_file_name(name),
            &rows.concat(),
            size,
            captions.len(),
            2,
        )
    }
}
