//! `riemann-lora images` from outside, on pictures of one colour: pretraining with a stop, drawing, measuring, teaching.
#![cfg(not(target_arch = "wasm32"))]

mod workplace;

use std::collections::HashMap;
use std::path::Path;

use safetensors::{Dtype, tensor::TensorView};
use serde_json::{Value, json};

use workplace::Workplace;

const SIZE: usize = 12;

/// A file as scripts/make-icons writes it, each picture of one colour.
fn write_pictures(path: &Path, entries: &[(&str, [u8; 3])], validation: usize) {
    let captions: Vec<&str> = entries.iter().map(|(caption, _)| *caption).collect();
    let bytes: Vec<u8> = entries
        .iter()
        .flat_map(|(_, colour)| colour.repeat(SIZE * SIZE))
        .collect();
    let view = TensorView::new(Dtype::U8, vec![entries.len(), SIZE, SIZE, 3], &bytes).unwrap();
    let metadata = HashMap::from([
        ("captions".to_owned(), json!(captions).to_string()),
        ("validation".to_owned(), validation.to_string()),
    ]);
    let file = safetensors::serialize([("pictures", view)], Some(metadata)).unwrap();
    std::fs::write(path, file).unwrap();
}

/// With pictures to pretrain and to teach with.
fn place(name: &str) -> Workplace {
    let place = Workplace::new(name, &["images"]);
    let icons = place.path("icons");
    std::fs::create_dir_all(&icons).unwrap();
    let (red, green, blue) = ([230, 20, 20], [20, 200, 40], [20, 40, 230]);
    let seen = [("red", red), ("green", green), ("blue", blue)];
    write_pictures(&icons.join("pretraining.safetensors"), &seen, 0);
    write_pictures(&icons.join("combinations.safetensors"), &seen, 3);
    let grey = [
        ("zib", [90; 3]),
        ("zib red", [95; 3]),
        ("zib blue", [100; 3]),
    ];
    write_pictures(&icons.join("subject.safetensors"), &grey, 1);
    write_pictures(&icons.join("style.safetensors"), &grey, 1);
    std::fs::write(icons.join("words.txt"), "blue\ngreen\nred\n").unwrap();
    place
}

fn write_settings(place: &Workplace, change: impl FnOnce(&mut Value)) {
    let mut settings = json!({
        "name": "test",
        "training": {
            "model": {
                "image_size": SIZE, "patch_size": 4, "vocab_size": 19, "caption_length": 2,
                "hidden_size": 16, "intermediate_size": 20, "num_attention_heads": 2,
                "text_layers": 1, "denoiser_layers": 2
            },
            "optimizer": {
                "rule": "adamw", "preconditioner": null, "lr": 0.01, "lr_ratio_b": 1.0,
                "betas": [0.9, 0.98], "eps": 1e-8, "weight_decay": 0.0, "max_grad_norm": 1.0,
                "schedule": { "warmup_steps": 5, "decay": "cosine" }
            },
            "average_decay": 0.9, "caption_dropout": 0.1, "batch_size": 8, "steps": 150, "seed": 0
        }
    });
    change(&mut settings);
    place.write("settings.json", &settings);
}

const PRETRAIN: [&str; 4] = ["pretrain", "icons", "settings.json", "model"];

#[test]
fn a_model_is_pretrained_draws_is_measured_and_taught() {
    let place = place("images");
    write_settings(&place, |_| ());
    let figures: Value = serde_json::from_str(&place.succeed(&PRETRAIN)).unwrap();
    assert_eq!(figures["steps"], 150);
    assert_eq!(figures["epochs"], 400.0);
    let (first, last) = (&figures["first_loss"], &figures["validation_loss"]);
    assert!(
        last.as_f64().unwrap() < 0.7 * first.as_f64().unwrap(),
        "{figures}"
    );

    place.succeed(&[
        "grid",
        "model",
        "grid.png",
        "red",
        "blue",
        "--columns",
        "2",
        "--zoom",
        "3",
    ]);
    let file = std::fs::File::open(place.path("grid.png")).unwrap();
    let reader = png::Decoder::new(std::io::BufReader::new(file));
    let info = reader.read_info().unwrap();
    // Two pictures and three gaps, one picture and two gaps.
    assert_eq!(info.info().size(), (3 * 27, 3 * 14));

    let measured: Value =
        serde_json::from_str(&place.succeed(&["measure", "model", "icons"])).unwrap();
    assert_eq!(measured["seen"]["drawn"], 3);
    assert_eq!(measured["seen"]["gallery"], 3);
    assert!(
        measured["seen"]["first"].as_f64().unwrap() > 0.6,
        "{measured}"
    );

    place.succeed(&[
        "sweep",
        "model",
        "icons",
        "out.json",
        "--lr",
        "1e-2,1e-3",
        "--text-lr",
        "1e-3",
        "--steps",
        "4",
        "--grid-at",
        "2",
        "--batch-size",
        "2",
        "--rank",
        "2",
    ]);
    let result: Value =
        serde_json::from_slice(&std::fs::read(place.path("out.json")).unwrap()).unwrap();
    let runs = result["figures"]["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 8);
    for run in runs {
        assert_eq!(run["text_lr"], 1e-3);
        for concept in ["subject", "style"] {
            assert!(run[format!("{concept}_retrieval")].is_f64(), "{run}");
            assert!(run["validation_loss"][concept].is_f64(), "{run}");
            assert_eq!(run["diverged"][concept], false);
        }
    }
    assert!(place.path("out-style-scaled-gd.png").exists());

    place.succeed(&[
        "sweep",
        "model",
        "icons",
        "text.json",
        "--method",
        "scaled-adamw",
        "--lr",
        "1e-2",
        "--text-lr",
        "1e-3,0",
        "--without-grids",
        "--steps",
        "2",
        "--rank",
        "2",
    ]);
    let result: Value =
        serde_json::from_slice(&std::fs::read(place.path("text.json")).unwrap()).unwrap();
    let rates: Vec<Option<f64>> = result["figures"]["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["text_lr"].as_f64())
        .collect();
    assert_eq!(rates, [Some(1e-3), Some(0.0)]);
    assert!(!place.path("text-style-scaled-adamw.png").exists());
}

#[test]
fn what_does_not_fit_is_refused() {
    let place = place("images-refused");
    write_settings(&place, |settings| {
        settings["training"]["model"]["vocab_size"] = json!(20)
    });
    let why = place.refused(&PRETRAIN);
    assert!(
        why.contains("vocab_size is 20") && why.contains("need 19"),
        "{why}"
    );
    write_settings(&place, |settings| settings["training"]["steps"] = json!(3));
    place.succeed(&PRETRAIN);
    write_settings(&place, |settings| settings["training"]["steps"] = json!(4));
    assert!(
        place
            .refused(&PRETRAIN)
            .contains("checkpoint is of other settings")
    );
    assert!(
        place
            .refused(&["grid", "nowhere", "grid.png", "red"])
            .contains("config.json")
    );
    assert!(
        place
            .refused(&["grid", "model", "grid.png", "red", "--zoom", "0"])
            .contains("zoom is 0")
    );
    std::fs::write(place.path("icons/pretraining.safetensors"), "no file").unwrap();
    assert!(place.refused(&PRETRAIN).contains("scripts/make-icons"));
}
