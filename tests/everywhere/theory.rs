//! The theory's numbers are the same natively and in the browser.

use riemann_lora::theory::{
    TheoryMethod, TheoryProblem, TheoryProblemKind,
    live::{self, TheoryRates, TheorySettings},
    problem::Problem,
    search::run,
};

fn settings(problem: TheoryProblemKind) -> TheoryProblem {
    TheoryProblem {
        problem,
        planted_condition: 10.0,
        data_condition: 3.0,
        ..TheoryProblem::default()
    }
}

everywhere! {
    async fn the_theory_s_numbers_are_the_same_to_the_bit() {
        let expected = [
            (TheoryProblemKind::LowRankRecovery, EXPECTED[0]),
            (TheoryProblemKind::TwoLayerRelu, EXPECTED[1]),
            (TheoryProblemKind::DisjointPatterns, EXPECTED[2]),
        ];
        for (kind, expected) in expected {
            let problem = Problem::new(&settings(kind)).expect("these settings are good");
            for (method, (iterations, bits)) in TheoryMethod::ALL.into_iter().zip(expected) {
                let (outcome, _) = run(&problem, method, 0.4, 400).expect("0.4 is a rate");
                let found = (outcome.iterations, outcome.error.to_bits());
                assert_eq!(found, (iterations, bits), "{kind:?} {method:?} {outcome:?}");
            }
        }
    }
}

everywhere! {
    async fn the_page_s_curves_arrive_and_nonsense_is_refused() {
        let mut settings = TheorySettings {
            problem: settings(TheoryProblemKind::TwoLayerRelu),
            lr: TheoryRates {
                gd: 0.4,
                scaled_gd: 0.4,
                data_scaled_gd: 0.4,
                tangent_gd: 0.4,
            },
            best_of_grid: false,
        };
        let mut points = 0;
        let mut arrived = Vec::new();
        let tell = |report: &riemann_lora::theory::live::TheoryReport| {
            points += report.curves.iter().map(|curve| curve.iterations.len()).sum::<usize>();
            arrived = report.curves.iter().map(|curve| curve.arrived_at).collect();
            true
        };
        live::run(&settings, tell, async || {}).await.expect("these settings are good");
        assert!(points > 500, "{points}");
        assert_eq!(arrived.len(), 4);
        assert!(arrived[2].is_some());
        settings.problem.rank = 99;
        let error = live::run(&settings, |_| true, async || {}).await.expect_err("refused");
        assert_eq!(error.field(), "rank");
    }
}

/// Iterations to 1e-6 and the bits of the last error, of GD, scaled GD, data-scaled GD and tangent GD at 0.4.
type Expected = [(Option<u32>, u64); 4];

const EXPECTED: [Expected; 3] = [
    [
        (None, 0x3fb02e2c2503a74c),
        (Some(215), 0x3eb0197929604b16),
        (Some(24), 0x3ea5af7be5105b99),
        (Some(221), 0x3eb086e21fe6dec7),
    ],
    [
        (None, 0x3fb3333273cd0dbf),
        (None, 0x3f221b6624b99aa3),
        (Some(157), 0x3eb0a2e6ae7a2f18),
        (None, 0x3f21f19082909fad),
    ],
    [
        (None, 0x3fb77b6121d87fb9),
        (Some(229), 0x3eb0c1aea8256f36),
        (Some(26), 0x3ea6c1762a130281),
        (Some(254), 0x3eb09d6551e6a5a1),
    ],
];
