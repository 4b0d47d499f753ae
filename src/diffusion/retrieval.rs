//! Which real picture a drawn one is nearest to, in a feature space that is fixed: nothing in it is learned.

use super::config::CHANNELS;

/// Cells across, in each of which the mean colour is taken.
const COLOUR_CELLS: usize = 6;
/// Cells across, in each of which edges are counted by their direction.
const EDGE_CELLS: usize = 3;
/// Directions of edges, which have no sign.
const DIRECTIONS: usize = 4;
/// Edges weigh so much beside colours: with it both have about the same share of the distance between two icons.
const EDGE_WEIGHT: f32 = 2.0;

/// Mean colours of 6×6 cells, and in 3×3 cells the strength of edges in four directions.
///
/// # Shapes
/// - `picture`: [size, size, 3], bytes of sRGB
/// - result: [6·6·3 + 3·3·4]
pub fn features(picture: &[u8], size: usize) -> Vec<f32> {
    let mut colours = vec![0.0; COLOUR_CELLS * COLOUR_CELLS * CHANNELS];
    let mut edges = vec![0.0; EDGE_CELLS * EDGE_CELLS * DIRECTIONS];
    let cell = |place: usize, cells: usize| place * cells / size;
    let grey = |x: usize, y: usize| -> f32 {
        let at = (y * size + x) * CHANNELS;
        let pixel = &picture[at..at + CHANNELS];
        pixel.iter().map(|value| f32::from(*value)).sum::<f32>() / (255.0 * CHANNELS as f32)
    };
    let pixels_a_cell = (size / COLOUR_CELLS).pow(2) as f32;
    for y in 0..size {
        for x in 0..size {
            let at = cell(y, COLOUR_CELLS) * COLOUR_CELLS + cell(x, COLOUR_CELLS);
            for channel in 0..CHANNELS {
                let value = f32::from(picture[(y * size + x) * CHANNELS + channel]) / 255.0;
                colours[at * CHANNELS + channel] += value / pixels_a_cell;
            }
            if x == 0 || y == 0 || x + 1 == size || y + 1 == size {
                continue;
            }
            let (dx, dy) = (
                grey(x + 1, y) - grey(x - 1, y),
                grey(x, y + 1) - grey(x, y - 1),
            );
            let half_turns = libm::atan2f(dy, dx) / std::f32::consts::PI;
            let direction = (half_turns * DIRECTIONS as f32).round() as i32;
            let direction = direction.rem_euclid(DIRECTIONS as i32) as usize;
            let at = cell(y, EDGE_CELLS) * EDGE_CELLS + cell(x, EDGE_CELLS);
            let strength = libm::hypotf(dx, dy) * EDGE_WEIGHT;
            edges[at * DIRECTIONS + direction] += strength / (size / EDGE_CELLS).pow(2) as f32;
        }
    }
    colours.extend(edges);
    colours
}

/// Real pictures, each one once, with all captions that it has.
#[derive(Debug, Clone)]
pub struct Gallery {
    size: usize,
    pictures: Vec<(Vec<f32>, Vec<String>)>,
}

impl Gallery {
    /// Of pictures with captions; those with the same features are one.
    pub fn new<'a>(entries: impl IntoIterator<Item = (&'a str, Vec<u8>)>, size: usize) -> Self {
        let mut pictures: Vec<(Vec<f32>, Vec<String>)> = Vec::new();
        for (caption, picture) in entries {
            let found = features(&picture, size);
            match pictures.iter_mut().find(|(known, _)| *known == found) {
                Some((_, captions)) => captions.push(caption.to_owned()),
                None => pictures.push((found, vec![caption.to_owned()])),
            }
        }
        Self { size, pictures }
    }

    /// Different pictures.
    pub fn len(&self) -> usize {
        self.pictures.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pictures.is_empty()
    }

    /// How many of the real pictures are nearer to `picture` than the nearest one that is called `caption`: 0 is a hit.
    /// `None` where no picture has this caption.
    pub fn rank(&self, picture: &[u8], caption: &str) -> Option<usize> {
        let found = features(picture, self.size);
        let distance = |features: &[f32]| -> f32 {
            let pairs = features.iter().zip(&found);
            pairs.map(|(one, other)| (one - other).powi(2)).sum()
        };
        let is_called = |captions: &[String]| captions.iter().any(|other| other == caption);
        let right = self
            .pictures
            .iter()
            .filter(|(_, captions)| is_called(captions))
            .map(|(features, _)| distance(features))
            .min_by(f32::total_cmp)?;
        let nearer = |(features, _): &&(Vec<f32>, Vec<String>)| distance(features) < right;
        Some(self.pictures.iter().filter(nearer).count())
    }
}

