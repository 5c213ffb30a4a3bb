//! The way of a page's outlinks: to the shards that own them, and with the page to the committer.

use std::sync::atomic::Ordering;

use nephila_fetch::Fetch;
use nephila_frontier::{Admission, QueuedUrl, UrlKind};

use super::visits::Visits;
use super::{ForShards, Message, Shard};
use crate::committer::Handover;
use crate::error::Error;
use crate::journal::encode_admitted;

impl<F: Fetch + 'static> Shard<F> {
    /// Splits URLs into this shard's own and those of others.
    pub(super) fn share_out(&self, urls: Vec<QueuedUrl>) -> (Vec<QueuedUrl>, ForShards) {
        let shards = self.common.inboxes.len();
        if shards <= 1 {
            return (urls, Vec::new());
        }
        let mut own = Vec::with_capacity(urls.len());
        let mut foreign = ForShards::new();
        for queued in urls {
            let shard = self
                .common
                .fingerprinter
                .shard_of(queued.url.host(), shards);
            if shard == self.number {
                own.push(queued);
                continue;
            }
            match foreign.iter_mut().find(|(number, _)| *number == shard) {
                Some((_, urls)) => urls.push(queued),
                None => foreign.push((shard, vec![queued])),
            }
        }
        (own, foreign)
    }

    pub(super) fn admit(
        &mut self,
        urls: Vec<QueuedUrl>,
        handover: &mut Handover,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        for queued in urls {
            let checked = match queued.kind {
                UrlKind::Page => self.context.traps.borrow().check(&queued.url),
                _ => Ok(()),
            };
            if let Err(refusal) = checked {
                self.common.progress.add_refusals(refusal.option(), 1);
                continue;
            }
            let mark = handover.admitted.len();
            encode_admitted(&queued, &mut handover.admitted);
            match self.frontier.admit(queued, now)? {
                Admission::Admitted => handover.admitted_count += 1,
                Admission::AlreadySeen => handover.admitted.truncate(mark),
                Admission::Refused(refusal) => {
                    handover.admitted.truncate(mark);
                    self.common.progress.add_refusals(refusal.option(), 1);
                }
            }
        }
        Ok(())
    }

    pub(super) async fn pass_on(
        &mut self,
        handover: Handover,
        foreign: ForShards,
        visits: &mut Visits,
    ) -> Result<(), Error> {
        if !foreign.is_empty() {
            // Counted as live from here on, before the page itself stops being live.
            self.common.live.fetch_add(1, Ordering::AcqRel);
            self.outgoing.push_back((handover, foreign));
            self.send_outgoing();
            return Ok(());
        }
        if handover.done.is_none() && handover.admitted_count == 0 {
            return Ok(());
        }
        self.hand_over(handover, visits).await
    }

    pub(super) fn send_outgoing(&mut self) {
        while !self.outgoing.is_empty() {
            let Ok(room) = self.common.message_room.clone().try_acquire_owned() else {
                return;
            };
            let Some((handover, rest)) = self.outgoing.pop_front() else {
                return;
            };
            self.forward(Message {
                handover,
                rest,
                _room: room,
            });
        }
    }

    /// Sends a message to the shard whose URLs come last in it.
    fn forward(&self, message: Message) {
        let target = message.rest.last().map_or(self.number, |(shard, _)| *shard);
        let inbox = self.common.inboxes.get(target);
        // An inbox has a place for every message that has room; a closed one belongs to a shard
        // that has ended, and then the crawl ends without this page, which is fetched again.
        if inbox.is_none_or(|inbox| inbox.try_send(message).is_err()) {
            self.common.live.fetch_sub(1, Ordering::AcqRel);
        }
    }

    pub(super) async fn receive(
        &mut self,
        mut message: Message,
        visits: &mut Visits,
    ) -> Result<(), Error> {
        if let Some((_, urls)) = message.rest.pop() {
            self.admit(urls, &mut message.handover)?;
        }
        if !message.rest.is_empty() {
            self.forward(message);
            return Ok(());
        }
        visits.beside(self.committer.send(message.handover)).await?;
        // In one step: its URLs become live as the message ceases to be.
        let change = self.publish_levels();
        self.count_live(change - 1);
        Ok(())
    }
}
