//! Weights in safetensors, whole and in parts with an index.

use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    fixtures::{Model, join, split},
    json::{any_key, damage, set, text_of},
    numbers::number,
    texts::odd_text,
    using::open_and_use,
};

/// A folder whose weights are damaged.
pub struct Safetensors {
    models: [(Model, Value, Vec<u8>); 2],
}

impl Safetensors {
    pub fn new() -> Self {
        let models = [Model::Llama, Model::Gpt2].map(|model| {
            let (header, data) = split(model.weights());
            (model, header, data)
        });
        Self { models }
    }
}

impl Target for Safetensors {
    fn draw(&self, random: &mut Random) -> Files {
        let (model, header, data) = random.pick(&self.models);
        let mut files = model.folder();
        let (mut header, mut data) = (header.clone(), data.clone());
        if random.once_in(4) {
            files.remove(1);
            files.extend(in_parts(random, &header, &data));
            return files;
        }
        let mut claimed = None;
        for _ in 0..1 + random.below(2) {
            match random.below(10) {
                0 => claimed = Some(number(random)),
                1 => data.truncate(random.below(data.len())),
                2 => data.extend(vec![random.byte(); random.below(64)]),
                3 => {
                    let reach = data.len();
                    wound(random, &mut data, reach);
                }
                4..8 => damage_entry(random, &mut header),
                _ => damage(random, &mut header, &[]),
            }
        }
        let header = text_of(random, &header);
        files[1].1 = join(&header, &data, claimed);
        files
    }

    fn attempt(&self, files: &Files) -> Outcome {
        open_and_use(files)
    }
}

/// One tensor's entry of a header.
pub fn damage_entry(random: &mut Random, header: &mut Value) {
    let Value::Object(map) = header else { return };
    if map.is_empty() {
        return;
    }
    let key = any_key(random, map);
    let entry = &mut map[&key];
    match random.below(7) {
        0 => set(
            entry,
            "dtype",
            json!(random.pick(&["F16", "BF16", "F64", "I64", "F8_E4M3", "BOOL", "U8"])),
        ),
        1 => set(entry, "shape", json!([number(random), number(random)])),
        2 => set(
            entry,
            "data_offsets",
            json!([number(random), number(random)]),
        ),
        3 => {
            if let Some(shape) = entry.get_mut("shape").and_then(Value::as_array_mut) {
                shape.reverse();
            }
        }
        4 => {
            if let Some(shape) = entry.get_mut("shape").and_then(Value::as_array_mut) {
                shape.insert(0, json!(1));
            }
        }
        5 => drop(map.remove(&key)),
        _ => {
            let copy = entry.clone();
            map.insert(odd_text(random), copy);
        }
    }
}

/// The same weights in two files, one tensor here and one there, with an index that may be wrong about all.
fn in_parts(random: &mut Random, header: &Value, data: &[u8]) -> Files {
    let names = [
        "model-00001-of-00002.safetensors",
        "model-00002-of-00002.safetensors",
    ];
    let mut parts = [(json!({}), Vec::new()), (json!({}), Vec::new())];
    let mut places = json!({});
    let tensors = header.as_object().into_iter().flatten();
    for (at, (name, entry)) in tensors
        .filter(|(name, _)| *name != "__metadata__")
        .enumerate()
    {
        let offsets =
            |which: usize| entry["data_offsets"][which].as_u64().unwrap_or_default() as usize;
        let bytes = &data[offsets(0)..offsets(1)];
        let (header, data) = &mut parts[at % 2];
        let mut entry = entry.clone();
        set(
            &mut entry,
            "data_offsets",
            json!([data.len(), data.len() + bytes.len()]),
        );
        data.extend(bytes);
        set(header, name, entry);
        set(&mut places, name, json!(names[at % 2]));
    }
    let mut index = json!({"metadata": {"total_size": data.len()}, "weight_map": places});
    for _ in 0..random.below(3) {
        let ideas = [
            json!(names[0]),
            json!(names[1]),
            json!("model-00003-of-00002.safetensors"),
        ];
        damage(random, &mut index, &ideas);
    }
    if random.once_in(3) {
        damage_entry(random, &mut parts[0].0);
    }
    let index = text_of(random, &index);
    let mut files: Files = parts
        .into_iter()
        .zip(names)
        .map(|((header, data), name)| {
            (
                name.to_owned(),
                join(header.to_string().as_bytes(), &data, None),
            )
        })
        .collect();
    files.push(("model.safetensors.index.json".into(), index));
    if random.once_in(8) {
        files.remove(random.below(files.len()));
    }
    files
}
