//! The engine that this build computes on, made once before the first tensor.

use burn::tensor::{Device, ExecutionError};

/// What a build computes on.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineDescription {
    /// `cpu` or `webgpu`.
    pub engine: &'static str,
    /// What computes: the adapter's name and driver, or the CPU engine's.
    pub description: String,
    /// Whether the adapter is a software one.
    pub fallback_adapter: bool,
    /// Largest single buffer, in bytes; 0 where there is no such limit.
    pub max_buffer_bytes: f64,
}

/// Why a device does not compute: there is none, or it failed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum EngineError {
    /// No adapter, or one that lacks what burn needs.
    #[error("WebGPU cannot be used: {0}; choose the CPU engine")]
    Unavailable(String),
    /// The adapter was taken away after it had been in use.
    #[error("the WebGPU device was lost: {0}; training can resume from the last checkpoint")]
    Lost(String),
    /// The device failed to compute, or to hand over a result.
    #[error("the device stopped working: {0}; the last checkpoint can be resumed on another one")]
    Failed(String),
    /// The device would not do what it was asked.
    #[error("the WebGPU device refused a computation: {0}; choose the CPU engine")]
    Refused(String),
}

impl From<ExecutionError> for EngineError {
    /// In the device's own words.
    fn from(error: ExecutionError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// The CPU engine.
///
/// # Errors
/// None; the signature is WebGPU's.
#[cfg(not(feature = "webgpu"))]
pub async fn start() -> Result<(Device, EngineDescription), EngineError> {
    let simd = if cfg!(target_feature = "simd128") {
        " with 128-bit SIMD"
    } else {
        ""
    };
    let description = EngineDescription {
        engine: "cpu",
        description: format!("burn's CPU engine{simd}, one core a worker"),
        fallback_adapter: false,
        max_buffer_bytes: 0.0,
    };
    Ok((Device::flex(), description))
}

/// The CPU engine is never lost.
///
/// # Errors
/// None; the signature is WebGPU's.
#[cfg(not(feature = "webgpu"))]
pub fn check() -> Result<(), EngineError> {
    Ok(())
}

#[cfg(feature = "webgpu")]
pub use webgpu::{check, destroy, guarded, has_half_precision, most_bytes, start};

#[cfg(feature = "webgpu")]
mod webgpu {
    use std::sync::{Mutex, OnceLock};

    use burn_wgpu::WgpuSetup;

    use super::{Device, EngineDescription, EngineError};

    /// Set once, by the browser, when the device goes away.
    static LOST: Mutex<Option<String>> = Mutex::new(None);
    /// The raw device, to give it up.
    static DEVICE: OnceLock<wgpu::Device> = OnceLock::new();

    /// Runs the module's constructors, in which burn's compiler of kernels registers what it knows.
    ///
    /// A module that does not call them itself is linked as a command: every call from JavaScript, and there are several a
    /// launch, would then begin with all of them.
    #[cfg(target_arch = "wasm32")]
    fn construct() {
        static CONSTRUCTED: std::sync::Once = std::sync::Once::new();
        unsafe extern "C" {
            fn __wasm_call_ctors();
        }
        // SAFETY: the linker makes this function, of constructors that need nothing; it runs once.
        CONSTRUCTED.call_once(|| unsafe { __wasm_call_ctors() });
    }

    /// The high-performance WebGPU adapter.
    ///
    /// # Errors
    /// No adapter or no device.
    pub async fn start() -> Result<(Device, EngineDescription), EngineError> {
        #[cfg(target_arch = "wasm32")]
        construct();
        let (device, setup) = Device::wgpu_options()
            .init_with_setup_async()
            .await
            .map_err(|error| EngineError::Unavailable(error.to_string()))?;
        setup.device.set_device_lost_callback(|reason, message| {
            if let Ok(mut lost) = LOST.lock() {
                *lost = Some(format!("{reason:?} {message}").trim().to_owned());
            }
        });
        let description = describe(&setup);
        let _ = DEVICE.set(setup.device);
        Ok((device, description))
    }

    /// What was started.
    fn describe(setup: &WgpuSetup) -> EngineDescription {
        let info = setup.adapter.get_info();
        EngineDescription {
            engine: "webgpu",
            description: name(&info),
            fallback_adapter: info.device_type == wgpu::DeviceType::Cpu,
            max_buffer_bytes: setup.device.limits().max_buffer_size as f64,
        }
    }

    /// What the adapter says of itself; browsers say little, so that pages cannot tell users apart.
    fn name(info: &wgpu::AdapterInfo) -> String {
        let parts = [&info.name, &info.driver, &info.driver_info].map(String::as_str);
        let named: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let named = named.join(", ");
        match named.is_empty() {
            true => "the browser's WebGPU adapter".into(),
            false => named,
        }
    }

    /// Whether the device is still there.
    ///
    /// # Errors
    /// [`EngineError::Lost`] with the browser's reason.
    pub fn check() -> Result<(), EngineError> {
        match LOST.lock() {
            Ok(lost) => match &*lost {
                Some(reason) => Err(EngineError::Lost(reason.clone())),
                None => Ok(()),
            },
            Err(_) => Err(EngineError::Lost("its state is unknown".into())),
        }
    }

    /// Whether the device computes in half precision.
    pub fn has_half_precision() -> bool {
        let has = |device: &wgpu::Device| device.features().contains(wgpu::Features::SHADER_F16);
        DEVICE.get().is_some_and(has)
    }

    /// Bytes of the largest tensor: what is in one buffer, and what a computation sees of it.
    pub fn most_bytes() -> Option<usize> {
        let limits = DEVICE.get()?.limits();
        let most = limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size);
        usize::try_from(most).ok()
    }

    /// What `action` gives, where the device refused nothing of what it asked meanwhile. Without this a refusal ends the
    /// module.
    ///
    /// # Errors
    /// [`EngineError::Refused`] with the browser's reason.
    pub async fn guarded<T>(action: impl Future<Output = T>) -> Result<T, EngineError> {
        let Some(device) = DEVICE.get() else {
            return Ok(action.await);
        };
        let filters = [
            wgpu::ErrorFilter::Validation,
            wgpu::ErrorFilter::Internal,
            wgpu::ErrorFilter::OutOfMemory,
        ];
        let scopes = filters.map(|filter| device.push_error_scope(filter));
        let result = action.await;
        // The last that was opened is the first to close.
        for scope in scopes.into_iter().rev() {
            if let Some(error) = scope.pop().await {
                return Err(EngineError::Refused(error.to_string()));
            }
        }
        Ok(result)
    }

    /// Gives the device up, as a driver reset does; what follows can be tried on it.
    pub fn destroy() {
        if let Some(device) = DEVICE.get() {
            device.destroy();
        }
    }
}
