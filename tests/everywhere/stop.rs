//! Stop strings against a real tokenizer, whose tokens end where they like.

use riemann_lora::generate::{Answer, Generator, SampleSettings};

use crate::support::{Fixture, for_both};

const TEXT: &str = "The restaurant is near the river — “café”, they say.";

async fn every_stop_string_cuts_the_same_text(fixture: Fixture) {
    let checkpoint = fixture.checkpoint().await;
    let tokenizer = checkpoint.tokenizer();
    let ids = tokenizer.encode(TEXT).unwrap();
    let boundaries: Vec<usize> = TEXT.char_indices().map(|(at, _)| at).collect();
    for (index, &start) in boundaries.iter().enumerate() {
        for &end in boundaries[index + 1..].iter().take(12) {
            let stop = &TEXT[start..end];
            let expected = &TEXT[..TEXT.find(stop).unwrap()];
            let mut answer = Answer::new(&[stop.to_owned(), "never".into()]);
            let mut written = String::new();
            let mut read = 0;
            for &id in &ids {
                written += &answer.push(tokenizer, id);
                read += 1;
                // What came through is final: no character of a stop string is ever shown.
                assert!(expected.starts_with(&written), "{stop:?}: {written:?}");
                if answer.has_stopped() {
                    break;
                }
            }
            written += &answer.finish(tokenizer);
            assert_eq!(written, expected, "{stop:?}");
            assert!(read <= ids.len());
        }
    }
}

async fn a_lane_that_was_ended_writes_no_more(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let settings = SampleSettings {
        prompt: String::new(),
        chat: false,
        max_tokens: 16,
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
        stop: Vec::new(),
        include_base: false,
    };
    let prompt = &golden.base.greedy.prompt;
    let mut generator = Generator::new(&model, None, prompt, &[], settings).unwrap();
    let first = generator.next(&model).await.unwrap();
    assert_eq!(first, Some(vec![Some(golden.base.greedy.continuation[0])]));
    assert!(!generator.is_done(0));
    generator.end(0);
    assert!(generator.is_done(0));
    assert_eq!(generator.next(&model).await.unwrap(), None);
}

async fn rows_without_a_token_are_never_written(fixture: Fixture) {
    let (golden, model) = (fixture.golden(), fixture.model().await);
    let first = golden.base.greedy.continuation[0];
    let settings = SampleSettings {
        prompt: String::new(),
        chat: false,
        max_tokens: 16,
        temperature: 0.0,
        top_k: 0,
        top_p: 1.0,
        seed: 0,
        stop: Vec::new(),
        include_base: false,
    };
    // As if the likeliest token were the first of the surplus rows.
    let prompt = &golden.base.greedy.prompt;
    let generator = Generator::new(&model, None, prompt, &[], settings).unwrap();
    let mut generator = generator.limited_to(first as usize);
    let mut written = 0;
    while let Some(tokens) = generator.next(&model).await.unwrap() {
        assert!(tokens[0].is_some_and(|token| token < first), "{tokens:?}");
        written += 1;
    }
    assert_eq!(written, 16);
}

for_both!(
    every_stop_string_cuts_the_same_text,
    a_lane_that_was_ended_writes_no_more,
    rows_without_a_token_are_never_written,
);
