//! Pictures with captions, in a file and as the patches that the model computes with.

use safetensors::{Dtype, SafeTensors};

use super::config::{CHANNELS, DiffusionConfig};

/// Why pictures cannot be read: cause and way out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct PicturesError(String);

/// Pictures with captions.
#[derive(Debug, Clone, PartialEq)]
pub struct Pictures {
    /// One caption a picture.
    pub captions: Vec<String>,
    /// Each as [P, patch values], from -1, black, to 1, white.
    pub patches: Vec<Vec<f32>>,
    /// So many of the last ones are not to be trained on.
    pub validation: usize,
}

impl Pictures {
    /// Reads a file of `scripts/make-icons`: `pictures` [N, size, size, 3] of bytes, captions in the metadata.
    ///
    /// # Errors
    /// Bytes that are no such file, or pictures of another size.
    pub fn read(bytes: &[u8], config: &DiffusionConfig) -> Result<Self, PicturesError> {
        let way_out = "make the file again with scripts/make-icons";
        let no_file =
            |error: &dyn ToString| PicturesError(format!("{}; {way_out}", error.to_string()));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|e| no_file(&e))?;
        let file = SafeTensors::deserialize(bytes).map_err(|e| no_file(&e))?;
        let view = file.tensor("pictures").map_err(|e| no_file(&e))?;
        let entry = |name: &str| {
            let entries = metadata.metadata().as_ref();
            let value = entries.and_then(|entries| entries.get(name));
            value.ok_or_else(|| no_file(&format!("its metadata has no {name}")))
        };
        let captions: Vec<String> =
            serde_json::from_str(entry("captions")?).map_err(|e| no_file(&e))?;
        let validation = entry("validation")?.parse().map_err(|e| no_file(&e))?;
        let size = config.image_size;
        if view.dtype() != Dtype::U8 || view.shape() != [captions.len(), size, size, CHANNELS] {
            return Err(no_file(&format!(
                "pictures are {:?} {:?}, and {} captions need U8 [{2}, {size}, {size}, {CHANNELS}]",
                view.dtype(),
                view.shape(),
                captions.len()
            )));
        }
        Self::new(captions, view.data(), validation, config)
    }

    /// Pictures of `pixels` [N, size, size, 3], bytes of sRGB. The last `validation` of them are not to be trained on.
    ///
    /// # Errors
    /// Another number of bytes than the captions need, or more pictures for validation than there are.
    pub fn new(
        captions: Vec<String>,
        pixels: &[u8],
        validation: usize,
        config: &DiffusionConfig,
    ) -> Result<Self, PicturesError> {
        let (values, size) = (config.picture_values(), config.image_size);
        if Some(pixels.len()) != values.checked_mul(captions.len()) {
            return Err(PicturesError(format!(
                "there are {} bytes, and {} captions need pictures of {size}×{size} pixels with {CHANNELS} bytes each; give one such picture for each caption",
                pixels.len(),
                captions.len()
            )));
        }
        if validation > captions.len() {
            return Err(PicturesError(format!(
                "{validation} pictures are for validation, and there are {}; choose fewer",
                captions.len()
            )));
        }
        let pictures = pixels.chunks_exact(values);
        Ok(Self {
            patches: pictures
                .map(|picture| to_patches(picture, config))
                .collect(),
            captions,
            validation,
        })
    }

    /// Those that are trained on.
    pub fn train(&self) -> std::ops::Range<usize> {
        0..self.captions.len() - self.validation
    }

    /// Those that are not.
    pub fn validation(&self) -> std::ops::Range<usize> {
        self.captions.len() - self.validation..self.captions.len()
    }
}

/// For each value of the patches, in their order, where it is among the bytes of a picture: patches row by row, and in
/// each its pixels row by row.
fn places(config: &DiffusionConfig) -> impl Iterator<Item = usize> + use<> {
    let (size, patch) = (config.image_size, config.patch_size);
    let across = size / patch;
    (0..size * size * CHANNELS).map(move |index| {
        let (channel, pixel) = (index % CHANNELS, index / CHANNELS);
        let (x, y) = (pixel % patch, pixel / patch % patch);
        let number = pixel / (patch * patch);
        let (left, top) = (number % across * patch, number / across * patch);
        ((top + y) * size + left + x) * CHANNELS + channel
    })
}

/// Bytes of sRGB to values from -1 to 1.
///
/// # Shapes
/// - `picture`: [size, size, 3]
/// - result: [P, patch values]
pub fn to_patches(picture: &[u8], config: &DiffusionConfig) -> Vec<f32> {
    places(config)
        .map(|place| f32::from(picture[place]) / 127.5 - 1.0)
        .collect()
}

/// The inverse of [`to_patches`]; values beyond -1 and 1 are cut off.
///
/// # Shapes
/// - `patches`: [P, patch values]
/// - result: [size, size, 3]
pub fn from_patches(patches: &[f32], config: &DiffusionConfig) -> Vec<u8> {
    let mut picture = vec![0; config.picture_values()];
    for (place, value) in places(config).zip(patches) {
        picture[place] = ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8;
    }
    picture
}
