//! Training from GGUF files of the golden Llama and GPT-2 against torch; `families` has that of all others.

use riemann_lora::{
    load::MemorySource,
    model::{Base, Checkpoint},
    train::Session,
};

use crate::load::gguf_writer::GgufWriter;
use crate::support::{Fixture, adapters, device};

async fn steps_from_a_gguf_file_are_those_of_torch(fixture: Fixture, file: GgufWriter) {
    let golden = fixture.golden();
    let source = MemorySource::new("model.gguf", file.finish());
    let checkpoint = Checkpoint::open(vec![source]).await.unwrap();
    let device = device().await;
    let model = Base::load(&checkpoint, &device, |_, _| true).await.unwrap();
    for case in ["adamw", "scaled_adamw"] {
        let golden_case = &golden.cases[case];
        let settings = fixture.settings(vec![golden_case.hyper.settings()]);
        let start = adapters(fixture.adapter("adapter_init"), &model, 1);
        let mut session = Session::with_adapters(&model, settings, start);
        for (step, (batch, expected)) in golden.batches.iter().zip(&golden_case.losses).enumerate()
        {
            let report = session.step(&model, &batch.batch()).await.unwrap();
            let found = report.runs[0].loss.unwrap();
            assert!(
                (found - expected).abs() < 1e-4,
                "{case}, step {step}: {found} {expected}"
            );
        }
    }
}

mod llama {
    everywhere! {
        async fn steps_from_a_gguf_file_are_those_of_torch() {
            let file = crate::load::gguf::golden_as_gguf();
            super::steps_from_a_gguf_file_are_those_of_torch(crate::support::LLAMA, file).await;
        }
    }
}

mod gpt2 {
    everywhere! {
        async fn steps_from_a_gguf_file_are_those_of_torch() {
            let file = crate::load::gpt2::golden_as_gguf();
            super::steps_from_a_gguf_file_are_those_of_torch(crate::support::GPT2, file).await;
        }
    }
}
