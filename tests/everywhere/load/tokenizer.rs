//! Text to ids and back.

use std::collections::HashMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use riemann_lora::data::{DataSettings, DatasetBuilder, Validation};
use riemann_lora::load::{TextStream, Tokenizer, TokenizerExtras};
use serde::Deserialize;
use wasm_bindgen_test::wasm_bindgen_test;

use super::{
    GOLDEN_TOKENIZER,
    gguf_writer::{GgufWriter, TINY, Value, byte_character},
    open,
};

fn golden() -> Tokenizer {
    Tokenizer::from_json(GOLDEN_TOKENIZER, &TokenizerExtras::default())
        .expect("the fixture is sound")
}

/// A tokenizer from GGUF metadata, with a model that has enough rows for it.
fn from_gguf(change: impl FnOnce(&mut GgufWriter)) -> Tokenizer {
    let mut writer = GgufWriter::llama(TINY);
    for name in ["token_embd.weight", "output.weight"] {
        let tensor = writer.tensor(name);
        tensor.shape[0] = 512;
        tensor.bytes = vec![0; 512 * 32 * 4];
    }
    change(&mut writer);
    let opened = pollster::block_on(open(&[("tiny.gguf", &writer.finish())]));
    opened.expect("the file is honest").tokenizer().clone()
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    tokenizer.encode(text).expect("the text can be encoded")
}

/// The tokens of a text as the vocabulary writes them.
fn tokens(tokenizer: &Tokenizer, text: &str) -> Vec<String> {
    let ids = encode(tokenizer, text);
    ids.into_iter()
        .map(|id| tokenizer.token(id).expect("it has just been used"))
        .collect()
}

#[derive(Deserialize)]
struct GoldenText {
    text: String,
    ids: Vec<u32>,
    decoded: String,
}

