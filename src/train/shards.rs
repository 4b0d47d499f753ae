//! One step on several workers: each computes some rows of the batch, and all of them update the same adapters with the sum
//! of what they found. Gradients of factors are small, so this costs little beside the step.

use burn::tensor::{Device, Tensor, TensorData, Transaction};

use super::{Session, SessionError, gradients::StepGradients, labels, session::device_error};
use crate::data::Batch;
use crate::messages::StepReport;
use crate::model::{Bank, Base};

impl Session {
    /// What shard `shard` of `shards` of the batch adds to the step: each run's share of its mean loss, then the
    /// gradients of all banks, `lora_a` before `lora_b`.
    ///
    /// # Shapes
    /// - result: [K + values of all banks]
    ///
    /// # Errors
    /// A batch longer than the base's context, or a device that failed.
    ///
    /// # Panics
    /// If there is no such shard.
    pub async fn shard(
        &mut self,
        model: &Base,
        batch: &Batch,
        shard: usize,
        shards: usize,
    ) -> Result<Vec<f32>, SessionError> {
        assert!(shard < shards);
        model.check_length(batch.tokens)?;
        let mut clock = self.clock();
        let rows = batch.rows * shard / shards..batch.rows * (shard + 1) / shards;
        let gradients = self.gradients(model, batch, rows, &mut clock).await?;
        self.shard_clock = Some(clock);
        let Some(StepGradients { losses, banks, .. }) = gradients else {
            return Ok(vec![0.0; self.shard_len()]);
        };
        let mut read = Transaction::default().register(losses);
        for Bank { a, b } in banks {
            read = read.register(a).register(b);
        }
        let data = read.execute_async().await.map_err(device_error)?;
        Ok(data.iter().flat_map(|data| data.iter::<f32>()).collect())
    }

    /// The step from all its shards on, in their order, so that every worker that is given them has the same adapters
    /// afterwards, to the bit.
    ///
    /// # Errors
    /// Shards of another session, a batch without counted labels, or a device that failed.
    pub async fn step_with_shards(
        &mut self,
        batch: &Batch,
        shards: &[Vec<f32>],
        device: &Device,
    ) -> Result<StepReport, SessionError> {
        let clock = self.shard_clock.take().unwrap_or_else(|| self.clock());
        let whole = labels::count(batch);
        if whole == 0 {
            return Err(SessionError::NothingCounts);
        }
        let (expected, mut sum) = (self.shard_len(), None::<Vec<f32>>);
        for shard in shards {
            if shard.len() != expected {
                return Err(SessionError::Shard {
                    found: shard.len(),
                    expected,
                });
            }
            match &mut sum {
                None => sum = Some(shard.clone()),
                Some(sum) => sum
                    .iter_mut()
                    .zip(shard)
                    .for_each(|(sum, value)| *sum += value),
            }
        }
        let sum = sum.ok_or(SessionError::NothingCounts)?;
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
            whole,
        };
        let tokens = (batch.rows * batch.tokens) as u32;
        self.finish(gradients, tokens, clock, device).await
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
