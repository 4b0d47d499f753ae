//! Folders that say a thing twice, were renamed, or hold what no model needs.

use safetensors::Dtype;
use serde_json::json;

use super::{
    GOLDEN_CONFIG, GOLDEN_TOKENIZER, assert_refused, golden_folder,
    hugging_face::{config_with, golden_tensors, write},
    open,
};

everywhere! {
    async fn a_weight_of_an_unread_type_is_refused_and_a_buffer_of_it_is_not() {
        let with = |name: &str, written| {
            let mut tensors = golden_tensors();
            tensors.insert(name.to_owned(), written);
            write(&tensors)
        };
        let passed = [
            ("model.position_ids", (Dtype::I64, vec![2], vec![0; 16])),
            ("model.layers.0.attn.mask", (Dtype::BOOL, vec![1, 2], vec![0; 2])),
            ("model.step", (Dtype::F32, vec![], vec![0; 4])),
            ("model.nothing", (Dtype::F32, vec![0, 4], vec![])),
            ("model.layers.1.attn.masked_bias", (Dtype::F32, vec![1], vec![0; 4])),
        ];
        for (name, written) in passed {
            let bytes = with(name, written);
            let mut folder = golden_folder();
            folder[1].1 = &bytes;
            let checkpoint = open(&folder).await.unwrap();
            let notices = checkpoint.notices();
            let expected = format!("tensor {name} is no weight of a Llama model and was passed over");
            assert!(notices[0].contains(&expected), "{notices:?}");
        }
        let name = "model.layers.0.mlp.up_proj.weight";
        let elements: usize = golden_tensors()[name].1.iter().product();
        let refused = [
            (name, Dtype::F8_E4M3, golden_tensors()[name].1.clone(), elements, "is F8_E4M3, which is not supported"),
            ("model.norm.scale", Dtype::F32, vec![2], 8, "has no place in a Llama model"),
            ("model.norm.weight_scale_inv", Dtype::F8_E4M3, vec![2], 2, "has no place in a Llama model"),
        ];
        for (name, kind, shape, bytes, expected) in refused {
            let bytes = with(name, (kind, shape, vec![0; bytes]));
            let mut folder = golden_folder();
            folder[1].1 = &bytes;
            assert_refused(&folder, expected).await;
        }
    }
}

everywhere! {
    /// A browser that has the name already writes a number into it.
    async fn files_that_a_browser_renamed_are_found() {
        let tensors = golden_tensors();
        let is_first = |name: &str| name.contains("layers.0.");
        let first = write(tensors.iter().filter(|(name, _)| is_first(name)));
        let second = write(tensors.iter().filter(|(name, _)| !is_first(name)));
        let mut files: Vec<(&str, &[u8])> = vec![
            ("model-00002-of-00002 (1).safetensors", &second),
            ("config (3).json", GOLDEN_CONFIG),
            ("model-00001-of-00002(2).safetensors", &first),
            ("tokenizer (1).json", GOLDEN_TOKENIZER),
        ];
        let checkpoint = open(&files).await.unwrap();
        let whole = open(&golden_folder()).await.unwrap();
        assert_eq!(checkpoint.tensors(), whole.tensors());
        for info in checkpoint.tensors() {
            assert_eq!(checkpoint.tensor(&info.name).await, whole.tensor(&info.name).await);
        }
        files.push(("config.json", GOLDEN_CONFIG));
        assert_refused(&files, "config.json: it and config (3).json are both config.json").await;
    }
}

everywhere! {
    /// transformers 5 takes the older form of a scaling before the newer one.
    async fn of_two_scalings_rope_scaling_counts() {
        let linear = json!({ "type": "linear", "factor": 2.0 });
        let newer = json!({ "rope_type": "default", "rope_theta": 5e5 });
        let config = config_with(|config| {
            config["rope_theta"] = json!(2e4);
            config["rope_scaling"] = linear.clone();
            config["rope_parameters"] = newer.clone();
        });
        let mut folder = golden_folder();
        folder[0].1 = &config;
        let checkpoint = open(&folder).await.unwrap();
        let rotary = checkpoint.config().rotary.as_ref().unwrap();
        assert_eq!(rotary.theta, 2e4);
        assert_eq!(rotary.scaling, riemann_lora::model::RotaryScaling::Linear { factor: 2.0 });
        assert!(checkpoint.notices()[0].contains("rope_scaling counts"), "{:?}", checkpoint.notices());

        let config = config_with(|config| {
            config["rope_theta"] = json!(null);
            config["rope_scaling"] = linear;
            config["rope_parameters"] = newer;
        });
        folder[0].1 = &config;
        assert_refused(&folder, "no rope_theta belongs to it").await;
    }
}

everywhere! {
    async fn what_a_chat_template_adds_is_told() {
        let template = "{% if messages[0].role != 'system' %}<|im_start|>system\nBe brief.<|im_end|>\n{% endif %}\
                        {% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}";
        let plain = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}";
        let mut folder = golden_folder();
        folder.push(("chat_template.jinja", plain.as_bytes()));
        assert!(open(&folder).await.unwrap().notices().is_empty());
        folder[3].1 = template.as_bytes();
        let checkpoint = open(&folder).await.unwrap();
        assert_eq!(
            checkpoint.notices(),
            [r#"The chat template begins each conversation that has no system message with "<|im_start|>system\nBe brief.<|im_end|>"."#]
        );
    }
}
