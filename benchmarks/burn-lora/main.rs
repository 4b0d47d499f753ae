//! The work `layers` natively: this project's step, and the same by burn's own `apply_lora` and AdamW, in turns.
//!
//! Prints seconds as JSON; `scripts/bench peers` puts them into its result.

#[path = "../works/mod.rs"]
#[allow(dead_code, reason = "the browser measures the other works")]
mod works;

mod peer;

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use burn::tensor::Device;
use serde_json::json;

use self::peer::BurnLayers;
use self::works::{layers, size::Sizes};

/// How often each is measured, after a first time that is not.
const ROUNDS: usize = 9;

/// Share of the loss by which both may differ.
const TOLERANCE: f64 = 1e-3;

fn main() -> Result<()> {
    let sizes = Sizes::read();
    let device = Device::flex();
    let mut measured = Vec::new();
    for size in std::env::args().skip(1) {
        let shape: layers::Shape = sizes
            .shape("layers", &size)
            .with_context(|| format!("there is no size {size}"))?;
        let mut ours = layers::Layers::new(&sizes, shape, &device);
        let mut theirs = BurnLayers::new(&sizes, shape, &device.clone().autodiff());
        let (mut our_times, mut their_times) = (Vec::new(), Vec::new());
        for round in 0..=ROUNDS {
            let began = Instant::now();
            let loss = pollster::block_on(ours.step());
            let between = Instant::now();
            let their_loss = theirs.step();
            let end = Instant::now();
            // Later losses depend on how rounding errors went, and no longer tell right from wrong.
            ensure!(
                round >= 3 || (loss - their_loss).abs() <= TOLERANCE * loss.abs(),
                "in step {} ours has the loss {loss} and burn's {their_loss}",
                round + 1
            );
            if round > 0 {
                our_times.push((between - began).as_secs_f64());
                their_times.push((end - between).as_secs_f64());
            }
        }
        let mut ratios: Vec<f64> = our_times
            .iter()
            .zip(&their_times)
            .map(|(ours, theirs)| ours / theirs)
            .collect();
        measured.push(json!({
            "engine": "native",
            "work": "layers",
            "size": size,
            "rounds": ROUNDS,
            "median_seconds": {
                "riemann-lora": median(&mut our_times),
                "burn apply_lora": median(&mut their_times),
            },
            "over": { "burn apply_lora": median(&mut ratios) },
        }));
    }
    println!("{}", serde_json::Value::Array(measured));
    Ok(())
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
