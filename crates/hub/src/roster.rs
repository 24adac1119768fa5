//! Who is in a room.

use std::collections::{BTreeMap, HashSet};

use crate::closing::Closing;
use crate::complaint::Complaint;
use crate::delivery::Delivery;
use crate::elsewhere::Elsewhere;
use crate::limits::Limits;
use crate::mailbox::{Mailbox, Slot};
use crate::name::{Likeness, MemberName, NameKind};
use crate::parcel::Parcel;

/// The members of a room in the order in which they came, no two with names that people would mix up.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    members: BTreeMap<MemberId, Member>,
    taken: HashSet<Likeness>,
    admitted: u64,
    /// The number of the last guest. Those before it are not tried again, or finding a free one would take longer and
    /// longer.
    guests: u64,
}

/// Tells one member of a room from another, whatever their names; never used twice in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MemberId(u64);

/// Somebody who is about to come in.
#[derive(Debug)]
pub(crate) struct Entrant {
    pub(crate) wanted: Option<MemberName>,
    pub(crate) kind: NameKind,
    pub(crate) slot: Slot,
    /// Whether it may know what happens in the room.
    pub(crate) reads: bool,
}

#[derive(Debug)]
struct Member {
    name: MemberName,
    slot: Slot,
    reads: bool,
    /// From which offset on messages are delivered as they are committed; who is still catching up reads them from the
    /// store, and may have read more than was delivered.
    follows_from: Option<u64>,
}

impl Roster {
    /// Adds a member under the name it wants or, if that is taken or missing, under a free one like it. It does not
    /// follow the messages yet.
    pub(crate) fn admit(
        &mut self,
        entrant: Entrant,
        elsewhere: &Elsewhere,
        limits: &Limits,
    ) -> (MemberId, MemberName) {
        let Entrant { wanted, kind, slot, reads } = entrant;
        let name = self.free_name(wanted, kind, elsewhere, limits);
        self.taken.insert(name.likeness());
        self.admitted += 1;
        let id = MemberId(self.admitted);
        self.members.insert(id, Member { name: name.clone(), slot, reads, follows_from: None });
        (id, name)
    }

    /// Gives a member another name. The old one is free at once.
    pub(crate) fn rename(
        &mut self,
        id: MemberId,
        name: MemberName,
        elsewhere: &Elsewhere,
    ) -> Result<(), Complaint> {
        let Some(member) = self.members.get_mut(&id) else { return Ok(()) };
        let (old, new) = (member.name.likeness(), name.likeness());
        if old != new && (self.taken.contains(&new) || elsewhere.has(&new)) {
            return Err(Complaint::NameTaken);
        }
        self.taken.remove(&old);
        self.taken.insert(new);
        member.name = name;
        Ok(())
    }

    pub(crate) fn remove(&mut self, id: MemberId) -> Option<MemberName> {
        let member = self.members.remove(&id)?;
        self.taken.remove(&member.name.likeness());
        Some(member.name)
    }

    /// The names of those who came first, at most `listed_max`.
    pub(crate) fn names(&self, listed_max: usize) -> Vec<&MemberName> {
        self.members.values().take(listed_max).map(|member| &member.name).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.members.len()
    }

    pub(crate) fn deliver(&self, delivery: &Delivery) {
        let readers = self.members.values().filter(|member| member.reads);
        post(readers.map(|member| (&member.slot, ())), |slot, ()| slot.post(delivery.clone()));
    }

    /// The member gets messages from this offset on as they are committed.
    pub(crate) fn follow(&mut self, id: MemberId, from: u64) {
        if let Some(member) = self.members.get_mut(&id) {
            member.follows_from = member.reads.then_some(from);
        }
    }

    /// Delivers messages, the first of which is at this offset, to those who follow.
    pub(crate) fn deliver_messages(&self, first: u64, messages: &[Delivery]) {
        let joined = Parcel::join(messages);
        let followers = self.members.values().filter_map(|member| {
            // Who has caught up only now may have read some of them.
            let read = usize::try_from(member.follows_from?.saturating_sub(first)).ok()?;
            let missing = messages.get(read..).filter(|missing| !missing.is_empty())?;
            Some((&member.slot, missing))
        });
        post(followers, |slot, missing| match &joined {
            Some(joined) if missing.len() == messages.len() => slot.post_all([joined.clone()]),
            _ => slot.post_all(missing.iter().cloned().map(Parcel::One)),
        });
    }

    pub(crate) fn deliver_except(&self, id: MemberId, delivery: &Delivery) {
        let others = self.members.iter().filter(|(other, member)| **other != id && member.reads);
        post(others.map(|(_, member)| (&member.slot, ())), |slot, ()| slot.post(delivery.clone()));
    }

    /// What waits for each member, in bytes.
    pub(crate) fn waiting_bytes(&self) -> impl Iterator<Item = usize> {
        self.members.values().map(|member| member.slot.waiting_bytes())
    }

    pub(crate) fn close(&self, closing: &Closing) {
        for member in self.members.values() {
            member.slot.close(closing.clone());
        }
    }

