//! The metadata of a GGUF file that an architecture asks for.

use super::Name;
use crate::load::gguf::Metadata;
use crate::model::{Rotary, RotaryScaling};

/// An architecture's own keys, without its name, and the shapes of the file's tensors.
pub struct Keys<'a> {
    architecture: &'static str,
    metadata: &'a Metadata,
    shape_of: &'a dyn Fn(&str) -> Option<&'a [usize]>,
    /// Of the frequencies of rotary positions, where the file has such a tensor.
    divisors: Option<&'a [f32]>,
}

impl<'a> Keys<'a> {
    /// Those of the architecture that GGUF calls so. `shape_of` gives the shape of a tensor of the file, by its name there,
    /// and `divisors` are those of the frequencies of rotary positions.
    pub fn new(
        architecture: &'static str,
        metadata: &'a Metadata,
        shape_of: &'a dyn Fn(&str) -> Option<&'a [usize]>,
        divisors: Option<&'a [f32]>,
    ) -> Self {
        Self {
            architecture,
            metadata,
            shape_of,
            divisors,
        }
    }

    fn key(&self, name: &str) -> String {
        format!("{}.{name}", self.architecture)
    }

    /// A whole number, also as an array with the same one for each layer.
    ///
    /// # Errors
    /// Another value, or layers that differ.
    pub fn size(&self, name: &str) -> Result<Option<usize>, String> {
        let key = self.key(name);
        let Some(number) = self.metadata.uniform(&key)? else {
            return Ok(None);
        };
        match usize::try_from(number) {
            Ok(size) => Ok(Some(size)),
            Err(_) => Err(format!("{key} is {number}, which is absurd")),
        }
    }

    /// A whole number that must be there.
    ///
    /// # Errors
    /// Another value, or none.
    pub fn required(&self, name: &str) -> Result<usize, String> {
        self.size(name)?.ok_or_else(|| self.missing(name))
    }

    /// A number.
    ///
    /// # Errors
    /// Another value.
    pub fn number(&self, name: &str) -> Result<Option<f64>, String> {
        self.metadata.float(&self.key(name))
    }

    /// A number that must be there.
    ///
    /// # Errors
    /// Another value, or none.
    pub fn required_number(&self, name: &str) -> Result<f64, String> {
        self.number(name)?.ok_or_else(|| self.missing(name))
    }

    /// A truth value.
    ///
    /// # Errors
    /// Another value.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, String> {
        self.metadata.boolean(&self.key(name))
    }

    /// A text.
    ///
    /// # Errors
    /// Another value.
    pub fn text(&self, name: &str) -> Result<Option<&str>, String> {
        self.metadata.string(&self.key(name))
    }

    fn missing(&self, name: &str) -> String {
        format!(
            "{} is missing; download the file again, or another conversion of the model",
            self.key(name)
        )
    }

    /// Whether the file has the tensor `name`.
    pub fn has(&self, name: &str) -> bool {
        (self.shape_of)(name).is_some()
    }

    /// Whether the file has the weight of `name`.
    pub fn has_weight(&self, name: Name) -> bool {
        self.has(&format!("{}.weight", name.gguf))
    }

    /// Rows of the table `name`.
    ///
    /// # Errors
    /// No such tensor, or one that is no matrix.
    pub fn table_rows(&self, name: Name) -> Result<usize, String> {
        let name = format!("{}.weight", name.gguf);
        match (self.shape_of)(&name) {
            Some(&[rows, _]) => Ok(rows),
            Some(shape) => Err(format!("tensor {name} has shape {shape:?}")),
            None => Err(format!(
                "tensor {name} is missing; download the file again, or another conversion of the model"
            )),
        }
    }

    /// Rotary positions of heads of this width.
    ///
    /// A factor without a type of scaling is linear, as llama.cpp takes it, under either of its names.
    ///
    /// # Errors
    /// A scaling that is not computed here.
    pub fn rotary(&self, head_dim: usize) -> Result<Rotary, String> {
        let theta = self.number("rope.freq_base")?.unwrap_or(10_000.0);
        let turned = self.size("rope.dimension_count")?.unwrap_or(head_dim);
        if turned > head_dim {
            return Err(format!(
                "its rotary positions turn {turned} of {head_dim} channels of a head"
            ));
        }
        let factor = match self.number("rope.scaling.factor")? {
            Some(factor) => Some(factor),
            None => self.number("rope.scale_linear")?,
        };
        let linear = |factor: Option<f64>| match factor.filter(|&factor| factor != 0.0) {
            Some(1.0) | None => RotaryScaling::None,
            Some(factor) => RotaryScaling::Linear { factor },
        };
        let plain = Rotary {
            share: turned as f64 / head_dim as f64,
            ..Rotary::plain(theta)
        };
        let scaling = match (self.text("rope.scaling.type")?, self.divisors) {
            (Some("none"), None) => RotaryScaling::None,
            (None | Some("linear"), None) => linear(factor),
            (None | Some("none" | "linear"), Some(divisors)) => {
                let frequencies = plain.frequencies(head_dim);
                if frequencies.len() != divisors.len() {
                    return Err(format!(
                        "its scaled rotary frequencies (rope_freqs.weight) are {}, and a head has {}",
                        divisors.len(),
                        frequencies.len()
                    ));
                }
                RotaryScaling::from_divisors(&frequencies, divisors).ok_or(
                    "its scaled rotary frequencies (rope_freqs.weight) are not Llama 3's, which is not supported; use the model's .safetensors folder",
                )?
            }
            (Some(kind), _) => {
                return Err(format!(
                    "its rotary positions are scaled ({kind}), which is not supported; use a model without that"
                ));
            }
        };
        Ok(Rotary { scaling, ..plain })
    }

    /// The head width D: what the file says, or the channels divided among the heads.
    ///
    /// # Errors
    /// Keys and values of different widths, or channels that cannot be divided.
    pub fn head_dim(&self, hidden_size: usize, heads: usize) -> Result<usize, String> {
        let keys = self.size("attention.key_length")?;
        let values = self.size("attention.value_length")?;
        match (keys, values) {
            (Some(keys), Some(values)) if keys != values => Err(format!(
                "its keys have {keys} channels a head and its values {values}, which is not supported; use a model with as many of both"
            )),
            (Some(width), _) | (None, Some(width)) => Ok(width),
            (None, None) if heads > 0 && hidden_size.is_multiple_of(heads) => {
                Ok(hidden_size / heads)
            }
            (None, None) => Err(format!(
                "its {hidden_size} channels cannot be divided among {heads} heads"
            )),
        }
    }
}
