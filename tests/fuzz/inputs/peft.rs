//! Adapters as PEFT writes them.

use riemann_lora::{
    model::Base,
    peft::{self, CONFIG_FILE, Merged, Precision, WEIGHTS_FILE},
    train::Session,
};
use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    file,
    fixtures::{Model, golden, join, json_of, split},
    json::{damage, odd_value, set, text_of},
    numbers::number,
    safetensors::damage_entry,
    using::{small_batch, two_runs, words},
};

/// An adapter's two files, and the base they are read for.
pub struct Peft {
    bases: [Base; 2],
    adapters: Vec<Adapter>,
}

struct Adapter {
    is_gpt2: bool,
    config: Value,
    header: Value,
    data: Vec<u8>,
}

/// Says whether the base is the GPT-2.
const BASE: &str = "base.txt";
const GPT2: &[u8] = b"gpt2";

macro_rules! adapter {
    ($path:literal) => {
        (
            golden!($path, "/adapter_config.json"),
            golden!($path, "/adapter_model.safetensors"),
        )
    };
}

const FIELDS: &[&str] = &[
    "alora_invocation_tokens",
    "alpha_pattern",
    "bias",
    "exclude_modules",
    "fan_in_fan_out",
    "init_lora_weights",
    "layer_replication",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_bias",
    "megatron_config",
    "modules_to_save",
    "peft_type",
    "r",
    "rank_pattern",
    "target_modules",
    "target_parameters",
    "task_type",
    "trainable_token_indices",
    "use_dora",
    "use_qalora",
    "use_rslora",
];

impl Peft {
    pub fn new() -> Self {
        let files = [
            (false, adapter!("llama/adapter_random")),
            (false, adapter!("llama/adapter_init")),
            (true, adapter!("gpt2/adapter_random")),
            (true, adapter!("gpt2/after_adamw")),
        ];
        let adapters = files.map(|(is_gpt2, (config, weights))| {
            let (header, data) = split(weights);
            Adapter {
                is_gpt2,
                config: json_of(config),
                header,
                data,
            }
        });
        Self {
            bases: [Model::Llama.base().0, Model::Gpt2.base().0],
            adapters: adapters.into(),
        }
    }
}

impl Target for Peft {
    fn draw(&self, random: &mut Random) -> Files {
        let adapter = random.pick(&self.adapters);
        let mut config = adapter.config.clone();
        let (mut header, mut data) = (adapter.header.clone(), adapter.data.clone());
        for _ in 0..random.below(3) {
            change_config(random, &mut config);
        }
        for _ in 0..random.below(3) {
            match random.below(6) {
                0 => damage(random, &mut header, &[]),
                1 => data.truncate(random.below(data.len())),
                2 => {
                    let reach = data.len();
                    wound(random, &mut data, reach);
                }
                3 => halve(random, &mut header, &mut data),
                4 => damage_entry(random, &mut header),
                _ => {}
            }
        }
        let claimed = random.once_in(12).then(|| number(random));
        let header = text_of(random, &header);
        let mut weights = join(&header, &data, claimed);
        if random.once_in(8) {
            wound(random, &mut weights, 3000);
        }
        let is_gpt2 = adapter.is_gpt2 != random.once_in(16);
        let base = if is_gpt2 { GPT2 } else { b"llama" };
        vec![
            (CONFIG_FILE.into(), text_of(random, &config)),
            (WEIGHTS_FILE.into(), weights),
            (BASE.into(), base.into()),
        ]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let base = &self.bases[usize::from(file(files, BASE) == GPT2)];
        let (config, weights) = (file(files, CONFIG_FILE), file(files, WEIGHTS_FILE));
        let read = peft::read(config, weights, &base.config, &base.device).map_err(words)?;
        if Random::of(files).once_in(10) {
            use_adapter(&read.adapters, base);
        }
        Ok(())
    }
}

fn change_config(random: &mut Random, config: &mut Value) {
    let ideas = [
        json!(["q_proj", "v_proj"]),
        json!(["c_attn"]),
        json!({"q_proj": number(random)}),
        json!({"layers.0.self_attn.q_proj": 2, "c_attn": 2}),
        json!({".*q_proj": 16}),
        json!("all-linear"),
        json!(".*\\.(q|v)_proj"),
        json!("(a+)+$"),
        json!([0]),
        json!(true),
        json!(number(random) % 40),
    ];
    if random.once_in(2) {
        return damage(random, config, &ideas);
    }
    let new = if random.once_in(3) {
        odd_value(random)
    } else {
        random.pick(&ideas).clone()
    };
    set(config, random.text(FIELDS), new);
}

/// All tensors in half precision.
fn halve(random: &mut Random, header: &mut Value, data: &mut Vec<u8>) {
    let kind = *random.pick(&["F16", "BF16"]);
    let mut end = 0;
    let entries = header.as_object_mut().into_iter().flatten();
    for (_, entry) in entries.filter(|(name, _)| *name != "__metadata__") {
        let offset = |which: usize| entry["data_offsets"][which].as_u64().unwrap_or_default();
        let length = offset(1).saturating_sub(offset(0)) / 2;
        set(entry, "dtype", json!(kind));
        set(entry, "data_offsets", json!([end, end + length]));
        end = end.saturating_add(length);
    }
    data.truncate(end as usize);
}

/// An adapter that was read can be written, merged, and trained on.
fn use_adapter(adapters: &riemann_lora::model::Adapters, base: &Base) {
    let written = pollster::block_on(peft::write(adapters, 0, &base.config, "x", 0.0))
        .expect("it can be written");
    let again = peft::read(
        &written.config,
        &written.weights,
        &base.config,
        &base.device,
    );
    assert_eq!(
        again.expect("what was written can be read").adapters.shape,
        adapters.shape
    );
    pollster::block_on(peft::write_gguf(
        adapters,
        0,
        &base.config,
        "x",
        Precision::F16,
    ))
    .expect("it can be written");
    let merged = Merged::new(base, adapters, 0, Precision::F16);
    merged.header().expect("a merged model has a header");
    for piece in 0..merged.pieces() {
        pollster::block_on(merged.piece(piece)).expect("a merged model has all pieces");
    }
    let mut settings = two_runs(&adapters.shape.targets);
    settings.rank = adapters.shape.rank as u32;
    settings.alpha = adapters.shape.alpha;
    settings.use_rslora = adapters.shape.use_rslora;
    let runs = settings.runs.len();
    let mut session = Session::with_adapters(base, settings, adapters.repeated(runs));
    pollster::block_on(session.step(base, &small_batch())).expect("it trains");
}
