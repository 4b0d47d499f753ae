//! The native program from outside, on a tiny model: what it writes, and what it refuses.
#![cfg(not(target_arch = "wasm32"))]

mod workplace;

use std::path::Path;

use serde_json::{Value, json};

use workplace::Workplace;

/// With the tiny Llama of the golden values and lines to train on.
fn place(name: &str) -> Workplace {
    let place = Workplace::new(name, &[]);
    let model = place.path("model");
    std::fs::create_dir_all(&model).unwrap();
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/golden");
    for file in ["config.json", "model.safetensors"] {
        std::fs::copy(golden.join("llama/model").join(file), model.join(file)).unwrap();
    }
    std::fs::copy(golden.join("tokenizer.json"), model.join("tokenizer.json")).unwrap();
    let names = [
        "Alimentum",
        "The Mill",
        "Zizzi",
        "Aromi",
        "The Punter",
        "Cocum",
    ];
    let lines: String = names
        .iter()
        .map(|name| format!("name : {name} | area : riverside||{name} is by the river .\n"))
        .collect();
    std::fs::write(place.path("train.txt"), &lines).unwrap();
    std::fs::write(place.path("valid.txt"), &lines).unwrap();
    place
}

fn plan(steps: u32) -> Value {
    json!({
        "session": { "rank": 2, "alpha": 4, "dropout": 0, "targets": ["q_proj", "v_proj"], "batch_size": 2, "steps": steps },
        "data": { "sequence_length": 32 },
        "validation_examples": 3,
        "seeds": [0, 1],
        "extensions": 1,
        "methods": [
            { "name": "AdamW", "preset": "adamw", "lrs": [1e-3, 1e-2] },
            { "name": "Wild", "preset": "scaled-gd-paper", "lrs": [1e30] }
        ]
    })
}

const SWEEP: [&str; 6] = [
    "sweep",
    "model",
    "train.txt",
    "valid.txt",
    "plan.json",
    "--folder",
];

