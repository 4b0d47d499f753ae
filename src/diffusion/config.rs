//! The shape of a text-to-image model.

use serde::{Deserialize, Serialize};

use crate::model::ConfigError;

/// Colours of a pixel.
pub const CHANNELS: usize = 3;

/// The shape of a text-to-image model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffusionConfig {
    /// Width and height of a picture in pixels.
    pub image_size: usize,
    /// Width and height of a patch in pixels.
    pub patch_size: usize,
    /// Rows of the table of words: one for no word, the spare ones, and the known words.
    pub vocab_size: usize,
    /// Places of a caption; shorter captions are filled up with no word.
    pub caption_length: usize,
    /// Channels of text encoder and denoiser, C.
    pub hidden_size: usize,
    /// Inner channels of the feed-forward layers.
    pub intermediate_size: usize,
    /// Heads of attention, H.
    pub num_attention_heads: usize,
    /// Blocks of the text encoder.
    pub text_layers: usize,
    /// Blocks of the denoiser.
    pub denoiser_layers: usize,
}

impl DiffusionConfig {
    /// Patches of a picture, P.
    pub fn patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }

    /// Values of a patch.
    pub fn patch_values(&self) -> usize {
        self.patch_size.pow(2) * CHANNELS
    }

    /// Values of a picture.
    pub fn picture_values(&self) -> usize {
        self.image_size.pow(2) * CHANNELS
    }

    /// Checks that the numbers make a model.
    ///
    /// # Errors
    /// The first one out of range.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let wrong = |field, value: usize, expected| {
            Err(ConfigError {
                field,
                value: value.to_string(),
                expected,
            })
        };
        for (field, value, largest) in [
            ("image_size", self.image_size, 256),
            ("patch_size", self.patch_size, 64),
            ("vocab_size", self.vocab_size, 1 << 20),
            ("caption_length", self.caption_length, 256),
            ("hidden_size", self.hidden_size, 4096),
            ("intermediate_size", self.intermediate_size, 16384),
            ("num_attention_heads", self.num_attention_heads, 128),
            ("text_layers", self.text_layers, 64),
            ("denoiser_layers", self.denoiser_layers, 64),
        ] {
            if value == 0 || value > largest {
                return wrong(
                    field,
                    value,
                    "it must be at least 1 and of a size that can be computed",
                );
            }
        }
        if !self.image_size.is_multiple_of(self.patch_size) {
            return wrong("patch_size", self.patch_size, "it must divide image_size");
        }
        if !self
            .hidden_size
            .is_multiple_of(2 * self.num_attention_heads)
        {
            return wrong(
                "num_attention_heads",
                self.num_attention_heads,
                "hidden_size must be a multiple of twice as many",
            );
        }
        Ok(())
    }
}
