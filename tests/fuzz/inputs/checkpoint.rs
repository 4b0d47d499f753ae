//! Checkpoints of sessions.

use riemann_lora::{
    model::{Base, Target as Layer},
    train::Session,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    Files, Outcome, Random, Target,
    bytes::wound,
    file,
    fixtures::{Model, join, split},
    json::{damage, set, text_of},
    safetensors::damage_entry,
    using::{small_batch, two_runs, words},
};

/// A checkpoint, with a digest that belongs to it or not.
pub struct Checkpoints {
    base: Base,
    header: Value,
    data: Vec<u8>,
}

const NAME: &str = "checkpoint";
/// Where the state stands in the header.
const STATE: &str = "riemann_lora_session";
const DIGEST: usize = 32;

impl Checkpoints {
    pub fn new() -> Self {
        let base = Model::Llama.base().0;
        let mut settings = two_runs(&[Layer::QProj]);
        settings.steps = 100;
        let mut session = Session::new(&base, settings).expect("the settings are sound");
        for _ in 0..2 {
            pollster::block_on(session.step(&base, &small_batch())).expect("it trains");
        }
        let saved = pollster::block_on(session.checkpoint()).expect("it can be saved");
        let (header, data) = split(&saved[..saved.len() - DIGEST]);
        Self { base, header, data }
    }
}

impl Target for Checkpoints {
    fn draw(&self, random: &mut Random) -> Files {
        let (mut header, mut data) = (self.header.clone(), self.data.clone());
        let text = header["__metadata__"][STATE].as_str().unwrap_or_default();
        let mut state: Value = serde_json::from_str(text).expect("a state is JSON");
        for _ in 0..random.below(4) {
            match random.below(9) {
                0 => damage(random, &mut header, &[]),
                1 => damage_entry(random, &mut header),
                2 => {
                    let reach = data.len();
                    wound(random, &mut data, reach);
                }
                3 => {
                    let ideas = [
                        json!(u32::MAX),
                        json!(100),
                        json!(99),
                        json!([1, null]),
                        json!([null, null, null]),
                    ];
                    let name = *random.pick(&["step", "diverged_at"]);
                    set(&mut state, name, random.pick(&ideas).clone());
                }
                _ => damage(
                    random,
                    &mut state,
                    &[json!(["o_proj"]), json!(3), json!(1e-45)],
                ),
            }
        }
        if let Some(metadata) = header.get_mut("__metadata__") {
            set(metadata, STATE, json!(state.to_string()));
        }
        let header = text_of(random, &header);
        let mut bytes = join(&header, &data, None);
        // What a disk does is found by the digest; what a program wrote has the right one.
        let digest = Sha256::digest(&bytes);
        bytes.extend(digest);
        if random.once_in(8) {
            let reach = bytes.len();
            wound(random, &mut bytes, reach);
        }
        vec![(NAME.into(), bytes)]
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let mut session = Session::resume(&self.base, file(files, NAME)).map_err(words)?;
        if !Random::of(files).once_in(8) {
            return Ok(());
        }
        let saved = pollster::block_on(session.checkpoint()).expect("it can be saved again");
        Session::resume(&self.base, &saved).expect("its own checkpoint can be resumed");
        if !session.is_finished() {
            pollster::block_on(session.step(&self.base, &small_batch())).map_err(words)?;
        }
        Ok(())
    }
}
