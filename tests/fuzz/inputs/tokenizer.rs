//! tokenizer.json and the small files beside it.

use riemann_lora::load::{Tokenizer, TokenizerExtras};
use serde_json::{Value, json};

use super::{
    Files, Outcome, Random, Target, file,
    fixtures::{TOKENIZER, json_of},
    json::{damage, odd_value, set, text_of},
    numbers::number,
    texts::odd_text,
    using::{use_tokenizer, words},
};

/// A folder's tokenizer.
pub struct TokenizerFiles;

const NAME: &str = "tokenizer.json";
const CONFIG: &str = "tokenizer_config.json";
const GENERATION: &str = "generation_config.json";

/// A tokenizer of all bytes that is read in a moment.
fn small() -> Value {
    let whole = json_of(TOKENIZER);
    let vocab = whole["model"]["vocab"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let few = vocab
        .into_iter()
        .filter(|(_, id)| id.as_u64().is_some_and(|id| id < 300));
    let few: Value = few.collect::<serde_json::Map<_, _>>().into();
    let mut small = whole.clone();
    let merges = whole["model"]["merges"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let has = |text: &Value| few.get(text.as_str().unwrap_or_default()).is_some();
    let known = merges.into_iter().filter(|merge| match merge {
        Value::Array(pair) => {
            let joined: String = pair.iter().filter_map(Value::as_str).collect();
            pair.iter().all(has) && few.get(joined).is_some()
        }
        _ => false,
    });
    small["model"]["merges"] = known.collect();
    small["model"]["vocab"] = few;
    small
}

impl Target for TokenizerFiles {
    fn draw(&self, random: &mut Random) -> Files {
        let mut files = Files::new();
        let mut tokenizer = if random.once_in(8) {
            json_of(TOKENIZER)
        } else {
            small()
        };
        let which = random.below(12);
        if which < 10 {
            for _ in 0..1 + random.below(3) {
                change(random, &mut tokenizer);
            }
        }
        files.push((NAME.into(), text_of(random, &tokenizer)));
        if which >= 8 {
            let mut config = json!({
                "bos_token": "<|endoftext|>", "eos_token": {"content": "<|endoftext|>"}, "pad_token": null, "add_bos_token": true,
                "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}",
                "added_tokens_decoder": {"7": {"content": "<x>", "special": true}},
                "eos_token_id": [0, 1], "bos_token_id": 0,
            });
            damage(random, &mut config, &[]);
            damage(random, &mut config, &[]);
            let name = *random.pick(&[CONFIG, GENERATION]);
            files.push((name.into(), text_of(random, &config)));
        }
        files
    }

    fn attempt(&self, files: &Files) -> Outcome {
        let some = |name| {
            files
                .iter()
                .any(|(other, _)| other == name)
                .then(|| file(files, name))
        };
        let extras = TokenizerExtras {
            tokenizer_config: some(CONFIG),
            generation_config: some(GENERATION),
            ..TokenizerExtras::default()
        };
        let tokenizer = Tokenizer::from_json(file(files, NAME), &extras).map_err(words)?;
        use_tokenizer(&tokenizer, &mut Random::of(files), 8);
        Ok(())
    }
}

fn change(random: &mut Random, tokenizer: &mut Value) {
    let parts = parts(random);
    match random.below(9) {
        0 => set(tokenizer, "normalizer", random.pick(&parts).clone()),
        1 => set(tokenizer, "pre_tokenizer", random.pick(&parts).clone()),
        2 => set(tokenizer, "decoder", random.pick(&parts).clone()),
        3 => set(tokenizer, "post_processor", random.pick(&parts).clone()),
        4 => {
            let names = [
                "unk_token",
                "fuse_unk",
                "byte_fallback",
                "ignore_merges",
                "dropout",
                "end_of_word_suffix",
                "continuing_subword_prefix",
                "type",
                "merges",
            ];
            if let Some(model) = tokenizer.get_mut("model") {
                set(model, random.text(&names), odd_value(random));
            }
        }
        5 => {
            if let Some(list) = tokenizer
                .get_mut("added_tokens")
                .and_then(Value::as_array_mut)
            {
                list.push(random.pick(&parts).clone());
            }
        }
        6 => set(
            tokenizer,
            random.text(&["padding", "truncation"]),
            random.pick(&parts).clone(),
        ),
        _ => damage(random, tokenizer, &parts),
    }
}

/// Parts of a tokenizer.json, most of them sound, one in itself, and one so often that a text grows.
fn parts(random: &mut Random) -> Vec<Value> {
    let text = odd_text(random);
    let other = odd_text(random);
    let id = number(random) as u32;
    let mut all = vec![
        json!({"type": "ByteLevel", "add_prefix_space": random.once_in(2), "trim_offsets": false, "use_regex": random.once_in(2)}),
        json!({"type": "Split", "pattern": {"Regex": text}, "behavior": random.pick(&["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]), "invert": random.once_in(2)}),
        json!({"type": "Split", "pattern": {"String": text}, "behavior": "MergedWithNext", "invert": random.once_in(2)}),
        json!({"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "Whitespace"}, {"type": "WhitespaceSplit"}, {"type": "UnicodeScripts"}, {"type": "BertPreTokenizer"}]}),
        json!({"type": "FixedLength", "length": number(random) % 9}),
        json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": random.pick(&["always", "first", "never"]), "split": random.once_in(2)}),
        json!({"type": "Metaspace", "replacement": "▁", "add_prefix_space": true}),
        json!({"type": "CharDelimiterSplit", "delimiter": "e"}),
        json!({"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "NFKC"}, {"type": "Nmt"}]}),
        json!({"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true}),
        json!({"type": "Strip", "strip_left": true, "strip_right": true}),
        json!({"type": "Prepend", "prepend": text}),
        json!({"type": "Replace", "pattern": {"String": text}, "content": other}),
        json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}),
        json!({"type": "Replace", "pattern": {"Regex": text}, "content": other}),
        json!({"type": "Precompiled", "precompiled_charsmap": text}),
        json!({"type": "Precompiled", "precompiled_charsmap": "AAEAAAAAAAA="}),
        json!({"type": "ByteLevel"}),
        json!({"type": "ByteFallback"}),
        json!({"type": "Fuse"}),
        json!({"type": "Strip", "content": random.pick(&["a", " ", "Ġ"]), "start": number(random) % 4, "stop": number(random) % 4}),
        json!({"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
        json!({"type": "CTC", "pad_token": text, "word_delimiter_token": other, "cleanup": true}),
        json!({"type": "WordPiece", "prefix": text, "cleanup": random.once_in(2)}),
        json!({"type": "BPEDecoder", "suffix": text}),
        json!({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}, {"Sequence": {"id": random.pick(&["A", "B"]), "type_id": 0}}], "pair": [{"Sequence": {"id": "A", "type_id": 0}}], "special_tokens": {random.pick(&["x", "y"]).to_owned(): {"id": "x", "ids": [id], "tokens": ["x"]}}}),
        json!({"type": "BertProcessing", "sep": ["a", id], "cls": ["b", 2]}),
        json!({"type": "RobertaProcessing", "sep": ["a", 1], "cls": ["b", 2], "trim_offsets": random.once_in(2), "add_prefix_space": random.once_in(2)}),
        json!({"id": id, "content": text, "single_word": random.once_in(2), "lstrip": random.once_in(2), "rstrip": random.once_in(2), "normalized": random.once_in(2), "special": random.once_in(2)}),
        json!(["a", "b"]),
        json!("a b"),
        json!({"direction": "Left", "max_length": number(random), "strategy": "OnlySecond", "stride": number(random)}),
        json!({"strategy": {"Fixed": number(random)}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "a"}),
        json!({"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 0}),
        json!({"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "a"}),
        json!({"vocab": {"a": 0, "b": 1}, "unk_token": "a"}),
    ];
    let one = random.pick(&all).clone();
    for field in ["normalizers", "pretokenizers", "decoders", "processors"] {
        let times = if random.once_in(6) { 40 } else { 2 };
        all.push(json!({"type": "Sequence", field: vec![one.clone(); times]}));
    }
    let deep = (0..random.below(200)).fold(
        one,
        |inner, _| json!({"type": "Sequence", "normalizers": [inner]}),
    );
    all.push(deep);
    all
}
