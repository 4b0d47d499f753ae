//! The model that comes with the page, in both forms in which a build may hold it.

use riemann_lora::{
    generate::{Generator, SampleSettings},
    load::MemorySource,
    model::{Base, Checkpoint, WeightForm},
    train::token_losses::token_losses,
};

use crate::support::device;

macro_rules! file {
    ($name:literal) => {
        MemorySource::new(
            $name,
            include_bytes!(concat!("../../www/public/tiny/", $name)),
        )
    };
}

const PROMPT: &str = "word : river | part of speech : noun | kind of : stream";
const TEXT: &str = "A river is a large natural stream of water.";
/// Mean loss of the text's tokens in nats, natively with f32 weights.
const LOSS: f64 = 5.504_825;

everywhere! {
    async fn it_reads_a_text_alike_packed_and_unpacked() {
        let checkpoint = checkpoint().await;
        let ids = checkpoint.tokenizer().encode(TEXT).unwrap();
        let mut means = Vec::new();
        for form in [WeightForm::Dense, WeightForm::Packed] {
            let model = model(form, &checkpoint).await;
            let losses = token_losses(&model, None, &ids).await.unwrap();
            let sum: f64 = losses[0].iter().map(|loss| f64::from(*loss)).sum();
            means.push(sum / losses[0].len() as f64);
        }
        for mean in &means {
            assert!((mean - LOSS).abs() < 5e-5, "{means:?}");
        }
    }
}

everywhere! {
    async fn it_writes_alike_packed_and_unpacked() {
        let checkpoint = checkpoint().await;
        let prompt = checkpoint.tokenizer().encode(PROMPT).unwrap();
        let mut answers = Vec::new();
        for form in [WeightForm::Dense, WeightForm::Packed] {
            let model = model(form, &checkpoint).await;
            let settings = SampleSettings {
                prompt: String::new(),
                chat: false,
                max_tokens: 12,
                temperature: 0.0,
                top_k: 0,
                top_p: 1.0,
                seed: 0,
                stop: Vec::new(),
                include_base: false,
            };
            let mut generator = Generator::new(&model, None, &prompt, &[], settings).unwrap();
            let mut answer = Vec::new();
            while let Some(tokens) = generator.next(&model).await.unwrap() {
                answer.extend(tokens[0]);
            }
            answers.push(answer);
        }
        assert_eq!(answers[0].len(), 12);
        assert_eq!(answers[0], answers[1]);
    }
}

async fn checkpoint() -> Checkpoint<MemorySource> {
    let files = vec![
        file!("config.json"),
        file!("model.safetensors"),
        file!("tokenizer.json"),
    ];
    Checkpoint::open(files).await.unwrap()
}

async fn model(form: WeightForm, checkpoint: &Checkpoint<MemorySource>) -> Base {
    let device = device().await;
    Base::load_as(form, None, checkpoint, &device, |_, _| true)
        .await
        .unwrap()
}
