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
    let without_file = [&SWEEP[..], &["folder", "--json"]].concat();
    let so_far = [&without_file[..], &["--report-only"]].concat();
    let so_far: Value = serde_json::from_str(&place.succeed(&so_far)).unwrap();
    assert_eq!(first["pending_runs"], 0);
    assert_eq!(so_far["pending_runs"], 1);
    assert_eq!(so_far["runs"].as_array().unwrap()[..], runs[..5]);

    // A result that was lost is made again, the same to the bit in a bank of the same runs.
    std::fs::remove_file(&results).unwrap();
    let renewed: Value = serde_json::from_str(&place.succeed(&without_file)).unwrap();
    assert_eq!(numbers_of(&renewed), numbers_of(&first));

    // On a machine that has the result file alone, its runs are taken up, what they cost included.
    std::fs::remove_dir_all(place.path("folder")).unwrap();
    let taken: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    assert_eq!(taken["runs"], first["runs"]);

    // What is held out of the data is nothing to a sweep, which has a validation file.
    let mut same = plan(3);
    same["data"]["validation"] = json!({ "share": 0.5 });
    place.write("plan.json", &same);
    let taken: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    assert_eq!(taken["runs"], first["runs"]);

    place.write("plan.json", &plan(4));
    let error = place.refused(&words);
    assert!(error.contains("another configuration"), "{error}");
}

