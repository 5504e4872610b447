//! Outages: people and replicas vanish, what they did is interrupted, and they come back.

use super::agenda::Event;
use super::conversation::Place;
use super::engine::Centre;
use super::people::Work;
use crate::luck::{Purpose, low};

impl Centre {
    /// People of the teams that are hit go, and with them the work on their hands.
    pub(super) fn outage_begins(&mut self, which: usize) {
        let stage = self.stage.clone();
        let outage = &stage.config.outage[which];
        let languages = &stage.world.config().language;
        let hit = |group: usize| {
            let group = &self.people.groups[group];
            let pool = &stage.config.pool[usize::from(group.pool)];
            (outage.pools.is_empty() || outage.pools.contains(&pool.name))
                && (outage.languages.is_empty()
                    || languages.iter().enumerate().any(|(i, language)| {
                        outage.languages.contains(&language.tag)
                            && (group.does(Work::Review, i) || group.does(Work::Human, i))
                    }))
        };
        let groups: Vec<u8> = (0..self.people.groups.len())
            .filter(|group| hit(*group))
            .map(|group| group as u8)
            .collect();
        let mut taken = Vec::new();
        for group in groups {
            let rostered = self.people.rostered(group);
            let lost = (outage.people_lost * f64::from(rostered)).ceil() as i32;
            if lost > 0 {
                self.people.lose(self.now_s, group, lost);
                taken.push((group, lost));
                self.interrupt(group, outage.dropped, outage.reroute_delay_s);
            }
        }
        let replicas = if outage.ai_lost > 0.0 {
            self.ai.lose(outage.ai_lost)
        } else {
            0
        };
        self.taken[which] = (taken, replicas);
    }

    /// Jobs beyond the slots that are left are broken off; their customers are lost or find their way back to a queue.
    fn interrupt(&mut self, group: u8, dropped: f64, delay_s: f64) {
        let mut excess = self.people.excess(group);
        for id in 0..self.jobs.len() {
            if excess == 0 {
                break;
            }
            let job = self.jobs[id];
            if job.group != group || job.gone {
                continue;
            }
            self.jobs[id].gone = true;
            self.people.release(self.now_s, group);
            excess -= 1;
            if !job.pending {
                continue;
            }
            let now_s = self.now_s;
            let conversation = &mut self.conversations[job.slot as usize];
            let Place::Person(work) = conversation.place else {
                continue;
            };
            let contact = &conversation.contact;
            conversation.queued_s = now_s;
            let unlucky = low(contact.luck.at(Purpose::Ask, contact.turn)) < dropped;
            if unlucky {
                self.lost += u64::from(conversation.counted);
                self.gives_up(job.slot);
            } else {
                conversation.place = Place::Rerouted(work);
                self.agenda.note(now_s + delay_s, Event::Rerouted(job.slot));
            }
        }
    }

    /// What the outage took is back.
    pub(super) fn outage_ends(&mut self, which: usize) {
        let (taken, replicas) = std::mem::take(&mut self.taken[which]);
        for (group, people) in taken {
            self.people.lose(self.now_s, group, -people);
            self.call(group);
        }
        self.ai.recover(replicas);
        self.draft_waiting();
    }
}
