//! Adapters in PEFT's format.

use riemann_lora::peft;

use crate::support::{adapter, adapters, difference, model, values};

everywhere! {
    async fn an_adapter_survives_writing_and_reading() {
        let model = model().await;
        let (config, weights) = adapter!("adapter_random");
        let two = adapters((config, weights), &model, 2);
        let folder = peft::write(&two, 1, &model.config, "tiny", 0.0).await.unwrap();
        let again = peft::read(&folder.config, &folder.weights, &model.config, &model.device).unwrap();
        assert_eq!(again.shape, two.shape);
        for (x, y) in again.banks().zip(two.run(1).banks()) {
            assert_eq!(difference(&values(x.a.clone()).await, &values(y.a.clone()).await), 0.0);
            assert_eq!(difference(&values(x.b.clone()).await, &values(y.b.clone()).await), 0.0);
        }
        let theirs = safetensors::SafeTensors::deserialize(weights).unwrap();
        let ours = safetensors::SafeTensors::deserialize(&folder.weights).unwrap();
        assert_eq!(ours.len(), theirs.len());
        for (name, view) in theirs.tensors() {
            assert_eq!(ours.tensor(&name).unwrap(), view, "{name}");
        }
    }
}

everywhere! {
    async fn what_does_not_fit_says_why() {
        let model = model().await;
        let (config, weights) = adapter!("adapter_random");
        let text = String::from_utf8(config.to_vec()).unwrap();
        let mut other = model.config.clone();
        other.hidden_size = 64;
        for (config, model, words) in [
            (text.replace("LORA", "IA3"), &model.config, "use LORA"),
            (text.replace("\"use_dora\": false", "\"use_dora\": true"), &model.config, "use_dora is set"),
            (text.replace("gate_proj", "c_attn"), &model.config, "c_attn is not one"),
            (text.replace("\"r\": 4", "\"r\": 8"), &model.config, "needs F32 [8, 32]"),
            (text.clone(), &other, "needs F32 [4, 64]"),
            ("{}".to_owned(), &model.config, "missing field"),
        ] {
            let found = peft::read(config.as_bytes(), weights, model, &crate::support::device().await);
            let error = found.unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