/// The runs in some order, without what they cost.
fn numbers_of(result: &Value) -> Vec<String> {
    let runs = result["runs"].as_array().unwrap().iter();
    let mut lines: Vec<String> = runs
        .map(|run| {
            let mut run = run.clone();
            run.as_object_mut().unwrap().remove("processor_seconds");
            run.to_string()
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn seeds_go_over_the_whole_grid_and_halves_choose_and_report() {
    let place = place("grid");
    let mut plan = plan(3);
    plan["extensions"] = json!(0);
    plan["seeds_over"] = json!("grid");
    plan["validation_halves"] = json!(true);
    plan["factors"] = json!(true);
    plan["schedule"] = json!({ "warmup_steps": 1, "decay": "linear" });
    plan["methods"] = json!([
        { "name": "AdamW", "preset": "adamw", "lrs": { "from": 1e-3, "to": 1e-2, "per_decade": 2 } },
        { "name": "GD", "preset": "scaled-gd", "lrs": [0.1], "damping": 1e-4 }
    ]);
    place.write("plan.json", &plan);
    let words = [
        &SWEEP[..],
        &["folder", "--output", "study-p1.json", "--json"],
    ]
    .concat();
    let output = place.program(&words).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("GD: a warm-up of one step is none"), "{said}");
    let result: Value = serde_json::from_slice(&output.stdout).unwrap();
    let runs = result["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 8);
    assert_ne!(result["base_loss"], result["base_report_loss"]);
    for run in runs {
        let (loss, reported) = (&run["validation_loss"], &run["report_loss"]);
        assert!(
            loss.is_f64() && reported.is_f64() && loss != reported,
            "{run}"
        );
        let factors = run["factors"].as_array().unwrap();
        assert_eq!(factors.len(), 3, "{run}");
        // The first step of this warm-up has a rate of 0, so that B is still 0.
        assert_eq!(factors[0]["norm_b"], 0.0);
        assert!(factors[2]["norm_b"].as_f64().unwrap() > 0.0);
        assert_eq!(factors[2]["log_det"].is_f64(), run["method"] == "GD");
    }

    // Nothing of this plan is a contrast of the study, but it is a piece.
    let study: Value =
        serde_json::from_str(&place.succeed(&["study", "report", ".", "--json"])).unwrap();
    assert_eq!(study["figures"]["runs"], 8);
    assert_eq!(study["figures"]["sgd_pair"]["tiny"], Value::Null);
    assert_eq!(study["figures"]["sgd_pair"]["verdict_better"], "unresolved");
    let methods = study["figures"]["methods"]["tiny"].as_array().unwrap();
    assert_eq!(methods[0]["curve"].as_array().unwrap().len(), 3);
    assert!(place.path("study-p1-loss-full-matrix.svg").exists());
    let error = place.refused(&["study", "report", "folder"]);
    assert!(error.contains("scripts/study makes them"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_sweep_that_is_ended_politely_goes_on_where_it_was() {
    let place = place("ended");
    let mut plan = plan(400);
    plan["extensions"] = json!(0);
    plan["seeds"] = json!([0]);
    place.write("plan.json", &plan);
    let words = [&SWEEP[..], &["folder", "--output", "out.json", "--json"]].concat();
    let mut sweep = place.program(&words).spawn().unwrap();
    let has_checkpoint = || {
        let entries = std::fs::read_dir(place.path("folder"));
        entries.is_ok_and(|entries| {
            let mut paths = entries.flatten().map(|entry| entry.path());
            paths.any(|path| path.extension().is_some_and(|end| end == "bank"))
        })
    };
    while !has_checkpoint() && sweep.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    let pid = sweep.id().to_string();
    let asked = std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status();
    assert!(asked.unwrap().success());
    assert_eq!(sweep.wait().unwrap().code(), Some(130));
    assert!(has_checkpoint());

    let resumed: Value = serde_json::from_str(&place.succeed(&words)).unwrap();
    let whole = [&SWEEP[..], &["other", "--json"]].concat();
    let whole: Value = serde_json::from_str(&place.succeed(&whole)).unwrap();
    assert_eq!(numbers_of(&resumed), numbers_of(&whole));
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
        (
            "/session/targets",
            json!(["qkv"]),
            "session.targets[0] is \"qkv\"; it must be \"q_proj\"",
        ),
        (
            "/methods/0/preset",
            json!("adam"),
            "it must be one of adamw",
        ),
        ("/methods/0/lrs", json!([-1e-3]), "finite numbers above 0"),
        ("/seeds_over", json!("grid"), "extensions is 1"),
        ("/methods/0/damping", json!(1e-2), "has no preconditioner"),
        ("/edge", json!({ "decades": 0 }), "decades of edge is 0"),
        (
            "/schedule",
            json!({ "warmup_share": 2, "decay": "linear" }),
            "warmup_share is 2",
        ),
        ("/seeds", json!([]), "seeds is empty"),
    ] {
        let mut plan = plan(3);
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        plan.pointer_mut(parent).unwrap()[name] = value;
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
    let config = std::fs::read(adapter.join("adapter_config.json")).unwrap();
    let config: Value = serde_json::from_slice(&config).unwrap();
    // The golden model says nothing of itself, so it is its folder, and not where that is.
    assert_eq!(config["base_model_name_or_path"], "model");
    assert!(config["peft_version"].as_str().unwrap().starts_with("0."));
    let card = std::fs::read_to_string(adapter.join("README.md")).unwrap();
    for words in [
        "base_model: \"model\"",
        "library_name: peft",
        "# plain",
        "| Data | train.txt |",
        "| Scale | alpha / rank |",
    ] {
        assert!(card.contains(words), "{words}: {card}");
    }
    // The one that diverged has none, and not one of zeros.
    assert!(!place.path("adapters/run-2").exists());

    let answer = [
        "generate",
        "model",
        "name",
        "--max-tokens",
        "2",
        "--adapter",
        "adapters/run-1",
    ];
    let output = place.program(&answer).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(
        said.contains("8 of 8 tensors matched, in 2 of 2 layers"),
        "{said}"
    );
    std::fs::rename(
        adapter.join("adapter_model.safetensors"),
        adapter.join("adapter_model.bin"),
    )
    .unwrap();
    let error = place.refused(&answer);
    assert!(
        error.contains("adapter_model.bin") && error.contains("safe_serialization=True"),
        "{error}"
    );
    let error = place.refused(&[&answer[..6], &["nowhere"]].concat());
    assert!(error.contains("adapter_config.json"), "{error}");

    settings["session"]["runs"][1]["optimizer"]["lr"] = json!(-1);
    place.write("settings.json", &settings);
    let error = place.refused(&words);
    assert!(error.contains("run 2: lr is -1"), "{error}");
    settings["session"]["runs"][1]["optimizer"]["rule"] = json!("adam");
    place.write("settings.json", &settings);
    let error = place.refused(&words);
    let mistake =
        "session.runs[1].optimizer.rule is \"adam\"; it must be \"adamw\", \"sgd\" or \"muon\"";
    assert!(error.contains(mistake), "{error}");
}

#[test]
fn the_settings_that_the_readme_and_the_program_print_train() {
    let place = Workplace::new("settings", &[]);
    let public = Path::new(env!("CARGO_MANIFEST_DIR")).join("www/public");
    let [model, data] = ["tiny", "data/wordnet-definitions.txt"]
        .map(|name| public.join(name).display().to_string());
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```json\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    for (name, text) in [
        ("readme", block),
        ("printed", &place.succeed(&["settings"])),
    ] {
        let short = text.replace("\"steps\": 200", "\"steps\": 2");
        assert_ne!(short, text, "{name} has other steps");
        std::fs::write(place.path("settings.json"), short).unwrap();
        let words = ["train", &model, &data, "settings.json", "--json"];
        let printed = place.succeed(&words);
        let last: Value = serde_json::from_str(printed.lines().last().unwrap()).unwrap();
        assert_eq!(last["step"], 2, "{name}: {printed}");
        assert_eq!(
            last["runs"].as_array().unwrap().len(),
            2,
            "{name}: {printed}"
        );
    }
    // Editors check files by it, so it must be one that they know.
    let schema: Value = serde_json::from_str(&place.succeed(&["settings", "--schema"])).unwrap();
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
}

fn optimizer(lr: f64) -> Value {
    json!({
        "rule": "adamw", "preconditioner": null, "lr": lr, "lr_ratio_b": 1, "betas": [0.9, 0.999], "eps": 1e-8,
        "weight_decay": 0, "max_grad_norm": null, "schedule": { "warmup_steps": 0, "decay": "constant" }
    })
}

/// What `train` is told, with so many steps.
fn train_settings(steps: u32) -> Value {
    json!({
        "session": {
            "rank": 2, "alpha": 4, "dropout": 0.1, "targets": ["q_proj", "v_proj"], "batch_size": 2,
            "micro_batch_size": 0, "gradient_checkpointing": false, "half_precision": false, "steps": steps, "seed": 0,
            "diagnostics": false,
            "runs": [{ "name": "AdamW", "optimizer": preset("adamw") }]
        },
        "data": { "sequence_length": 32 }
    })
}

/// A preset's optimizer, as the program prints it.
fn preset(name: &str) -> Value {
    let preset = riemann_lora::optim::presets();
    let found = preset.iter().find(|preset| preset.id == name).unwrap();
    serde_json::to_value(found.optimizer).unwrap()
}

/// A training of `settings.json`, kept every seven steps in `checkpoint`, its losses in `result`.
fn training(place: &Workplace, checkpoint: &str, result: &str) -> std::process::Command {
    let words = [
        "train",
        "model",
        "train.txt",
        "settings.json",
        "--checkpoint",
        checkpoint,
    ];
    let more = ["--checkpoint-every", "7", "--result", result];
    place.program(&[&words[..], &more[..]].concat())
}

/// Starts it, and waits until it was kept for the first time.
fn begun(place: &Workplace) -> std::process::Child {
    let mut begun = training(place, "kept", "one.json").spawn().unwrap();
    while !place.path("kept").exists() && begun.try_wait().unwrap().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    begun
}

/// What a result file says of the runs.
fn losses(place: &Workplace, result: &str) -> Value {
    let text = std::fs::read_to_string(place.path(result)).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["runs"].clone()
}

#[test]
fn a_training_that_is_killed_goes_on_to_the_same_curve_and_is_not_trained_twice() {
    let place = place("killed");
    place.write("settings.json", &train_settings(1500));
    let mut killed = begun(&place);
    killed.kill().unwrap();
    assert!(
        !killed.wait().unwrap().success(),
        "it ended before it was killed"
    );

    // A polite end between.
    let stopped = training(&place, "kept", "one.json").spawn().unwrap();
    let pid = stopped.id().to_string();
    std::process::Command::new("kill")
        .args(["-TERM", &pid])
        .status()
        .unwrap();
    stopped.wait_with_output().unwrap();

    let resumed = training(&place, "kept", "one.json").output().unwrap();
    assert!(String::from_utf8_lossy(&resumed.stderr).contains("Goes on after step"));
    assert!(
        training(&place, "whole", "two.json")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(losses(&place, "one.json"), losses(&place, "two.json"));
    assert_eq!(
        losses(&place, "one.json")[0]["losses"]
            .as_array()
            .unwrap()
            .len(),
        1500
    );

    // The same command after the end writes what was asked for, and trains nothing.
    let again = training(&place, "kept", "three.json").output().unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("Goes on after step 1500 of 1500"));
    assert_eq!(losses(&place, "three.json"), losses(&place, "two.json"));
}

#[test]
fn what_was_kept_of_one_training_is_not_taken_by_another() {
    let place = place("taken");
    place.write("settings.json", &train_settings(8));
    assert!(
        training(&place, "kept", "one.json")
            .status()
            .unwrap()
            .success()
    );
    let refused = |data: &str| {
        place.refused(&[
            "train",
            "model",
            data,
            "settings.json",
            "--checkpoint",
            "kept",
        ])
    };
    let mut other = std::fs::read(place.path("train.txt")).unwrap();
    other.extend(b"name : Zizzi||Zizzi .\n");
    std::fs::write(place.path("other.txt"), other).unwrap();
    assert!(refused("other.txt").contains("of other data; choose another --checkpoint"));
    place.write("settings.json", &train_settings(9));
    assert!(refused("train.txt").contains("of other settings"));
    let config = place.path("model/config.json");
    let mut text = std::fs::read_to_string(&config).unwrap();
    text.push('\n');
    std::fs::write(config, text).unwrap();
    assert!(refused("train.txt").contains("of another model and other settings"));
    let mut damaged = std::fs::read(place.path("kept")).unwrap();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    std::fs::write(place.path("kept"), damaged).unwrap();
    assert!(refused("train.txt").contains("it is damaged"));
}

#[test]
fn training_refuses_places_and_lengths_before_the_first_step() {
    let place = place("places");
    place.write("settings.json", &train_settings(3));
    std::fs::write(place.path("file"), "").unwrap();
    let refused = |more: &[&str]| {
        let words = ["train", "model", "train.txt", "settings.json"];
        place.refused(&[&words[..], more].concat())
    };
    assert!(refused(&["--output", "file/adapters"]).contains("cannot be written to"));
    assert!(refused(&["--result", "model"]).contains("is a folder; give the name of a file"));
    assert!(refused(&["--checkpoint", "file/kept"]).contains("cannot be written to"));
    let mut long = train_settings(3);
    long["data"]["sequence_length"] = json!(4096);
    place.write("settings.json", &long);
    let lines = "one two three four five six seven eight nine ten ".repeat(200);
    std::fs::write(place.path("train.txt"), format!("a||{lines}\nb||c\n")).unwrap();
    let error = place.refused(&["train", "model", "train.txt", "settings.json"]);
    assert!(error.contains("tokens"), "{error}");
    assert!(!error.contains("step 1"), "{error}");
}

#[test]
fn training_says_what_it_understood_and_measures_on_a_file_of_its_own() {
    let place = place("understood");
    let mut settings = train_settings(1);
    settings["data"] = json!({ "sequence_length": 32 });
    place.write("settings.json", &settings);
    std::fs::write(place.path("train.csv"), "question;answer\na;b\nc;d\ne;\n").unwrap();
    std::fs::write(place.path("valid.txt"), "g||h\n").unwrap();
    let words = ["train", "model", "train.csv", "settings.json"];
    let told = |more: &[&str]| {
        let all = [&words[..], more].concat();
        let output = place.program(&all).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{errors}");
        errors
    };
    let alone = told(&[]);
    for line in [
        "train.csv is read as table: the name ends in .csv; separated by ';'; question → answer; utf8",
        "1 example to train on and 1 held out",
        "1 row left out: 1 with an empty answer",
        "  train.csv, line 4: ",
    ] {
        assert!(alone.contains(line), "{alone}");
    }
    let beside = told(&["--validation", "valid.txt"]);
    assert!(
        beside.contains("2 examples to train on and 1 held out"),
        "{beside}"
    );
    assert!(beside.contains("valid.txt is read as pairs: "), "{beside}");
    let parquet = |name: &str| {
        let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/parquet");
        told(&["--validation", &format!("{fixtures}/{name}.parquet")])
    };
    let pairs = parquet("pairs");
    assert!(
        pairs.contains("2 examples to train on and 40 held out"),
        "{pairs}"
    );
    assert!(parquet("snappy").contains("read as empty: picture"));
    std::fs::write(place.path("valid.txt"), " ").unwrap();
    let refused = place.refused(&[&words[..], &["--validation", "valid.txt"]].concat());
    assert!(refused.contains("valid.txt: is empty"), "{refused}");
}

#[test]
fn whoever_reads_the_lines_may_go_away() {
    let place = place("pipe");
    place.write("settings.json", &train_settings(50));
    let words = ["train", "model", "train.txt", "settings.json", "--json"];
    let mut training = place
        .program(&words)
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(training.stdout.take());
    let output = training.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{errors}");
}

#[test]
fn a_refusal_is_its_message_and_nothing_else() {
    let place = place("backtrace");
    let mut program = place.program(&["inspect", "nothing.gguf"]);
    let output = program.env("RUST_BACKTRACE", "full").output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.starts_with("Error: "), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
