//! What came out of a sweep, for a worker. It needs no engine and no model.

use wasm_bindgen::prelude::*;

use super::conversion::{from_js, to_js};
use crate::messages::SweepQuestion;
use crate::train::sweep::{MethodSummary, summarise};

/// How each method did, in the order of the question.
///
/// # Errors
/// A question that makes no sense.
#[wasm_bindgen]
pub fn summarise_sweep(question: JsValue) -> Result<JsValue, JsValue> {
    let SweepQuestion {
        methods,
        base_loss,
        results,
    } = from_js("sweep", question)?;
    let mut summaries = summarise(&methods, base_loss, &results);
    let in_order: Vec<MethodSummary> = methods
        .iter()
        .filter_map(|method| summaries.remove(method))
        .collect();
    to_js(&in_order)
}
