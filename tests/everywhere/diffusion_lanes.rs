//! Who draws what in a page's grid, and adapters of the text-to-image model out and in. A software WebGPU adapter takes minutes
//! for them.

use riemann_lora::{
    diffusion::{
        Words, adapter_file,
        draw::{DrawSettings, Drawing},
    },
    model::{Adapters, Target},
    train::{Session, SessionSettings},
};

use crate::diffusion::{adapters, assert_close, golden, model};
use crate::diffusion_sessions::{factors, factors_of, optimizers};
use crate::support::{difference, settings, values};

fn order(runs: &[u32], include_base: bool) -> DrawSettings {
    DrawSettings {
        captions: vec!["red apple".into(), "zib".into()],
        steps: 2,
        guidance: 3.0,
        seed: 4,
        runs: runs.to_vec(),
        include_base,
    }
}

everywhere! {
    async fn lanes_draw_what_each_run_and_the_base_draw_alone() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let words = Words::new("apple\nred");
        let reading = (&words, golden.config.caption_length);
        let draw = async |settings: &DrawSettings, adapters: Option<&Adapters>| {
            let order = Drawing::new(settings, reading, adapters, &[None, None]).unwrap();
            let mut sampler = order.sampler(&model);
            while !sampler.is_finished() {
                sampler.step();
            }
            (order.lanes.clone(), sampler.values().await.unwrap())
        };
        let (lanes, all) = draw(&order(&[1], true), Some(&adapters)).await;
        assert_eq!(lanes, [None, Some(1)]);
        let (base, run) = all.split_at(all.len() / 2);
        let (_, own) = draw(&order(&[], true), None).await;
        assert_close("base", base, &own);
        let second = adapters.run(1);
        let (_, own) = draw(&order(&[0], false), Some(&second)).await;
        assert_close("run", run, &own);
        assert!(difference(base, run) > 1e-3);
    }
}

everywhere! {
    async fn what_cannot_be_drawn_is_refused_by_field() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let words = Words::new("apple");
        let refused = |change: fn(&mut DrawSettings)| {
            let mut wanted = order(&[0], true);
            change(&mut wanted);
            let order = Drawing::new(&wanted, (&words, 3), Some(&adapters), &[None, Some(3)]);
            order.map(|order| order.lanes).map_err(|error| error.field)
        };
        assert_eq!(refused(|s| s.captions.clear()), Err("captions"));
        assert_eq!(refused(|s| s.captions = vec![String::new(); 65]), Err("captions"));
        assert_eq!(refused(|s| s.steps = 0), Err("steps"));
        assert_eq!(refused(|s| s.steps = 201), Err("steps"));
        assert_eq!(refused(|s| s.guidance = f64::NAN), Err("guidance"));
        assert_eq!(refused(|s| s.guidance = -1.0), Err("guidance"));
        assert_eq!(refused(|s| s.runs = vec![2]), Err("runs"));
        // Run 1 has diverged: it has nothing to draw with.
        assert_eq!(refused(|s| s.runs = vec![0, 1]), Ok(vec![None, Some(0)]));
    }
}

everywhere! {
    async fn an_adapter_comes_back_as_it_left() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let bytes = adapter_file::write(&model, &adapters, 1, "icons").await.unwrap();
        let read = adapter_file::read(&model, &bytes).unwrap();
        assert_eq!(read.base.as_deref(), Some("icons"));
        assert_eq!(read.adapters.shape, adapters.shape);
        let own = adapters.run(1);
        for (found, wanted) in read.adapters.banks().zip(own.banks()) {
            assert_eq!(values(found.a.clone()).await, values(wanted.a.clone()).await);
            assert_eq!(values(found.b.clone()).await, values(wanted.b.clone()).await);
        }
        let names = String::from_utf8_lossy(&bytes[..bytes.len().min(20_000)]).into_owned();
        assert!(names.contains("base_model.model.text.blocks.0.q_proj.lora_A.weight"));
        assert!(names.contains("base_model.model.blocks.1.down_proj.lora_B.weight"));
        let wanted = SessionSettings { rank: golden.adapters.rank as u32, alpha: golden.adapters.alpha, targets: Target::LLAMA.to_vec(), ..settings(optimizers()) };
        let session = Session::starting_from(&model, wanted, &read.adapters).unwrap();
        assert_eq!(factors(&session, 2).await, factors_of(&own).await);
    }
}

everywhere! {
    async fn what_is_no_adapter_of_this_model_is_refused() {
        let golden = golden();
        let model = model(&golden).await;
        let adapters = adapters(&golden, &model);
        let bytes = adapter_file::write(&model, &adapters, 0, "icons").await.unwrap();
        let refused = |bytes: &[u8]| adapter_file::read(&model, bytes).unwrap_err().to_string();
        assert!(refused(&[]).contains("no safetensors file"));
        assert!(refused(&bytes[..bytes.len() / 2]).contains("use one that this page exported"));
        let edited = |from: &str, to: &str| {
            assert_eq!(from.len(), to.len());
            let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut edited = bytes.clone();
            edited[at..at + from.len()].copy_from_slice(to.as_bytes());
            edited
        };
        assert!(refused(&edited("LORA", "LOHA")).contains("peft_type is LOHA"));
        assert!(refused(&edited("adapter_config", "other_settings")).contains("has no adapter_config"));
        assert!(refused(&edited("text.blocks.0.q_proj.lora_A", "text.blocks.9.q_proj.lora_A")).contains("missing"));
        // The last value of the file.
        let mut diverged = bytes.clone();
        let end = diverged.len();
        diverged[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
        assert!(refused(&diverged).contains("has the value NaN"));
        let weights = include_bytes!("../fixtures/diffusion/weights.safetensors");
        assert!(refused(weights).contains("has no adapter_config"));
    }
}
