//! Files of the text-to-image model: weights, adapters, pictures with captions, lists of words.

use burn::tensor::Device;
use riemann_lora::diffusion::{
    DiffusionConfig, DiffusionModel, DiffusionWeights, Pictures, Words, adapter_file,
};
use riemann_lora::{model::Target as Layer, train::Session};
use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    file, file_beside,
    fixtures::{join, split},
    json::{damage, set, text_of},
    numbers::number,
    safetensors::damage_entry,
    texts::odd_text,
    using::{two_runs, words},
};

/// One of the files, by its name.
pub struct PictureFiles {
    model: DiffusionModel,
    /// Name, header and data of sound ones.
    sound: Vec<(&'static str, Value, Vec<u8>)>,
}

const CONFIG: &str = "config.json";
const WEIGHTS: &str = "model.safetensors";
const ADAPTER: &str = "adapter.safetensors";
const PICTURES: &str = "pictures.safetensors";
const WORDS: &str = "words.txt";

fn config() -> DiffusionConfig {
    DiffusionConfig {
        image_size: 8,
        patch_size: 4,
        vocab_size: 20,
        caption_length: 4,
        hidden_size: 16,
        intermediate_size: 32,
        num_attention_heads: 2,
        text_layers: 1,
        denoiser_layers: 1,
    }
}

impl PictureFiles {
    pub fn new() -> Self {
        let weights =
            DiffusionWeights::new(&config(), 1, &Device::default()).expect("the shape is sound");
        let bytes = pollster::block_on(weights.to_safetensors()).expect("it can be written");
        let model = weights.model();
        let settings = two_runs(&[Layer::QProj, Layer::UpProj]);
        let session = Session::new(&model, settings).expect("the settings are sound");
        let adapter = adapter_file::write(&model, session.adapters(), 0, "icons");
        let adapter = pollster::block_on(adapter).expect("it can be written");
        let size = config().image_size;
        let pixels = vec![7u8; 3 * size * size * 3];
        let pictures = json!({
            "__metadata__": {"captions": "[\"a\", \"red b\", \"c\"]", "validation": "1"},
            "pictures": {"dtype": "U8", "shape": [3, size, size, 3], "data_offsets": [0, pixels.len()]},
        });
        let [(weights, weight_data), (adapter, adapter_data)] = [split(&bytes), split(&adapter)];
        Self {
            model,
            sound: vec![
                (WEIGHTS, weights, weight_data),
                (ADAPTER, adapter, adapter_data),
                (PICTURES, pictures, pixels),
            ],
        }
    }

    fn read(&self, name: &str, bytes: &[u8], config: &DiffusionConfig) -> Outcome {
        match name {
            WEIGHTS => {
                let weights =
                    DiffusionWeights::read(config, bytes, &self.model.device).map_err(words)?;
                assert!(weights.parameters() > 0);
            }
            ADAPTER => {
                let read = adapter_file::read(&self.model, bytes).map_err(words)?;
                let again = adapter_file::write(&self.model, &read.adapters, 0, "icons");
                pollster::block_on(again).expect("what was read can be written");
            }
            PICTURES => {
                let pictures = Pictures::read(bytes, config).map_err(words)?;
                assert_eq!(pictures.captions.len(), pictures.patches.len());
                assert!(pictures.train().end <= pictures.captions.len());
            }
            _ => {
                let text = std::str::from_utf8(bytes).map_err(words)?;
                let list = Words::new(text);
                let captions = text.lines().map(str::to_owned).collect::<Vec<_>>();
                list.alike(&captions, config.caption_length);
                assert!(list.table_rows() >= list.list().len());
            }
        }
        Ok(())
    }
}

impl Target for PictureFiles {
    fn draw(&self, random: &mut Random) -> Files {
        let mut shape = serde_json::to_value(config()).expect("a shape is JSON");
        if random.once_in(6) {
            let size = json!(number(random) % 99);
            damage(random, &mut shape, &[size]);
        }
        let shape = (CONFIG.to_owned(), shape.to_string().into_bytes());
        if random.once_in(8) {
            let list: Vec<String> = (0..random.below(30)).map(|_| odd_text(random)).collect();
            return vec![shape, (WORDS.into(), list.join("\n").into_bytes())];
        }
        let (name, header, data) = random.pick(&self.sound);
        let (mut header, mut data) = (header.clone(), data.clone());
        for _ in 0..random.below(3) {
            match random.below(6) {
                0 => damage(random, &mut header, &[]),
                1 => data.truncate(random.below(data.len())),
                2 => {
                    let reach = data.len();
                    wound(random, &mut data, reach);
                }
                3 | 4 => damage_entry(random, &mut header),
                _ => damage_metadata(random, &mut header),
            }
        }
        let claimed = random.once_in(12).then(|| number(random));
        let header = text_of(random, &header);
        vec![shape, ((*name).into(), join(&header, &data, claimed))]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let config: DiffusionConfig = serde_json::from_slice(file(files, CONFIG)).map_err(words)?;
        config.validate().map_err(words)?;
        let (name, bytes) = file_beside(files, &[CONFIG]);
        self.read(name, bytes, &config)
    }
}

/// JSON in a text of the header, as adapters and captions have it.
fn damage_metadata(random: &mut Random, header: &mut Value) {
    let Some(Value::Object(metadata)) = header.get_mut("__metadata__") else {
        return;
    };
    let Some(name) = metadata.keys().next().cloned() else {
        return;
    };
    let text = metadata[&name].as_str().unwrap_or_default();
    let mut inner: Value = serde_json::from_str(text).unwrap_or_default();
    let ideas = [json!(number(random)), json!(["q_proj"])];
    damage(random, &mut inner, &ideas);
    set(&mut header["__metadata__"], &name, json!(inner.to_string()));
}