#[wasm_bindgen_test(unsupported = test)]
fn golden_texts_have_golden_ids() {
    let cases: Vec<GoldenText> =
        serde_json::from_str(include_str!("../../fixtures/golden/tokenizer_golden.json"))
            .expect("the fixture is JSON");
    assert_eq!(cases.len(), 6);
    let tokenizer = golden();
    assert_eq!(tokenizer.vocab_size(), 320);
    for GoldenText { text, ids, decoded } in cases {
        assert_eq!(encode(&tokenizer, &text), ids, "{text:?}");
        assert_eq!(tokenizer.decode(&ids, false), decoded);
        let mut stream = TextStream::new(false);
        let pieces: Vec<String> = ids.iter().map(|&id| stream.push(&tokenizer, id)).collect();
        assert_eq!(pieces.concat() + &stream.finish(&tokenizer), decoded);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn a_stream_waits_for_whole_characters() {
    let tokenizer = golden();
    let mut stream = TextStream::new(false);
    let mut push = |id| stream.push(&tokenizer, id);
    // 京 is three bytes, and this vocabulary has no token of two of them.
    let ids = encode(&tokenizer, "a京");
    assert_eq!(ids.len(), 4);
    let pieces: Vec<String> = ids.iter().map(|&id| push(id)).collect();
    assert_eq!(pieces, ["a", "", "", "京"]);
    assert_eq!(push(ids[1]), "");
    assert_eq!(stream.finish(&tokenizer), "\u{FFFD}");
    assert_eq!(stream.finish(&tokenizer), "");
    // What follows is complete, so the incomplete character before it is given up.
    let mut stream = TextStream::new(false);
    assert_eq!(stream.push(&tokenizer, ids[1]), "");
    assert_eq!(stream.push(&tokenizer, ids[0]), "\u{FFFD}a");
    // Bytes that never become a character do not pile up for ever.
    let pieces: Vec<String> = (0..64).map(|_| stream.push(&tokenizer, ids[3])).collect();
    assert!(pieces.iter().any(|piece| !piece.is_empty()));
    let text = pieces.concat() + &stream.finish(&tokenizer);
    assert_eq!(text.chars().count(), 64);
}

#[wasm_bindgen_test(unsupported = test)]
fn special_tokens_are_found_in_text_and_left_out_on_request() {
    let tokenizer = from_gguf(|_| {});
    assert_eq!(
        (tokenizer.bos_id(), tokenizer.eos_ids()),
        (Some(0), &[1][..])
    );
    assert!(!tokenizer.starts_with_bos());
    let ids = encode(&tokenizer, "<|start|>hello<|end|>");
    assert_eq!(ids, [0, 260, 2 + 111, 1]);
    assert_eq!(tokenizer.decode(&ids, false), "<|start|>hello<|end|>");
    assert_eq!(tokenizer.decode(&ids, true), "hello");
    let mut stream = TextStream::new(true);
    let pieces: Vec<String> = ids.iter().map(|&id| stream.push(&tokenizer, id)).collect();
    assert_eq!(pieces, ["", "hell", "o", ""]);
    assert_eq!(
        (tokenizer.token(260), tokenizer.token(261)),
        (Some("hell".to_owned()), None)
    );
    assert_eq!(tokenizer.id("hell"), Some(260));
    assert_eq!(tokenizer.decode(&[260, 99_999], false), "hell");
}

#[wasm_bindgen_test(unsupported = test)]
fn every_byte_survives() {
    let tokenizer = from_gguf(|_| {});
    let text: String = (0..0x500)
        .filter_map(char::from_u32)
        .chain("\u{10FFFF}🍣\r\n".chars())
        .collect();
    assert_eq!(tokenizer.decode(&encode(&tokenizer, &text), false), text);
}

#[wasm_bindgen_test(unsupported = test)]
fn tokens_without_a_row_are_not_used() {
    let tokenizer = from_gguf(|writer| {
        for name in ["token_embd.weight", "output.weight"] {
            let tensor = writer.tensor(name);
            tensor.shape[0] = 260;
            tensor.bytes.truncate(260 * 32 * 4);
        }
        writer.set("tokenizer.ggml.padding_token_id", Value::U32(260));
        writer.set("tokenizer.ggml.eot_token_id", Value::U32(u32::MAX));
    });
    assert_eq!(encode(&tokenizer, "he"), [258]);
    let error = tokenizer.encode("hell").expect_err("its row is missing");
    assert_eq!(
        error.to_string(),
        "tiny.gguf: token hell has id 260, but the model knows only 260 tokens"
    );
    assert_eq!((tokenizer.pad_id(), tokenizer.eos_ids()), (None, &[1][..]));
}

#[wasm_bindgen_test(unsupported = test)]
fn pre_tokenizers_cut_at_their_places() {
    let cases: &[(&str, &str, &[&str])] = &[
        ("smollm", "a 123'S", &["a", "Ġ", "1", "2", "3", "'", "S"]),
        ("gpt-2", "a 123'S", &["a", "Ġ123", "'", "S"]),
        ("llama-bpe", "a 123'S", &["a", "Ġ", "123", "'S"]),
        ("qwen2", "a 123'S", &["a", "Ġ", "1", "2", "3", "'S"]),
        ("default", "a 123'S", &["a", "Ġ", "123", "'", "S"]),
        // Four digits: one word, one word, three and one, each alone, three and one.
        ("gpt-2", "1234", &["1234"]),
        ("llama-bpe", "1234", &["123", "4"]),
        ("default", "1234", &["123", "4"]),
        // Punctuation takes letters with it nowhere, a newline only in the newer patterns.
        ("gpt-2", "!\n", &["!", "Ċ"]),
        ("llama-bpe", "!\n", &["!Ċ"]),
        ("qwen2", "!\n", &["!Ċ"]),
        ("smollm", "!\n", &["!", "Ċ"]),
        // Llama 3 takes a whole word from the vocabulary although no merge makes it.
        ("llama-bpe", "zq", &["zq"]),
        ("qwen2", "zq", &["z", "q"]),
        ("tekken", "zq", &["zq"]),
        ("gpt-4o", "zq", &["z", "q"]),
        // What `tokenizers` 0.23 cuts with the patterns of the models' own tokenizer.json.
        ("smaug-bpe", "a 123'S", &["a", "Ġ", "123", "'S"]),
        ("dbrx", "1234", &["123", "4"]),
        ("tekken", "1234", &["1", "2", "3", "4"]),
        ("gpt-4o", "1234", &["123", "4"]),
        ("smaug-bpe", "oW", &["oW"]),
        ("tekken", "oW", &["o", "W"]),
        ("gpt-4o", "oW", &["o", "W"]),
        ("smaug-bpe", "d'S", &["d", "'S"]),
        ("tekken", "d'S", &["d", "'S"]),
        ("gpt-4o", "d'S", &["d'S"]),
        ("smaug-bpe", "!\n/", &["!Ċ", "/"]),
        ("tekken", "!\n/", &["!Ċ/"]),
        ("gpt-4o", "!\n/", &["!Ċ/"]),
    ];
    for (name, text, expected) in cases {
        let tokenizer = byte_level(name);
        assert_eq!(tokens(&tokenizer, text), *expected, "{name}: {text:?}");
        let begins = matches!(*name, "llama-bpe" | "tekken");
        assert_eq!(tokenizer.starts_with_bos(), begins, "{name}");
    }
}

/// Byte-level tokens of GPT-2's kind and some longer ones, cut into words as `name` says.
fn byte_level(name: &str) -> Tokenizer {
    from_gguf(|writer| {
        let mut tokens: Vec<String> = (0..=255)
            .map(|byte| byte_character(byte).to_string())
            .collect();
        let longer = [
            "12", "123", "1234", "Ġ123", "'S", "!Ċ", "zq", "oW", "d'S", "!Ċ/",
        ];
        tokens.extend(longer.map(str::to_owned));
        writer.set("tokenizer.ggml.tokens", Value::Strings(tokens));
        writer.remove("tokenizer.ggml.token_type");
        let merges = [
            "1 2", "12 3", "123 4", "Ġ 123", "' S", "! Ċ", "o W", "d 'S", "!Ċ /",
        ];
        writer.set(
            "tokenizer.ggml.merges",
            Value::Strings(merges.map(str::to_owned).to_vec()),
        );
        writer.set("tokenizer.ggml.pre", Value::String(name.to_owned()));
    })
}

/// One line of running text, longer than a piece of it.
fn long_line() -> String {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let words = [
        "abc",
        "cab",
        "b",
        "oW",
        "d'S",
        "1234",
        "zq",
        "a, b",
        "ab  c",
        "(bc)",
        "é",
        "字。字",
    ];
    let mut text = String::new();
    while text.len() < 400_000 {
        text.push_str(words[random.random_range(0..words.len())]);
        text.push(' ');
    }
    text
}

/// Ids of a document as data make them, without what begins and ends it.
fn ids_of_data(tokenizer: &Tokenizer, file: &str, bytes: &[u8]) -> (Vec<u32>, usize) {
    let settings = DataSettings {
        validation: Validation::None,
        sequence_length: 64,
        ..DataSettings::default()
    };
    let mut builder = DatasetBuilder::new(file, bytes, &settings).expect("it is text");
    let mut parts = 0;
    while !builder.next_chunk(tokenizer, 1).is_finished() {
        parts += 1;
    }
    let dataset = builder.finish(tokenizer).expect("it is text");
    let mut in_order: Vec<u32> = Vec::new();
    for example in dataset.train() {
        in_order.extend(&example.ids);
    }
    let begin = usize::from(tokenizer.starts_with_bos());
    (in_order.split_off(begin), parts)
}

#[wasm_bindgen_test(unsupported = test)]
fn a_long_line_comes_in_pieces_with_the_tokens_of_the_whole() {
    let text = long_line();
    let names = [
        "smollm",
        "gpt-2",
        "llama-bpe",
        "qwen2",
        "default",
        "tekken",
        "gpt-4o",
    ];
    let mut tokenizers: Vec<(&str, Tokenizer)> =
        names.iter().map(|name| (*name, byte_level(name))).collect();
    tokenizers.push(("golden", golden()));
    tokenizers.push(("llama", from_gguf(|writer| sentence_piece(&PIECES, writer))));
    for (name, tokenizer) in &tokenizers {
        let expected = encode(tokenizer, text.trim_end());
        let (found, parts) = ids_of_data(tokenizer, "a.txt", text.trim_end().as_bytes());
        assert!(parts >= 10, "{name}: {parts} parts");
        assert_eq!(found.len(), expected.len(), "{name}");
        let differs = found
            .iter()
            .zip(&expected)
            .position(|(one, other)| one != other);
        assert_eq!(differs, None, "{name}");
        let json = serde_json::json!({ "text": text.trim_end() }).to_string();
        let (found, parts) = ids_of_data(tokenizer, "a.jsonl", json.as_bytes());
        assert!(parts >= 10, "{name}: {parts} parts");
        assert!(found == expected, "{name}");
    }
}

/// The first tokens of a SentencePiece vocabulary: unknown, begin, end, and the 256 bytes.
fn sentence_piece(pieces: &[(&str, f32)], writer: &mut GgufWriter) {
    let mut tokens: Vec<String> = ["<unk>", "<s>", "</s>"].map(str::to_owned).to_vec();
    tokens.extend((0..=255u8).map(|byte| format!("<0x{byte:02X}>")));
    let mut kinds = vec![2, 3, 3];
    kinds.extend([6; 256]);
    let mut scores = vec![0.0; tokens.len()];
    for (piece, score) in pieces {
        tokens.push((*piece).to_owned());
        kinds.push(1);
        scores.push(*score);
    }
    writer.set("tokenizer.ggml.model", Value::String("llama".to_owned()));
    writer.remove("tokenizer.ggml.pre");
    writer.remove("tokenizer.ggml.merges");
    writer.set("tokenizer.ggml.tokens", Value::Strings(tokens));
    writer.set("tokenizer.ggml.token_type", Value::Integers(kinds));
    writer.set("tokenizer.ggml.scores", Value::Floats(scores));
    writer.set("tokenizer.ggml.bos_token_id", Value::U32(1));
    writer.set("tokenizer.ggml.eos_token_id", Value::U32(2));
}

/// Longer pieces with their scores, then single characters.
const PIECES: [(&str, f32); 8] = [
    ("bc", -1.0),
    ("ab", -2.0),
    ("▁a", -3.0),
    ("abc", -4.0),
    ("▁", -5.0),
    ("a", -6.0),
    ("b", -7.0),
    ("c", -8.0),
];

#[wasm_bindgen_test(unsupported = test)]
fn pieces_that_are_made_of_each_other_without_end_are_refused() {
    // All parts of up to 170 letters of a text of 300: 36,000 pieces, of which there would be 2.9 million merges.
    let text: String = (0..300)
        .map(|at| char::from_u32(0x4E00 + at).unwrap())
        .collect();
    let places: Vec<(usize, usize)> = (0..300)
        .flat_map(|from| (from + 1..=300.min(from + 170)).map(move |to| (3 * from, 3 * to)))
        .collect();
    let parts: Vec<(&str, f32)> = places
        .iter()
        .map(|&(from, to)| (&text[from..to], -1.0))
        .collect();
    let mut writer = GgufWriter::llama(TINY);
    for name in ["token_embd.weight", "output.weight"] {
        let tensor = writer.tensor(name);
        tensor.shape[0] = 259 + parts.len() as u64;
        tensor.bytes = vec![0; (259 + parts.len()) * 32 * 4];
    }
    sentence_piece(&parts, &mut writer);
    let opened = pollster::block_on(open(&[("tiny.gguf", &writer.finish())]));
    let error = opened.expect_err("it is refused").to_string();
    assert!(
        error.contains("in more ways than those of a language are"),
        "{error}"
    );
}

#[wasm_bindgen_test(unsupported = test)]
fn sentence_piece_joins_the_best_pair_first() {
    let tokenizer = from_gguf(|writer| sentence_piece(&PIECES, writer));
    assert!(tokenizer.starts_with_bos());
    // ▁ a b c: bc is better than ab, then ▁a is better than abc.
    assert_eq!(tokens(&tokenizer, "abc"), ["▁a", "bc"]);
    assert_eq!(tokens(&tokenizer, "cab b"), ["▁", "c", "ab", "▁", "b"]);
    // é is in no piece.
    assert_eq!(tokens(&tokenizer, "é"), ["▁", "<0xC3>", "<0xA9>"]);
    // A text after a special token begins with a space again.
    assert_eq!(
        tokens(&tokenizer, "<s>abc</s>"),
        ["<s>", "▁a", "bc", "</s>"]
    );
    for text in ["abc", "a bc  cab", "é京🍣 abc\n", "", " a"] {
        let ids = encode(&tokenizer, text);
        assert_eq!(tokenizer.decode(&ids, false), text);
        let mut stream = TextStream::new(false);
        let pieces: Vec<String> = ids.iter().map(|&id| stream.push(&tokenizer, id)).collect();
        assert_eq!(pieces.concat() + &stream.finish(&tokenizer), text);
    }
    let without_prefix = from_gguf(|writer| {
        sentence_piece(&PIECES, writer);
        writer.set("tokenizer.ggml.add_space_prefix", Value::Bool(false));
        writer.set("tokenizer.ggml.add_bos_token", Value::Bool(false));
    });
    assert!(!without_prefix.starts_with_bos());
    // Nothing stands before the a that would be better than bc.
    assert_eq!(tokens(&without_prefix, "abc a"), ["abc", "▁a"]);
    assert_eq!(
        without_prefix.decode(&encode(&without_prefix, " a"), false),
        " a"
    );
}

/// SentencePiece's algorithm as its authors describe it: join the neighbours with the best union, leftmost first.
fn joined(text: &str, scores: &HashMap<String, f32>) -> Vec<String> {
    let mut parts: Vec<String> = text.chars().map(String::from).collect();
    loop {
        let mut best: Option<(f32, usize)> = None;
        for (i, pair) in parts.windows(2).enumerate() {
            if let Some(&score) = scores.get(&pair.concat())
                && best.is_none_or(|(highest, _)| score > highest)
            {
                best = Some((score, i));
            }
        }
        let Some((_, i)) = best else { return parts };
        let right = parts.remove(i + 1);
        parts[i].push_str(&right);
    }
}

#[wasm_bindgen_test(unsupported = test)]
fn merges_from_scores_follow_sentence_piece() {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..20 {
        // Longer pieces out of shorter ones, as training makes them; equal scores do not occur there.
        let mut pieces: Vec<String> = ["▁", "a", "b", "c"].map(str::to_owned).to_vec();
        while pieces.len() < 30 {
            let mut pick = || pieces[random.random_range(0..pieces.len())].clone();
            let piece = pick() + &pick();
            if piece.chars().count() <= 6 && !pieces.contains(&piece) {
                pieces.push(piece);
            }
        }
        let scores: Vec<f32> = (0..pieces.len()).map(|i| -(i as f32)).collect();
        let scored: Vec<(&str, f32)> = pieces
            .iter()
            .map(String::as_str)
            .zip(scores.iter().copied())
            .collect();
        let tokenizer = from_gguf(|writer| sentence_piece(&scored, writer));
        let by_piece = pieces.iter().cloned().zip(scores.iter().copied()).collect();
        for _ in 0..50 {
            let length = random.random_range(1..30);
            let text: String = (0..length)
                .map(|_| ['a', 'b', 'c', ' '][random.random_range(0..4)])
                .collect();
            let expected = joined(&format!("▁{}", text.replace(' ', "▁")), &by_piece);
            assert_eq!(
                tokens(&tokenizer, &text),
                expected,
                "{text:?} with {pieces:?}"
            );
        }
    }
}

/// The golden tokenizer.json with a change.
fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Result<Tokenizer, String> {
    let mut json = serde_json::from_slice(GOLDEN_TOKENIZER).expect("the fixture is JSON");
    change(&mut json);
    Tokenizer::from_json(json.to_string().as_bytes(), &TokenizerExtras::default())
        .map_err(|error| error.to_string())
}

/// Each of them made the library panic, or fill the memory.
#[wasm_bindgen_test(unsupported = test)]
fn pieces_that_make_no_sense_are_refused_by_name() {
    use serde_json::json;
    let double = json!({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"});
    let undeclared = json!({"type": "TemplateProcessing", "pair": [], "special_tokens": {},
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}]});
    let second = json!({"type": "TemplateProcessing", "pair": [], "special_tokens": {},
        "single": [{"Sequence": {"id": "B", "type_id": 0}}]});
    let cases = [
        (
            "normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": ""}),
            "normalizer Precompiled has a damaged table",
        ),
        (
            "normalizer",
            json!({"type": "Precompiled", "precompiled_charsmap": "AAEAAAAAAAA="}),
            "normalizer Precompiled has a damaged table",
        ),
        (
            "normalizer",
            json!({"type": "Replace", "pattern": {"String": ""}, "content": "ab"}),
            "normalizer Replace replaces nothing",
        ),
        (
            "normalizer",
            json!({"type": "Replace", "pattern": {"Regex": "^"}, "content": "ab"}),
            "normalizer Replace replaces nothing",
        ),
        (
            "normalizer",
            json!({"type": "Sequence", "normalizers": vec![double; 40]}),
            "makes more than 1000 letters of one",
        ),
        (
            "normalizer",
            json!({"type": "Prepend", "prepend": "a".repeat(1 << 20)}),
            "makes more than 1000 letters of one",
        ),
        (
            "pre_tokenizer",
            json!({"type": "FixedLength", "length": 0}),
            "pre_tokenizer FixedLength cuts",
        ),
        (
            "decoder",
            json!({"type": "Strip", "content": "a", "start": 0, "stop": 2}),
            "decoder Strip cuts letters",
        ),
        (
            "post_processor",
            undeclared,
            "does not say what its token [CLS] is",
        ),
        ("post_processor", second, "puts a second text"),
    ];
    for (part, piece, expected) in cases {
        let error = changed(|json| json[part] = piece).expect_err(expected);
        assert!(error.contains(expected), "{error}");
    }
    let error = changed(|json| json["model"]["vocab"]["zzz"] = json!(5)).expect_err("twice");
    assert!(error.contains("zzz have the same id 5"), "{error}");
    let error = changed(|json| json["model"]["vocab"]["zzz"] = json!(u32::MAX));
    assert!(error.expect_err("too large").contains("which no model has"));
}

#[wasm_bindgen_test(unsupported = test)]
fn padding_truncation_and_dropout_of_a_file_change_no_text() {
    use serde_json::json;
    let text = "the same tokens each time, and all of them";
    let expected = encode(&golden(), text);
    for size in [8, 1_u64 << 63] {
        let tokenizer = changed(|json| {
            json["padding"] = json!({"strategy": {"Fixed": size}, "direction": "Left",
                "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<|endoftext|>"});
            json["truncation"] = json!({"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 9});
        });
        let tokenizer = tokenizer.expect("the rest is sound");
        assert!(!tokenizer.starts_with_bos());
        assert_eq!(encode(&tokenizer, text), expected);
    }
    let tokenizer = changed(|json| json["model"]["dropout"] = json!(0.5));
    let tokenizer = tokenizer.expect("the rest is sound");
    for _ in 0..20 {
        assert_eq!(encode(&tokenizer, text), expected);
    }
    assert!(tokenizer.notices()[0].contains("(dropout 0.5)"));
}
