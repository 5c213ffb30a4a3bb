//! How a shard waits while a checkpoint is made (`checkpoint.rs`).

use nephila_fetch::Fetch;
use nephila_ledger::Spent;
use tokio::sync::watch;

use super::Shard;
use super::visits::Visits;
use crate::checkpoint::Stage;
use crate::control::Phase;
use crate::error::Error;

impl<F: Fetch + 'static> Shard<F> {
    /// Completes no visit and gives out no lease until the checkpoint is made, or the crawl comes to its
    /// end; what is fetched goes on being fetched. Admits what other shards send.
    pub(super) async fn hold(
        &mut self,
        visits: &mut Visits,
        stage: &mut watch::Receiver<Stage>,
        phase: &mut watch::Receiver<Phase>,
    ) -> Result<(), Error> {
        let gate = self.common.gate.clone();
        self.context.account.set_reason(Spent::Other);
        let (mut paused_for, mut saved_for) = (None, None);
        loop {
            let now = *stage.borrow_and_update();
            let (Stage::Pause(number) | Stage::Save(number)) = now else {
                return Ok(());
            };
            if !matches!(*phase.borrow_and_update(), Phase::Running | Phase::Paused) {
                return Ok(());
            }
            self.send_outgoing();
            if self.outgoing.is_empty() && paused_for != Some(number) {
                paused_for = Some(number);
                // There is another only when the last one holds.
                let (seen, overflow) = self.frontier.storage();
                seen.0.release();
                overflow.blocks.release();
                overflow.chains.release();
                gate.note_pause();
            }
            if now == Stage::Save(number) && saved_for != Some(number) {
                saved_for = Some(number);
                gate.save(number, self.number, &mut self.frontier)?;
            }
            let room = self.common.message_room.clone();
            let has_outgoing = !self.outgoing.is_empty();
            tokio::select! {
                biased;
                Some(message) = self.inbox.recv() => self.receive(message, visits).await?,
                _ = visits.beside(stage.changed()) => {}
                _ = phase.changed() => {}
                _ = room.acquire(), if has_outgoing => {}
            }
        }
    }
}
