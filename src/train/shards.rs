//! One step on several workers: each computes some rows of the batch, and all of them update the same adapters with the sum
//! of what they found. Gradients of factors are small, so this costs little beside the step.

use burn::tensor::{Device, Tensor, TensorData, Transaction};

use super::{
    Session, SessionError, StepReport, Trainable, gradients::StepGradients, session::Clock,
};
use crate::engine::EngineError;
use crate::model::Bank;

/// A step of which one shard was computed here.
#[derive(Debug)]
pub(super) struct BegunStep {
    /// Into how many shards it is divided.
    shards: usize,
    /// Since when.
    clock: Clock,
    /// Terms of one run's loss in the whole step.
    counted: usize,
    /// Size of one run's batch in the whole step, for the report.
    size: u32,
}

impl Session {
    /// What shard `shard` of `shards` of the batch adds to the step: each run's share of its mean loss, then the
    /// gradients of all banks, `lora_a` before `lora_b`. Beyond the batch's rows a shard is zeros.
    ///
    /// # Shapes
    /// - result: [K + values of all banks]
    ///
    /// # Errors
    /// A shard that there is not, a batch longer than the base's context or without counted labels, or a device that
    /// failed.
    pub async fn shard<M: Trainable>(
        &mut self,
        model: &M,
        batch: &M::Batch,
        shard: usize,
        shards: usize,
    ) -> Result<Vec<f32>, SessionError> {
        if shard >= shards {
            return Err(SessionError::NoSuchShard { shard, shards });
        }
        model.check(batch)?;
        let counted = M::counted(batch);
        if counted == 0 {
            return Err(SessionError::NothingCounts);
        }
        let mut clock = self.clock();
        let all = M::rows(batch);
        let rows = all * shard / shards..all * (shard + 1) / shards;
        let gradients = self.gradients(model, batch, rows, &mut clock).await?;
        self.begun = Some(BegunStep {
            shards,
            clock,
            counted,
            size: M::size(batch) as u32,
        });
        let Some(StepGradients { losses, banks, .. }) = gradients else {
            return Ok(vec![0.0; self.shard_len()]);
        };
        let mut read = Transaction::default().register(losses);
        for Bank { a, b } in banks {
            read = read.register(a).register(b);
        }
        let data = read.execute_async().await.map_err(EngineError::from)?;
        Ok(data.iter().flat_map(|data| data.iter::<f32>()).collect())
    }

    /// The step from all its shards on, in their order, so that every worker that is given them has the same adapters
    /// afterwards, to the bit. One of the shards was computed here.
    ///
    /// # Errors
    /// Shards of another session or not all of the step's, a step of which no shard was computed here, or a device that
    /// failed.
    pub async fn step_with_shards(
        &mut self,
        shards: &[Vec<f32>],
        device: &Device,
    ) -> Result<StepReport, SessionError> {
        let begun = self.begun.take().ok_or(SessionError::NoShard)?;
        if shards.len() != begun.shards {
            return Err(SessionError::Shards {
                found: shards.len(),
                expected: begun.shards,
            });
        }
        let sum = self.summed(shards)?;
        let runs = self.adapters.runs;
        let (losses, mut rest) = sum.split_at(runs);
        let mut next = |like: &Tensor<3>| {
            let shape = like.dims();
            let (values, others) = rest.split_at(shape.iter().product());
            rest = others;
            Tensor::<3>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let banks = self
            .adapters
            .banks()
            .map(|bank| Bank {
                a: next(&bank.a),
                b: next(&bank.b),
            })
            .collect();
        let losses = TensorData::new(losses.to_vec(), [runs, 1]);
        let gradients = StepGradients {
            losses: Tensor::from_data(losses, device),
            banks,
            whole: begun.counted,
        };
        self.finish(gradients, begun.size, begun.clock, device)
            .await
    }

    /// Shards added up in their order.
    fn summed(&self, shards: &[Vec<f32>]) -> Result<Vec<f32>, SessionError> {
        let expected = self.shard_len();
        let mut sum = vec![0.0; expected];
        for shard in shards {
            if shard.len() != expected {
                return Err(SessionError::Shard {
                    found: shard.len(),
                    expected,
                });
            }
            for (sum, value) in sum.iter_mut().zip(shard) {
                *sum += value;
            }
        }
        Ok(sum)
    }

    /// Values of a shard.
    fn shard_len(&self) -> usize {
        let values = self
            .adapters
            .banks()
            .flat_map(|bank| [bank.a.dims(), bank.b.dims()])
            .map(|shape| shape.iter().product::<usize>());
        self.adapters.runs + values.sum::<usize>()
    }
}