/// Shares of drawn pictures that were found, and what chance would find.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Retrieval {
    /// Drawn pictures.
    pub drawn: usize,
    /// Real pictures that could have been the nearest.
    pub gallery: usize,
    /// Share whose nearest real picture has the right caption.
    pub first: f64,
    /// Share whose right picture is among the five nearest.
    pub first_five: f64,
    /// `first` of a picture that is chosen blindly.
    pub chance: f64,
}

impl Retrieval {
    /// Of ranks from [`Gallery::rank`].
    pub fn new(ranks: &[usize], gallery: &Gallery) -> Self {
        let share = |below: usize| {
            let found = ranks.iter().filter(|rank| **rank < below).count();
            found as f64 / ranks.len().max(1) as f64
        };
        Self {
            drawn: ranks.len(),
            gallery: gallery.len(),
            first: share(1),
            first_five: share(5),
            chance: 1.0 / gallery.len().max(1) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: usize = 12;

    /// A bar of one colour on white: `across` from side to side, else from top to bottom.
    fn bar(colour: [u8; 3], across: bool) -> Vec<u8> {
        let pixels = (0..SIZE * SIZE).flat_map(|index| {
            let place = if across { index / SIZE } else { index % SIZE };
            if (4..8).contains(&place) {
                colour
            } else {
                [255; 3]
            }
        });
        pixels.collect()
    }

    fn gallery() -> Gallery {
        let entries = [
            ("red across", bar([255, 0, 0], true)),
            ("red", bar([255, 0, 0], true)),
            ("blue across", bar([0, 0, 255], true)),
            ("red down", bar([255, 0, 0], false)),
        ];
        Gallery::new(entries, SIZE)
    }

    #[test]
    fn features_are_colours_and_edges() {
        let found = features(&bar([255, 0, 0], true), SIZE);
        assert_eq!(found.len(), 144);
        // The first row of cells is white, the third is in the bar.
        assert_eq!(found[..3], [1.0; 3]);
        assert_eq!(found[2 * 18..2 * 18 + 3], [1.0, 0.0, 0.0]);
        // An edge across has a gradient up or down, which is the third of the directions; 2/3 over 4 pixels of each of
        // two rows that see it, in a cell of 16: two times 3 inner pixels at the left.
        let edges = &found[108..];
        let strength = 2.0 * 2.0 / 3.0 * 3.0 / 16.0;
        assert!((edges[2] - strength).abs() < 1e-6, "{edges:?}");
        assert_eq!(edges[0], 0.0);
    }

    #[test]
    fn the_nearest_picture_is_that_of_the_same_colour_and_shape() {
        let gallery = gallery();
        assert_eq!(gallery.len(), 3);
        let drawn = bar([230, 30, 20], true);
        assert_eq!(gallery.rank(&drawn, "red across"), Some(0));
        assert_eq!(gallery.rank(&drawn, "red"), Some(0));
        assert!(gallery.rank(&drawn, "blue across") > Some(0));
        assert_eq!(gallery.rank(&drawn, "green"), None);
    }

    #[test]
    fn shares_are_of_ranks() {
        let found = Retrieval::new(&[0, 3, 7, 0], &gallery());
        assert_eq!((found.first, found.first_five), (0.5, 0.75));
        assert_eq!(found.chance, 1.0 / 3.0);
    }
}
