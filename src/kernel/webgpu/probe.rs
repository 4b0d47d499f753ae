//! Which way of computing products this adapter is fastest with, measured when the engine starts.
//!
//! Products in tiles of registers and burn's own, which are staged in memory of the workgroup, differ by a factor of eight
//! on one adapter, and may on another the other way round; nothing that an adapter says of itself tells which. burn's
//! autotune asks the same of every shape, but one of its candidates is an invalid shader in browsers, and that ends it.

use std::time::Duration;

use burn::tensor::{Device, Tensor};
use web_time::Instant;

use super::super::{
    ProductChoice, ProductKind, ProductPrecision, ProductStrategy, ProductTable, half_is_available,
    product::Form,
};
use super::product::product;
use super::strategy::take;
use crate::engine;

/// Raised when what is measured changes, so that tables of before are measured anew.
const VERSION: u32 = 1;
/// Rows of activations. Powers of two, this and the next two, so that all numbers on the way are exact.
const ROWS: usize = 128;
/// As above.
const WIDTH: usize = 512;
/// Rank of the narrow factors.
const RANK: usize = 8;
/// Time that a measurement must take, so that waiting for the adapter does not count.
const ENOUGH: Duration = Duration::from_millis(8);
/// Most products of a measurement.
const MOST: u32 = 256;

/// Takes the choices of `known`, or measures where that is none or of another version.
pub async fn choose(known: Option<ProductTable>, device: &Device) -> ProductTable {
    let table = match known {
        Some(table) if table.version == VERSION => table,
        _ => ProductTable {
            version: VERSION,
            choices: measure(device).await,
        },
    };
    for choice in &table.choices {
        take(choice.kind, choice.strategy);
    }
    table
}

/// The faster way of each kind. One whose result is wrong, or does not come, is not taken.
async fn measure(device: &Device) -> Vec<ProductChoice> {
    let mut choices = Vec::new();
    for kind in ProductKind::ALL {
        let mut seconds = [None, None];
        let ways = [ProductStrategy::Tiles, ProductStrategy::Burn];
        for (strategy, seconds) in ways.into_iter().zip(&mut seconds) {
            take(kind, strategy);
            // Of another number each time: what an earlier one left in memory is not its result.
            let number = if strategy == ProductStrategy::Tiles {
                2.0
            } else {
                3.0
            };
            *seconds = measured(kind, ProductPrecision::Single, number, device).await;
        }
        let [tiles_seconds, burn_seconds] = seconds;
        let half_seconds = match kind == ProductKind::Forward && half_is_available() {
            true => measured(kind, ProductPrecision::Half, 4.0, device).await,
            false => None,
        };
        let strategy = match (tiles_seconds, burn_seconds) {
            (Some(tiles), Some(burn)) if burn < tiles => ProductStrategy::Burn,
            (None, Some(_)) => ProductStrategy::Burn,
            _ => ProductStrategy::Tiles,
        };
        take(kind, strategy);
        choices.push(ProductChoice {
            kind,
            strategy,
            tiles_seconds,
            burn_seconds,
            half_seconds,
        });
    }
    choices
}

/// As [`time`]; `None` also where the adapter refused.
async fn measured(
    kind: ProductKind,
    precision: ProductPrecision,
    number: f32,
    device: &Device,
) -> Option<f64> {
    let time = time(kind, precision, number, device);
    engine::guarded(time).await.ok().flatten()
}

/// Seconds of a product, or of two with narrow factors, computed as is set; `None` where the result is not what it must be.
async fn time(
    kind: ProductKind,
    precision: ProductPrecision,
    number: f32,
    device: &Device,
) -> Option<f64> {
    let full = |shape: [usize; 2], value: f64| Tensor::<2>::full(shape, value, device);
    let weight = full([WIDTH, WIDTH], 1.0 / WIDTH as f64);
    let lora_a = full([RANK, WIDTH], 1.0 / WIDTH as f64);
    let lora_b = full([WIDTH, RANK], 1.0 / RANK as f64);
    // Each of them gives its input back.
    let by = |x, factor: &Tensor<2>, form| product(x, factor.clone(), form, precision);
    let once = |x: Tensor<2>| match kind {
        ProductKind::Forward => by(x, &weight, Form::RightTransposed),
        ProductKind::Backward => by(x, &weight, Form::Plain),
        ProductKind::Narrow => {
            let inner = by(x, &lora_a, Form::RightTransposed); // [ROWS, RANK]
            by(inner, &lora_b, Form::RightTransposed)
        }
    };
    let start = full([ROWS, WIDTH], f64::from(number));
    // The first one compiles.
    if last(once(start.clone())).await? != number {
        return None;
    }
    let mut repetitions = 1;
    loop {
        let began = Instant::now();
        let result = (0..repetitions).fold(start.clone(), |x, _| once(x));
        if last(result).await? != number {
            return None;
        }
        let spent = began.elapsed();
        if spent >= ENOUGH || repetitions >= MOST {
            return Some(spent.as_secs_f64() / f64::from(repetitions));
        }
        repetitions *= 4;
    }
}

/// The last element, for which all that was asked of the adapter has to be done.
async fn last(tensor: Tensor<2>) -> Option<f32> {
    let [rows, columns] = tensor.dims();
    let last = tensor.slice([rows - 1..rows, columns - 1..columns]);
    last.into_data_async().await.ok()?.iter::<f32>().next()
}
