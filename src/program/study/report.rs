//! What the pieces say together: study.json, its pictures and a table.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::{
    charts::{self, Picture},
    contrast::{Contrast, Verdict, on_all},
    learning_curves,
    method::{MethodFigures, figures},
    piece::Piece,
};
use crate::program::result_file::ResultFile;

/// The piece of the paper's first figure.
const FIRST_FIGURE: &str = "p4";

/// Names in the plans of benchmarks/study.
const SGD: &str = "SGD";
const SCALED_GD: &str = "scaled GD, δ 1e-6";
const SCALED_GD_SAFE: &str = "scaled GD, δ 1e-2";
const ADAMW: &str = "AdamW 0.9/0.999";
const ADAMW_QUICK: &str = "AdamW 0.7/0.8";
const SCALED_ADAMW: &str = "scaled AdamW 0.7/0.8, δ 1e-6";
const SCALED_ADAMW_SAFE: &str = "scaled AdamW 0.9/0.999, δ 1e-2";

/// The models that decide, and the piece that each was tried in.
const MODELS: [(&str, &str, &str); 2] = [
    ("tiny", "p1", "Tiny Llama"),
    ("smollm2", "p3", "SmolLM2-135M"),
];

/// Pieces whose runs and hours count.
const PIECES: [&str; 8] = ["p0", "p1", "p2", "p3", "p4", "p5", "p6", "p7"];

/// A method against another on all models.
#[derive(Debug, Serialize)]
struct Pair {
    /// `None` where a method is missing.
    tiny: Option<Contrast>,
    smollm2: Option<Contrast>,
    /// What is so on both models.
    verdict_better: Verdict,
    verdict_robust: Verdict,
}

/// What is known of a piece.
#[derive(Debug, Serialize)]
struct PieceFigures {
    /// Seeds that all methods have, and that the numbers are of.
    seeds: Vec<u32>,
    finished_runs: usize,
    pending_runs: usize,
}

#[derive(Debug, Serialize)]
struct Figures {
    /// The paper's scaled GD against SGD.
    sgd_pair: Pair,
    /// The paper's scaled AdamW against AdamW at the same betas.
    adamw_pair: Pair,
    /// The paper's scaled AdamW against AdamW at AdamW's usual betas.
    adamw_defaults: Pair,
    /// As `sgd_pair`, at PEFT's damping.
    sgd_pair_damped: Pair,
    /// As `adamw_pair`, at PEFT's damping and AdamW's usual betas.
    adamw_pair_damped: Pair,
    /// By model.
    methods: BTreeMap<&'static str, Vec<MethodFigures>>,
    /// Loss of the base by model, on the half that reports.
    base_loss: BTreeMap<&'static str, f64>,
    pieces: BTreeMap<&'static str, PieceFigures>,
    runs: usize,
    core_hours: f64,
}

/// Reads the pieces in `folder` and writes study.json and its pictures beside them.
///
/// # Errors
/// A folder without any piece, or a file that is none.
pub fn report(folder: &Path, json: bool) -> Result<()> {
    let mut pieces = BTreeMap::new();
    for name in PIECES {
        if let Some(piece) = Piece::read(&folder.join(format!("study-{name}.json")))? {
            pieces.insert(name, piece);
        }
    }
    ensure!(
        !pieces.is_empty(),
        "{}: there is no study-p0.json to study-p7.json with a finished run; scripts/study makes them",
        folder.display()
    );
    let found = evaluate(&pieces);
    for (model, piece, title) in MODELS {
        if let Some(methods) = found.methods.get(model) {
            write(
                folder,
                piece,
                charts::pictures(&pieces[piece], methods, title)?,
            )?;
        }
    }
    if let Some(piece) = pieces.get(FIRST_FIGURE) {
        write(folder, FIRST_FIGURE, learning_curves::pictures(piece)?)?;
    }
    let file = ResultFile::new(&found)?;
    file.write(&folder.join("study.json"), None)?;
    if json {
        print!("{}", file.to_json()?);
    } else {
        print(&found);
    }
    Ok(())
}

fn write(folder: &Path, piece: &str, pictures: Vec<Picture>) -> Result<()> {
    for (name, picture) in pictures {
        let path = folder.join(format!("study-{piece}-{name}.svg"));
        std::fs::write(&path, picture).with_context(|| path.display().to_string())?;
    }
    Ok(())
}

