//! Save and resume.

use riemann_lora::{optim::OptimizerSettings, train::Session};
use sha2::{Digest, Sha256};

use crate::support::{golden, model, settings};

everywhere! {
    async fn a_resumed_session_goes_on_to_the_bit() {
        let (golden, model) = (golden(), model().await);
        let diverging = OptimizerSettings { lr: 1e30, ..OptimizerSettings::adamw(1.0) };
        let mut wanted = settings(vec![
            OptimizerSettings::adamw(1e-2),
            OptimizerSettings::scaled_adamw(1e-2),
            diverging,
        ]);
        wanted.dropout = 0.1;
        let mut session = Session::new(&model, wanted).unwrap();
        for batch in &golden.batches[..5] {
            session.step(&model, &batch.batch()).await.unwrap();
        }
        let saved = session.checkpoint().await.unwrap();
        let mut resumed = Session::resume(&model, &saved).unwrap();
        assert_eq!(resumed.checkpoint().await.unwrap(), saved);
        assert_eq!(resumed.steps_done(), 5);
        for batch in &golden.batches[5..] {
            let batch = batch.batch();
            let expected = session.step(&model, &batch).await.unwrap();
            let found = resumed.step(&model, &batch).await.unwrap();
            assert_eq!(found.runs, expected.runs);
            assert!(found.runs[1].loss.is_some() && found.runs[2].diverged_at.is_some());
        }
    }
}

everywhere! {
    async fn half_precision_goes_on_in_single_where_there_is_no_other() {
        let model = model().await;
        let fresh = Session::new(&model, settings(vec![OptimizerSettings::adamw(1e-2)])).unwrap();
        let mut on_a_gpu = fresh.settings().clone();
        on_a_gpu.half_precision = true;
        let session = Session::with_adapters(&model, on_a_gpu, fresh.adapters().clone());
        let saved = session.checkpoint().await.unwrap();
        let resumed = Session::resume(&model, &saved).unwrap();
        assert_eq!(resumed.settings(), fresh.settings());
    }
}

/// A checkpoint with another first value of a tensor, and the digest that belongs to it.
fn with_value(saved: &[u8], tensor: &str, value: f32) -> Vec<u8> {
    let mut bytes = saved[..saved.len() - 32].to_vec();
    let header = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let names: serde_json::Value = serde_json::from_slice(&bytes[8..header]).unwrap();
    let at = header + names[tensor]["data_offsets"][0].as_u64().unwrap() as usize;
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    let digest = Sha256::digest(&bytes);
    bytes.extend(digest);
    bytes
}

everywhere! {
    async fn what_is_no_checkpoint_is_refused() {
        let model = model().await;
        let session = Session::new(&model, settings(vec![OptimizerSettings::adamw(1e-2)])).unwrap();
        let saved = session.checkpoint().await.unwrap();
        let weights = include_bytes!("../fixtures/golden/llama/adapter_init/adapter_model.safetensors");
        for (bytes, words) in [
            (&b""[..], "cannot be resumed"),
            (&saved[..saved.len() / 2], "cannot be resumed"),
            (weights, "holds no session"),
            (&saved[..saved.len() - 32], "an older version"),
        ] {
            let error = Session::resume(&model, bytes).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        // Whichever bit is flipped.
        for at in (0..saved.len()).step_by(97) {
            let mut damaged = saved.clone();
            damaged[at] ^= 1 << (at % 8);
            assert!(Session::resume(&model, &damaged).is_err(), "byte {at}");
        }
        for (name, value) in [
            ("banks.0.lora_a", f32::NAN),
            ("banks.1.lora_b", f32::INFINITY),
            ("banks.0.lora_a.first_moment", f32::NEG_INFINITY),
            ("banks.2.lora_b.second_moment", -1e-30),
        ] {
            let error = Session::resume(&model, &with_value(&saved, name, value)).unwrap_err().to_string();
            let expected = format!("its {name} has the value {value}, which no training makes");
            assert!(error.contains(&expected), "{error}");
        }
        let sound = with_value(&saved, "banks.2.lora_b.second_moment", 1e-30);
        assert!(Session::resume(&model, &sound).is_ok());
        let mut narrower = model.clone();
        narrower.config.intermediate_size = 44;
        let error = Session::resume(&narrower, &saved).unwrap_err().to_string();
        assert!(error.contains("this base with these settings needs"), "{error}");
    }
}
