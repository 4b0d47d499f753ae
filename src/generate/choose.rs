//! From logits to a token.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::SampleSettings;

/// The next token: the likeliest at temperature 0, else drawn from the tokens that `top_k` and
/// `top_p` leave. `None` where no logit is finite.
///
/// Tokens are ranked by logit, ties by id; `top_k` cuts first, then `top_p` keeps the shortest
/// beginning whose probability reaches it, always at least one (Holtzman et al. 2020).
pub fn choose(logits: &[f32], settings: &SampleSettings, random: &mut ChaCha8Rng) -> Option<u32> {
    let mut ranked: Vec<(u32, f64)> = (0..)
        .zip(logits)
        .filter(|(_, logit)| logit.is_finite())
        .map(|(id, &logit)| (id, f64::from(logit)))
        .collect();
    if settings.temperature <= 0.0 {
        // The first of equals: `max_by` would take the last.
        return ranked
            .into_iter()
            .reduce(|best, next| if next.1 > best.1 { next } else { best })
            .map(|(id, _)| id);
    }
    ranked.sort_by(|x, y| y.1.total_cmp(&x.1).then(x.0.cmp(&y.0)));
    if settings.top_k > 0 {
        ranked.truncate(settings.top_k as usize);
    }
    let largest = ranked.first()?.1;
    let weights: Vec<f64> = ranked
        .iter()
        .map(|(_, logit)| ((logit - largest) / settings.temperature).exp())
        .collect();
    let total: f64 = weights.iter().sum();
    let mut kept = 0.0;
    let mut count = 0;
    for weight in &weights {
        kept += weight;
        count += 1;
        if kept >= settings.top_p * total {
            break;
        }
    }
    let mut left = random.random::<f64>() * kept;
    for (&(id, _), weight) in ranked.iter().zip(&weights).take(count) {
        left -= weight;
        if left < 0.0 {
            return Some(id);
        }
    }
    ranked.get(count.saturating_sub(1)).map(|&(id, _)| id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn settings(temperature: f64, top_k: u32, top_p: f64) -> SampleSettings {
        SampleSettings {
            prompt: String::new(),
            chat: false,
            max_tokens: 1,
            temperature,
            top_k,
            top_p,
            seed: 0,
            stop: Vec::new(),
            include_base: false,
        }
    }

    fn counts(logits: &[f32], settings: &SampleSettings) -> Vec<usize> {
        let mut random = ChaCha8Rng::seed_from_u64(3);
        let mut counts = vec![0; logits.len()];
        for _ in 0..10_000 {
            counts[choose(logits, settings, &mut random).unwrap() as usize] += 1;
        }
        counts
    }

    #[test]
    fn greedy_takes_the_first_of_the_largest() {
        let mut random = ChaCha8Rng::seed_from_u64(0);
        let logits = [0.0, f32::NAN, 2.0, 2.0];
        assert_eq!(
            choose(&logits, &settings(0.0, 0, 1.0), &mut random),
            Some(2)
        );
        assert_eq!(
            choose(&[f32::NAN], &settings(0.0, 0, 1.0), &mut random),
            None
        );
        assert_eq!(choose(&[], &settings(1.0, 0, 1.0), &mut random), None);
    }

    #[test]
    fn draws_follow_the_softmax() {
        // Probabilities 1/7, 4/7, 2/7; 10,000 draws stay within 4 standard deviations (200).
        let logits = [0.0, 4f32.ln(), 2f32.ln()];
        let counts = counts(&logits, &settings(1.0, 0, 1.0));
        for (count, expected) in counts.iter().zip([1429_i64, 5714, 2857]) {
            assert!((*count as i64 - expected).abs() < 200, "{counts:?}");
        }
    }

    #[test]
    fn temperature_sharpens() {
        // At temperature 1/2 the odds 4 : 2 become 16 : 4.
        let logits = [f32::NEG_INFINITY, 4f32.ln(), 2f32.ln()];
        let counts = counts(&logits, &settings(0.5, 0, 1.0));
        assert_eq!(counts[0], 0);
        assert!((counts[1] as i64 - 8000).abs() < 160, "{counts:?}");
    }

    #[test]
    fn top_k_and_top_p_cut_the_tail() {
        let logits = [0.0, 4f32.ln(), 2f32.ln()];
        assert_eq!(counts(&logits, &settings(1.0, 1, 1.0)), [0, 10_000, 0]);
        assert_eq!(counts(&logits, &settings(1.0, 2, 1.0))[0], 0);
        // 4/7 is not yet 0.6, 6/7 is.
        let kept = counts(&logits, &settings(1.0, 0, 0.6));
        assert!(kept[0] == 0 && kept[2] > 0, "{kept:?}");
        assert_eq!(counts(&logits, &settings(1.0, 0, 0.5)), [0, 10_000, 0]);
    }
}
