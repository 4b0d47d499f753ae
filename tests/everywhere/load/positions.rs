//! Rotary positions as files of different ages say them.

use riemann_lora::model::{Rotary, RotaryScaling};
use serde_json::{Value as Json, json};

use super::{
    assert_refused,
    gguf_writer::{GgufWriter, TINY, Value},
    golden_folder,
    hugging_face::config_with,
    open,
};

const LLAMA3: RotaryScaling = RotaryScaling::Llama3 {
    factor: 8.0,
    low_frequency: 1.0,
    high_frequency: 4.0,
    positions: 64.0,
};

fn llama3() -> Json {
    json!({
        "rope_type": "llama3",
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    })
}

fn with_theta(mut parameters: Json, theta: f64) -> Json {
    parameters["rope_theta"] = json!(theta);
    parameters
}

everywhere! {
    /// transformers 4 has `rope_theta` and `rope_scaling`, 5 has `rope_parameters`.
    async fn both_forms_of_a_folder_are_read() {
        let plain = RotaryScaling::None;
        let linear = RotaryScaling::Linear { factor: 4.0 };
        let four = |theta: f64, scaling: Json| json!({ "rope_theta": theta, "rope_scaling": scaling });
        let five = |parameters: Json| json!({ "rope_theta": null, "rope_parameters": parameters });
        let cases = [
            (four(5e5, Json::Null), 5e5, plain),
            (four(5e5, llama3()), 5e5, LLAMA3),
            (four(1e4, json!({ "type": "linear", "factor": 4.0 })), 1e4, linear),
            (five(json!({ "rope_type": "default", "rope_theta": 5e5 })), 5e5, plain),
            (five(with_theta(llama3(), 5e5)), 5e5, LLAMA3),
            (five(json!({ "rope_type": "linear", "factor": 4.0, "rope_theta": 2e4 })), 2e4, linear),
        ];
        for (fields, theta, scaling) in cases {
            let config = config_with(|config| {
                for (name, value) in fields.as_object().expect("fields") {
                    config[name] = value.clone();
                }
            });
            let mut folder = golden_folder();
            folder[0].1 = &config;
            let checkpoint = open(&folder).await.expect("the config is sound");
            let expected = Rotary { scaling, ..Rotary::plain(theta) };
            assert_eq!(checkpoint.config().rotary, Some(expected), "{fields}");
            assert!(checkpoint.notices().is_empty());
        }
    }
}

everywhere! {
    async fn of_two_bases_the_one_of_transformers_5_counts() {
        let config = config_with(|config| {
            config["rope_theta"] = json!(1e4);
            config["rope_parameters"] = json!({ "rope_type": "default", "rope_theta": 5e5 });
        });
        let mut folder = golden_folder();
        folder[0].1 = &config;
        let checkpoint = open(&folder).await.expect("the config is sound");
        assert_eq!(checkpoint.config().rotary, Some(Rotary::plain(5e5)));
        let notices = checkpoint.notices();
        assert_eq!(notices.len(), 1);
        assert!(notices[0].contains("rope_theta is 10000, and 500000 in rope_parameters"), "{notices:?}");
    }
}

everywhere! {
    async fn positions_that_are_unknown_are_refused() {
        let cases = [
            (json!({ "rope_theta": "10000" }), "rope_theta is \"10000\", not a number"),
            (
                json!({ "rope_theta": null, "rope_parameters": { "rope_type": "default" } }),
                "has no rope_theta",
            ),
            (
                json!({ "rope_parameters": { "rope_type": "default", "rope_theta": "1e6" } }),
                "rope_theta is \"1e6\", not a number",
            ),
            (
                json!({ "rope_scaling": { "rope_type": "yarn", "factor": 4.0 } }),
                "scales positions as yarn, which is not supported; use a model with one of default, linear and llama3",
            ),
            (
                json!({ "rope_scaling": { "rope_type": "dynamic", "factor": 4.0 } }),
                "scales positions as dynamic, which is not supported",
            ),
            (json!({ "rope_scaling": { "rope_type": "linear" } }), "has no factor"),
            (json!({ "rope_scaling": { "rope_type": "linear", "factor": 0.0 } }), "factor is 0"),
            (json!({ "rope_parameters": [1] }), "rope_parameters is [1], not an object"),
            (
                json!({ "partial_rotary_factor": 0.4 }),
                "partial_rotary_factor is 0.4; it must be a share",
            ),
        ];
        for (fields, expected) in cases {
            let config = config_with(|config| {
                for (name, value) in fields.as_object().expect("fields") {
                    config[name] = value.clone();
                }
            });
            let mut folder = golden_folder();
            folder[0].1 = &config;
            assert_refused(&folder, expected).await;
        }
    }
}

everywhere! {
    /// llama.cpp takes a factor without a type for a linear one, under either name.
    async fn a_factor_alone_is_linear_in_a_gguf_file() {
        let none = RotaryScaling::None;
        let by_two = RotaryScaling::Linear { factor: 2.0 };
        let cases: [(&[(&str, Value)], RotaryScaling); 5] = [
            (&[("rope.scaling.factor", Value::F32(2.0))], by_two),
            (&[("rope.scale_linear", Value::F32(2.0))], by_two),
            (&[("rope.scaling.factor", Value::F32(1.0))], none),
            (
                &[
                    ("rope.scaling.type", Value::String("linear".to_owned())),
                    ("rope.scaling.factor", Value::F32(2.0)),
                ],
                by_two,
            ),
            (
                &[
                    ("rope.scaling.type", Value::String("none".to_owned())),
                    ("rope.scaling.factor", Value::F32(2.0)),
                ],
                none,
            ),
        ];
        for (keys, scaling) in cases {
            let mut writer = GgufWriter::llama(TINY);
            for (key, value) in keys {
                writer.set(&format!("llama.{key}"), value.clone());
            }
            let checkpoint = open(&[("model.gguf", &writer.finish())]).await.expect("a sound file");
            let rotary = checkpoint.config().rotary.as_ref();
            assert_eq!(rotary.map(|rotary| rotary.scaling), Some(scaling), "{keys:?}");
        }
    }
}
