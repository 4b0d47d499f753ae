//! Messages to JavaScript and back.

use gloo_timers::future::TimeoutFuture;
use js_sys::Function;
use serde::{Serialize, de::DeserializeOwned};
use wasm_bindgen::JsValue;

use crate::messages::Failure;

/// Lets the worker read its messages. A microtask would not: they wait for the next task.
pub async fn macrotask() {
    TimeoutFuture::new(0).await;
}

/// Hands a message to a callback; false when it says that the action shall end.
pub fn report(callback: &Function, message: &impl Serialize) -> bool {
    let Ok(message) = to_js(message) else {
        return true;
    };
    match callback.call1(&JsValue::NULL, &message) {
        Ok(answer) => answer != JsValue::FALSE,
        // A page that cannot be told is gone.
        Err(_) => false,
    }
}

/// A message as the page gets it.
///
/// # Errors
/// A message that JavaScript cannot hold.
pub fn to_js(message: &impl Serialize) -> Result<JsValue, JsValue> {
    // The page's types say null where Rust says None.
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(true);
    Ok(message.serialize(&serializer)?)
}

/// What the page sent; `place` is the part of the page that it belongs to.
///
/// # Errors
/// A [`Failure`] at `place`, in the words of the field that is wrong.
pub fn from_js<T: DeserializeOwned>(place: &str, value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value)
        .map_err(|error| plain_failure(place, &format!("these settings make no sense: {error}")))
}

/// A failure as the page gets it.
pub fn js(failure: &Failure) -> JsValue {
    to_js(failure).unwrap_or_else(|error| error)
}

/// A failure at `place` that is about no field.
pub fn plain_failure(place: &str, message: &str) -> JsValue {
    js(&Failure {
        place: place.into(),
        field: None,
        message: message.into(),
    })
}

/// An error of the library in the words of the page.
pub fn failure(error: impl Into<Failure>) -> JsValue {
    js(&error.into())
}
