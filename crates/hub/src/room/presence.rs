//! Who is here, on whichever node, and who is told of it.

use super::{Room, State};
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::elsewhere::{Changes, News, TELL_INTERVAL};
use crate::event::Event;
use crate::limits::Limits;
use crate::lock::lock;
use crate::name::MemberName;
use crate::roster::MemberId;
use crate::timestamp::Timestamp;

impl Room {
    /// Gives a member another name and tells everybody.
    pub(crate) fn rename(
        &self,
        id: MemberId,
        from: &MemberName,
        to: &MemberName,
    ) -> Result<(), Complaint> {
        let mut state = lock(&self.state);
        let State { roster, elsewhere, .. } = &mut *state;
        roster.rename(id, to.clone(), elsewhere)?;
        state.told = None;
        state.roster.deliver(&Delivery::of(&Event::Renamed { from, to }));
        Ok(())
    }

    /// Who is here.
    pub(crate) fn members(&self, limits: &Limits) -> Delivery {
        let state = lock(&self.state);
        Delivery::of(&Event::Members { members: state.names(limits), count: state.count() })
    }

    /// What other nodes are to be told now, if anything. Lets go of those that have fallen silent.
    pub(crate) fn news(&self, node: &str, now: Timestamp, limits: &Limits) -> Option<News> {
        let mut state = lock(&self.state);
        let changes = state.elsewhere.forget_silent(now);
        state.tell_changes(&changes, limits);
        if state.told.is_some_and(|told| now.since(told) < TELL_INTERVAL) {
            return None;
        }
        state.told = Some(now);
        let asks = !std::mem::replace(&mut state.has_asked, true);
        let members = state.roster.names(limits.members_listed_max);
        let members = members.into_iter().map(ToString::to_string).collect();
        let (node, room) = (node.to_owned(), self.name.as_str().to_owned());
        Some(News { node, room, members, count: state.roster.len(), asks })
    }

    /// Takes in what another node tells.
    pub(crate) fn hear(&self, news: &News, now: Timestamp, limits: &Limits) {
        let listed = news.members.iter().take(limits.members_listed_max);
        // The other node let them in under these names, which may be the server's where it vouches for them.
        let members: Vec<_> =
            listed.filter_map(|name| MemberName::parse_any(name, limits).ok()).collect();
        let mut state = lock(&self.state);
        let changes = state.elsewhere.hear(&news.node, members, news.count, now);
        state.tell_changes(&changes, limits);
        if news.asks {
            state.told = None;
        }
    }

    /// How many are here, on this node.
    pub(crate) fn member_count(&self) -> usize {
        lock(&self.state).roster.len()
    }

    /// Lets a member go and tells the others.
    pub(crate) fn dismiss(&self, id: MemberId, limits: &Limits) {
        let mut state = lock(&self.state);
        if let Some(name) = state.roster.remove(id) {
            state.told = None;
            if state.announces(limits) {
                let count = state.count();
                state.roster.deliver(&Delivery::of(&Event::Left { name: &name, count }));
            } else {
                state.gathered.left(1);
            }
        }
    }

    /// Tells how many came and went, where that is not told of each.
    pub(crate) fn tell_gathered(&self) {
        lock(&self.state).tell_gathered();
    }
}

impl State {
    /// How many are here, on whichever node.
    pub(super) fn count(&self) -> usize {
        self.roster.len() + self.elsewhere.count()
    }

    /// Their names, those on this node first.
    pub(super) fn names(&self, limits: &Limits) -> Vec<&MemberName> {
        let mut names = self.roster.names(limits.members_listed_max);
        let more = limits.members_listed_max - names.len();
        names.extend(self.elsewhere.names().take(more));
        names
    }

    /// Whether each who comes or goes is told by name. Before it is, what was gathered is told.
    pub(super) fn announces(&mut self, limits: &Limits) -> bool {
        let announces = self.count() <= limits.members_announced_max;
        if announces {
            self.tell_gathered();
        }
        announces
    }

    fn tell_gathered(&mut self) {
        let count = self.count();
        if let Some(delivery) = self.gathered.tell(count) {
            self.roster.deliver(&delivery);
        }
    }

    /// Tells who came and went elsewhere: by name, unless there are some without, or the room is large or was.
    fn tell_changes(&mut self, changes: &Changes, limits: &Limits) {
        let Changes { joined, left, counts: (before, after) } = changes;
        let count = self.count();
        // Those who were not listed before, or are not now, are known by the counts alone.
        let (more, less) = (after + left.len(), before + joined.len());
        let was_large = count + before > limits.members_announced_max + after;
        if more != less || was_large || !self.announces(limits) {
            self.gathered.joined(joined.len() + more.saturating_sub(less));
            self.gathered.left(left.len() + less.saturating_sub(more));
            return;
        }
        for name in left {
            self.roster.deliver(&Delivery::of(&Event::Left { name, count }));
        }
        for name in joined {
            self.roster.deliver(&Delivery::of(&Event::Joined { name, count }));
        }
    }
}
