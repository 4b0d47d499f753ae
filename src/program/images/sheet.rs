//! Pictures side by side in one PNG file.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use anyhow::{Context, Result};

/// Pixels between pictures.
const GAP: usize = 1;
/// Grey of the gaps.
const GROUND: u8 = 208;

/// Writes pictures row by row, each pixel `zoom` times as wide and high.
///
/// # Shapes
/// - each of `pictures`: [size, size, 3]
pub fn write(
    path: &Path,
    pictures: &[Vec<u8>],
    size: usize,
    columns: usize,
    zoom: usize,
) -> Result<()> {
    let (cell, rows) = (size + GAP, pictures.len().div_ceil(columns));
    let (width, height) = (columns * cell + GAP, rows * cell + GAP);
    let mut pixels = vec![GROUND; width * height * 3];
    for (index, picture) in pictures.iter().enumerate() {
        let left = index % columns * cell + GAP;
        let top = index / columns * cell + GAP;
        for (y, row) in picture.chunks_exact(size * 3).enumerate() {
            let at = ((top + y) * width + left) * 3;
            pixels[at..at + row.len()].copy_from_slice(row);
        }
    }
    let zoomed: Vec<u8> = (0..height * zoom)
        .flat_map(|y| (0..width * zoom).map(move |x| (y / zoom * width + x / zoom) * 3))
        .flat_map(|at| [pixels[at], pixels[at + 1], pixels[at + 2]])
        .collect();
    let file = File::create(path).with_context(|| path.display().to_string())?;
    let (width, height) = ((width * zoom) as u32, (height * zoom) as u32);
    let mut encoder = png::Encoder::new(BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&zoomed)?;
    writer.finish().with_context(|| path.display().to_string())
}