fn evaluate(pieces: &BTreeMap<&'static str, Piece>) -> Figures {
    let pair = |method: &str, against: &str| {
        let on = |piece: &str| Contrast::of(pieces.get(piece)?, method, against);
        let [tiny, smollm2] = MODELS.map(|(_, piece, _)| on(piece));
        let verdict =
            |of: fn(&Contrast) -> Verdict| on_all(&[&tiny, &smollm2].map(|c| c.as_ref().map(of)));
        Pair {
            verdict_better: verdict(|contrast| contrast.verdict_better),
            verdict_robust: verdict(|contrast| contrast.verdict_robust),
            tiny,
            smollm2,
        }
    };
    let by_model = || {
        MODELS
            .iter()
            .filter_map(|&(model, piece, _)| Some((model, pieces.get(piece)?)))
    };
    let seconds: f64 = pieces.values().map(|piece| piece.processor_seconds).sum();
    Figures {
        sgd_pair: pair(SCALED_GD, SGD),
        adamw_pair: pair(SCALED_ADAMW, ADAMW_QUICK),
        adamw_defaults: pair(SCALED_ADAMW, ADAMW),
        sgd_pair_damped: pair(SCALED_GD_SAFE, SGD),
        adamw_pair_damped: pair(SCALED_ADAMW_SAFE, ADAMW),
        methods: by_model()
            .map(|(model, piece)| (model, figures(piece)))
            .collect(),
        base_loss: by_model()
            .map(|(model, piece)| (model, piece.base_loss))
            .collect(),
        pieces: pieces
            .iter()
            .map(|(name, piece)| {
                let of = PieceFigures {
                    seeds: piece.seeds.clone(),
                    finished_runs: piece.finished_runs,
                    pending_runs: piece.pending_runs,
                };
                (*name, of)
            })
            .collect(),
        runs: pieces.values().map(|piece| piece.finished_runs).sum(),
        core_hours: (seconds / 36.0).round() / 100.0,
    }
}

fn print(found: &Figures) {
    for (name, piece) in &found.pieces {
        println!(
            "{name}: {} runs finished, {} pending; counted are the seeds {:?}",
            piece.finished_runs, piece.pending_runs, piece.seeds
        );
    }
    for (model, methods) in &found.methods {
        println!("\n{model}, base {:.4}", found.base_loss[model]);
        println!(
            "{:32} {:>8} {:>9} {:>8} {:>8} {:>8} {:>10}",
            "method", "loss", "at lr", "width", "overall", "regret", "half above"
        );
        for row in methods {
            let number =
                |value: Option<f64>| value.map_or("none".into(), |value| format!("{value:.4}"));
            let rate =
                |value: Option<f64>| value.map_or("none".into(), |value| format!("{value:.2e}"));
            println!(
                "{:32} {:>8} {:>9} {:>8.2} {:>8.2} {:>8} {:>10}",
                row.method,
                number(row.loss),
                rate(row.lr),
                row.width_own.decades,
                row.width_overall.decades,
                number(row.regret),
                rate(row.half_above_base_lr)
            );
        }
    }
    println!();
    for (name, pair) in [
        ("sgd_pair", &found.sgd_pair),
        ("adamw_pair", &found.adamw_pair),
        ("adamw_defaults", &found.adamw_defaults),
        ("sgd_pair_damped", &found.sgd_pair_damped),
        ("adamw_pair_damped", &found.adamw_pair_damped),
    ] {
        for (model, contrast) in [("tiny", &pair.tiny), ("smollm2", &pair.smollm2)] {
            let Some(c) = contrast else { continue };
            let range = |low: Option<f64>, high: Option<f64>| match (low, high) {
                (Some(low), Some(high)) => format!("{low:.3} to {high:.3}"),
                _ => "no interval".to_owned(),
            };
            println!(
                "{name}, {model}: better by {:.4} ({}), {:?}; regret {:.4} ({}), width × {:.2} ({}), robust: {:?}",
                -c.difference,
                range(c.low, c.high),
                c.verdict_better,
                c.regret_difference,
                range(c.regret_low, c.regret_high),
                c.width_ratio.unwrap_or(f64::NAN),
                range(c.width_low, c.width_high),
                c.verdict_robust
            );
        }
    }
    println!("{} runs, {} core hours", found.runs, found.core_hours);
}
