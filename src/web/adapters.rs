//! Adapters out of a session and into it.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use super::{
    WebSession, check_engine,
    conversion::{from_js, plain_failure, to_js},
};
use crate::messages::{AdapterSummary, MergedPlan};
use crate::peft::{self, Merged, Precision, SpecialTokens};

fn refused(message: &str) -> JsValue {
    plain_failure("adapter", message)
}

#[wasm_bindgen]
impl WebSession {
    /// Starts all later sessions from an adapter in PEFT's format.
    ///
    /// # Errors
    /// Files that are no adapter of this base.
    pub fn start_from(&mut self, config: Vec<u8>, weights: Vec<u8>) -> Result<JsValue, JsValue> {
        let model = &self.desk.model;
        let read = peft::read(&config, &weights, &model.config, &model.device)
            .map_err(|error| refused(&error.to_string()))?;
        check_engine()?;
        let shape = &read.adapters.shape;
        let summary = AdapterSummary {
            rank: shape.rank as u32,
            alpha: shape.alpha,
            use_rslora: shape.use_rslora,
            targets: shape.targets.clone(),
            base: read.base,
            tensors: read.tensors as u32,
            layers: read.layers as u32,
            of_layers: model.config.num_hidden_layers as u32,
            notices: read.notices,
        };
        self.desk.start = Some(read.adapters);
        to_js(&summary)
    }

    /// Starts all later sessions from fresh adapters again.
    pub fn start_afresh(&mut self) {
        self.desk.start = None;
    }

    /// A run's adapter in PEFT's format: its two files, as `{ config, weights }`. `base` is the name
    /// of the base where the page knows a better one than the file.
    ///
    /// # Errors
    /// No such run, one that diverged, or a device that failed.
    pub async fn export_adapter(
        &self,
        run: usize,
        base: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let (session, adapter) = self.desk.trained(run)?;
        let config = &self.desk.model.config;
        let base = base.as_deref().unwrap_or(&self.name);
        let dropout = session.settings().dropout;
        let folder = peft::write(&adapter, 0, config, base, dropout).await;
        check_engine()?;
        let folder = folder.map_err(|error| refused(&error.to_string()))?;
        files([("config", folder.config), ("weights", folder.weights)])
    }

    /// A run's adapter as a GGUF file for llama.cpp.
    ///
    /// # Errors
    /// No such run, one that diverged, or a device that failed.
    pub async fn export_gguf(&self, run: usize, precision: JsValue) -> Result<Uint8Array, JsValue> {
        let precision: Precision = from_js("adapter", precision)?;
        let (session, adapter) = self.desk.trained(run)?;
        let config = &self.desk.model.config;
        let name = format!("{} LoRA {}", self.name, session.settings().runs[run].name);
        let written = peft::write_gguf(&adapter, 0, config, &name, precision).await;
        check_engine()?;
        let written = written.map_err(|error| refused(&error.to_string()))?;
        Ok(Uint8Array::from(written.as_slice()))
    }

    /// How a run merged into the base will be written.
    ///
    /// # Errors
    /// No such run, or one that diverged.
    pub fn merged_plan(&self, run: usize, precision: JsValue) -> Result<JsValue, JsValue> {
        let merged = self.merged(run, precision)?;
        to_js(&MergedPlan {
            pieces: merged.pieces() as u32,
            bytes: merged.bytes() as f64,
        })
    }

    /// What the folder of a merged model begins with: `config.json` and the header of
    /// `model.safetensors`, as `{ config, weights }`.
    ///
    /// # Errors
    /// No such run, or one that diverged.
    pub fn merged_start(&self, run: usize, precision: JsValue) -> Result<JsValue, JsValue> {
        let tokens = SpecialTokens {
            bos: self.tokenizer.bos_id(),
            eos: self.tokenizer.eos_ids().to_vec(),
        };
        let merged = self.merged(run, precision)?;
        let wrong = |error: peft::PeftError| refused(&error.to_string());
        let config = merged.config(&tokens).map_err(wrong)?;
        let header = merged.header().map_err(wrong)?;
        files([("config", config), ("weights", header)])
    }

    /// One piece of a merged model's weights.
    ///
    /// # Errors
    /// No such run or piece, or a device that failed.
    pub async fn merged_piece(
        &self,
        run: usize,
        precision: JsValue,
        piece: usize,
    ) -> Result<Uint8Array, JsValue> {
        let merged = self.merged(run, precision)?;
        let bytes = merged.piece(piece).await;
        check_engine()?;
        let bytes = bytes.map_err(|error| refused(&error.to_string()))?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    fn merged(&self, run: usize, precision: JsValue) -> Result<Merged<'_>, JsValue> {
        let precision: Precision = from_js("adapter", precision)?;
        let (_, adapter) = self.desk.trained(run)?;
        Ok(Merged::new(&self.desk.model, &adapter, 0, precision))
    }
}

/// Files as the page gets them.
fn files(files: [(&str, Vec<u8>); 2]) -> Result<JsValue, JsValue> {
    let object = js_sys::Object::new();
    for (key, bytes) in files {
        let bytes = Uint8Array::from(bytes.as_slice());
        js_sys::Reflect::set(&object, &key.into(), &bytes)?;
    }
    Ok(object.into())
}
