//! GGUF files that are parts of a model, or no model.

use super::{
    assert_refused,
    gguf_writer::{GgufWriter, TINY, Value},
    open,
};

/// Files with their names, and what is said of them.
type Refused<'a> = (&'a [(&'a str, &'a [u8])], &'a str);

/// The tiny Llama in three parts, as llama-gguf-split writes them: only the first has the metadata.
fn parts() -> [Vec<u8>; 3] {
    let whole = GgufWriter::llama(TINY);
    let part = |number: u32, tensors: std::ops::Range<usize>| {
        let mut part = whole.clone();
        if number > 0 {
            part.metadata.clear();
        }
        part.set("split.no", Value::U32(number));
        part.set("split.count", Value::U32(3));
        part.set(
            "split.tensors.count",
            Value::I32(whole.tensors.len() as i32),
        );
        part.tensors = whole.tensors[tensors].to_vec();
        part.finish()
    };
    [
        part(0, 0..0),
        part(1, 0..5),
        part(2, 5..whole.tensors.len()),
    ]
}

everywhere! {
    async fn parts_are_one_model_in_any_order() {
        let whole = open(&[("m.gguf", &GgufWriter::llama(TINY).finish())]).await.unwrap();
        let parts = parts();
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let names = ["a.gguf", "b.gguf", "c.gguf"];
            let files: Vec<(&str, &[u8])> =
                order.iter().map(|&i| (names[i], parts[i].as_slice())).collect();
            let checkpoint = open(&files).await.unwrap();
            assert_eq!(checkpoint.name(), "tiny");
            assert_eq!(checkpoint.tensors(), whole.tensors());
            for info in checkpoint.tensors() {
                assert_eq!(checkpoint.tensor(&info.name).await, whole.tensor(&info.name).await);
            }
        }
    }
}

everywhere! {
    async fn parts_that_are_not_all_there_once_are_refused() {
        let [first, second, third] = parts();
        let whole = GgufWriter::llama(TINY).finish();
        let cases: [Refused; 4] = [
            (&[("b.gguf", &second)], "b.gguf: it is part 2 of 3, and part 1 is missing"),
            (
                &[("c.gguf", &third), ("a.gguf", &first)],
                "c.gguf: it is part 3 of 3, and part 2 is missing",
            ),
            (
                &[("a.gguf", &first), ("b.gguf", &second), ("x.gguf", &second)],
                "x.gguf: it is part 2 of 3, and so is b.gguf",
            ),
            (
                &[("a.gguf", &first), ("m.gguf", &whole)],
                "m.gguf: it is a second GGUF file beside a.gguf, and they are not parts of one model",
            ),
        ];
        for (files, expected) in cases {
            assert_refused(files, expected).await;
        }
    }
}

everywhere! {
    async fn what_is_kept_beside_models_is_called_what_it_is() {
        let cases = [
            ("general.type", "adapter", "it is a LoRA adapter and not a model"),
            ("adapter.type", "lora", "it is a LoRA adapter and not a model"),
            ("general.type", "imatrix", "it is an importance matrix"),
            ("general.type", "mmproj", "it is an encoder of pictures or sounds"),
        ];
        for (key, value, expected) in cases {
            let mut writer = GgufWriter::llama(TINY);
            writer.set(key, Value::String(value.to_owned()));
            assert_refused(&[("m.gguf", &writer.finish())], expected).await;
        }
    }
}
