//! The theory experiments, for a worker. They need no engine and no model.

use js_sys::Function;
use wasm_bindgen::prelude::*;

use super::conversion::{failure, from_js, macrotask, report};
use crate::theory::live::{self, TheorySettings};

/// Trains all methods on one problem; `on_report` gets what is new, and ends it by returning false.
///
/// # Errors
/// Settings out of range.
#[wasm_bindgen]
pub async fn theory(settings: JsValue, on_report: Function) -> Result<(), JsValue> {
    let settings: TheorySettings = from_js("theory", settings)?;
    live::run(&settings, |news| report(&on_report, news), macrotask)
        .await
        .map_err(failure)
}