#[test]
fn a_sweep_fills_its_folder_reports_and_does_nothing_twice() {
    let place = place("sweep");
    place.write("plan.json", &plan(3));
    let words = [
        &SWEEP[..],
        &["folder", "--output", "out/sweep.json", "--json"],
    ]
    .concat();
    let first: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    let adamw = &first["figures"]["AdamW"];
    assert!(adamw["best_loss"].as_f64().unwrap() < first["base_loss"].as_f64().unwrap());
    // Two of the grid, one past its edge, and a second seed for the best and its neighbour.
    assert_eq!(adamw["curve"].as_array().unwrap().len(), 3);
    let runs = first["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 6);
    assert_eq!(first["figures"]["Wild"]["diverged"], 1);
    assert_eq!(first["figures"]["Wild"]["best_loss"], Value::Null);
    let picture = std::fs::read_to_string(place.path("out/sweep.svg")).unwrap();
    assert!(picture.starts_with("<svg") && picture.contains("learning rate"));

    let again: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    assert_eq!(again["runs"], first["runs"]);

    // Without the last result, whatever it was, the report counts the others and trains nothing.
    let results = place.path("folder/results.jsonl");
    let lines = std::fs::read_to_string(&results).unwrap();
    let kept: Vec<&str> = lines.lines().take(5).collect();
    std::fs::write(&results, kept.join("\n")).unwrap();
    let so_far = [&words[..], &["--report-only"]].concat();
    let so_far: Value = serde_json::from_str(&place.succeed(&so_far)).unwrap();
    assert_eq!(first["pending_runs"], 0);
    assert_eq!(so_far["pending_runs"], 1);
    assert_eq!(so_far["runs"].as_array().unwrap()[..], runs[..5]);

    // A result that was lost is made again, the same to the bit in a bank of the same runs.
    std::fs::remove_file(&results).unwrap();
    let renewed: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    let sorted = |value: &Value| {
        let mut lines: Vec<String> = value["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&renewed), sorted(&first));

    place.write("plan.json", &plan(4));
    let error = place.refused(&words);
    assert!(error.contains("another configuration"), "{error}");
}

#[test]
fn a_sweep_refuses_what_it_cannot_do_before_it_trains() {
    let place = place("refused");
    for (pointer, value, words) in [
        ("/session/rank", json!(0), "rank is 0"),
        (
            "/session/rank",
            json!(17),
            "rank is 17; it must be between 1 and 16",
        ),
        ("/session/alpha", json!(-1), "alpha is -1"),
        ("/session/steps", json!(0), "steps is 0"),
        ("/session/targets", json!(["qkv"]), "unknown variant `qkv`"),
        (
            "/methods/0/preset",
            json!("adam"),
            "it must be one of adamw",
        ),
        ("/methods/0/lrs", json!([-1e-3]), "finite numbers above 0"),
        ("/seeds", json!([]), "seeds is empty"),
    ] {
        let mut plan = plan(3);
        *plan.pointer_mut(pointer).unwrap() = value;
        place.write("plan.json", &plan);
        let error = place.refused(&[&SWEEP[..], &[&format!("folder{}", words.len())]].concat());
        assert!(error.contains(words), "{pointer}: {error}");
    }
    place.write("plan.json", &plan(3));
    let error = place.refused(&[
        "sweep",
        "nowhere",
        "train.txt",
        "valid.txt",
        "plan.json",
        "--folder",
        "f",
    ]);
    assert!(error.contains("nowhere"), "{error}");
}

#[test]
fn overhead_measures_every_rank_and_no_extra_state() {
    let place = place("overhead");
    let printed = place.succeed(&[
        "overhead",
        "model",
        "--ranks",
        "1,4",
        "--steps",
        "2",
        "--sequence-length",
        "8",
        "--batch-size",
        "1",
        "--json",
    ]);
    let found: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(found["figures"]["extra_state_bytes"], 0);
    for rank in ["step_time_ratio_r1", "step_time_ratio_r4"] {
        assert!(found["figures"][rank].as_f64().unwrap() > 0.0, "{found}");
    }
    assert_eq!(found["measurements"][1]["temporary_bytes"], 2 * 4 * 16 * 4);
    let error = place.refused(&["overhead", "model", "--ranks", "65"]);
    assert!(error.contains("rank is 65"), "{error}");
}

#[test]
fn training_writes_losses_a_picture_and_adapters() {
    let place = place("train");
    let mut settings = json!({
        "data": { "sequence_length": 32, "validation": { "count": 2 } },
        "session": plan(3)["session"].clone()
    });
    settings["session"]["seed"] = json!(0);
    settings["session"]["runs"] = json!([
        { "name": "plain", "optimizer": optimizer(1e-2) },
        { "name": "wild", "optimizer": optimizer(1e38) }
    ]);
    place.write("settings.json", &settings);
    let words = [
        "train",
        "model",
        "train.txt",
        "settings.json",
        "--result",
        "out/loss.json",
        "--output",
        "adapters",
    ];
    let printed = place.succeed(&words);
    assert!(printed.contains("wild diverged at step"), "{printed}");
    let result: Value =
        serde_json::from_slice(&std::fs::read(place.path("out/loss.json")).unwrap()).unwrap();
    let ends = &result["figures"]["plain"];
    assert!(ends["last_loss"].as_f64().unwrap() < ends["first_loss"].as_f64().unwrap());
    assert!(place.path("out/loss.svg").exists());
    let adapter = place.path("adapters/run-1");
    assert!(adapter.join("adapter_model.safetensors").exists());
    let gguf = std::fs::read(adapter.join("adapter.gguf")).unwrap();
    assert!(gguf.starts_with(b"GGUF"));

    settings["session"]["runs"][1]["optimizer"]["lr"] = json!(-1);
    place.write("settings.json", &settings);
    let error = place.refused(&words);
    assert!(error.contains("run 2: lr is -1"), "{error}");
    settings["session"]["runs"][1]["optimizer"]["rule"] = json!("adam");
    place.write("settings.json", &settings);
    let error = place.refused(&words);
    assert!(error.contains("unknown variant `adam`"), "{error}");
}

fn optimizer(lr: f64) -> Value {
    json!({
        "rule": "adamw", "preconditioner": null, "lr": lr, "lr_ratio_b": 1, "betas": [0.9, 0.999], "eps": 1e-8,
        "weight_decay": 0, "max_grad_norm": null, "schedule": { "warmup_steps": 0, "decay": "constant" }
    })
}