    fn free_name(
        &mut self,
        wanted: Option<MemberName>,
        kind: NameKind,
        elsewhere: &Elsewhere,
        limits: &Limits,
    ) -> MemberName {
        let is_free = |name: &MemberName| {
            let likeness = name.likeness();
            !self.taken.contains(&likeness) && !elsewhere.has(&likeness)
        };
        let like_wanted = wanted.and_then(|wanted| {
            // A few numbers are tried, and then those that count who came, for however many want one name, finding
            // another must not take longer and longer.
            let numbers = (2..10).chain(self.admitted + 1..self.admitted + 9);
            let mut numbered = numbers.map(|number| wanted.numbered(number, kind, limits));
            if is_free(&wanted) { Some(wanted) } else { numbered.find(is_free) }
        });
        // Guests are numbered as they come, so that one is not taken for another who left.
        like_wanted
            .or_else(|| {
                let first = self.guests.max(self.admitted) + 1;
                let mut guests = (first..).map(|number| (number, MemberName::guest(number, kind)));
                let (number, name) = guests.find(|(_, name)| is_free(name))?;
                self.guests = number;
                Some(name)
            })
            .unwrap_or_else(|| MemberName::guest(0, kind))
    }
}

/// Posts to some together: the memory of all of them is asked for before the first is posted to, so that it comes at the
/// same time. Where there are thousands of members it lies far away.
fn post<'a, T>(
    mut readers: impl Iterator<Item = (&'a Slot, T)> + Clone,
    post_to: impl Fn(&'a Slot, T),
) {
    loop {
        let next = readers.clone().take(Mailbox::PREFETCHED_TOGETHER);
        if next.map(|(slot, _)| slot.prefetch()).count() == 0 {
            return;
        }
        for (slot, posted) in readers.by_ref().take(Mailbox::PREFETCHED_TOGETHER) {
            post_to(slot, posted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mailbox::mailbox;

    fn admit(roster: &mut Roster, wanted: Option<&str>) -> (MemberId, String) {
        let limits = Limits::default();
        let wanted = wanted.map(|wanted| MemberName::parse(wanted, &limits).unwrap());
        let slot = mailbox(0).0;
        let entrant = Entrant { wanted, kind: NameKind::Open, slot, reads: true };
        let (id, name) = roster.admit(entrant, &Elsewhere::default(), &limits);
        (id, name.to_string())
    }

    #[test]
    fn a_taken_or_missing_name_becomes_a_free_one() {
        let mut roster = Roster::default();
        assert_eq!(admit(&mut roster, Some("ann")).1, "ann");
        assert_eq!(admit(&mut roster, Some("ann")).1, "ann-2");
        assert_eq!(admit(&mut roster, Some("ANN")).1, "ANN-3");
        let (first_guest, name) = admit(&mut roster, None);
        assert_eq!(name, "guest-4");
        assert_eq!(admit(&mut roster, Some("guest-6")).1, "guest-6");
        assert_eq!(admit(&mut roster, None).1, "guest-7");
        roster.remove(first_guest);
        assert_eq!(admit(&mut roster, None).1, "guest-8");
    }

    #[test]
    fn guests_are_not_numbered_as_others_elsewhere_are() {
        let (mut roster, mut elsewhere) = (Roster::default(), Elsewhere::default());
        let guests = (1..=3).map(|number| MemberName::guest(number, NameKind::Open)).collect();
        elsewhere.hear("another", guests, 3, crate::timestamp::Timestamp::default());
        let limits = Limits::default();
        let mut admit = || {
            let slot = mailbox(0).0;
            let entrant = Entrant { wanted: None, kind: NameKind::Open, slot, reads: true };
            roster.admit(entrant, &elsewhere, &limits).1.to_string()
        };
        assert_eq!([admit(), admit()], ["guest-4", "guest-5"]);
    }

    fn rename(roster: &mut Roster, id: MemberId, name: MemberName) -> Result<(), Complaint> {
        roster.rename(id, name, &Elsewhere::default())
    }

    #[test]
    fn a_member_may_change_the_case_of_its_own_name_but_not_take_anothers() {
        let mut roster = Roster::default();
        let parse = |name| MemberName::parse(name, &Limits::default()).unwrap();
        let (ann, _) = admit(&mut roster, Some("ann"));
        let (bob, _) = admit(&mut roster, Some("bob"));
        assert_eq!(rename(&mut roster, ann, parse("Ann")), Ok(()));
        assert_eq!(rename(&mut roster, bob, parse("aNN")), Err(Complaint::NameTaken));
        assert_eq!(rename(&mut roster, ann, parse("anna")), Ok(()));
        assert_eq!(rename(&mut roster, bob, parse("ann")), Ok(()));
        assert_eq!(
            roster.names(9).iter().map(|name| name.as_str()).collect::<Vec<_>>(),
            ["anna", "ann"]
        );
        assert_eq!(roster.names(1).len(), 1);
    }
}
