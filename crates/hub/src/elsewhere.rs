//! Who is in a room on other nodes, as far as they tell.
//!
//! Each node tells all others, again and again, who is in each of its rooms. A node that has fallen silent is
//! forgotten, and with it all of its members. What is told is the whole of it each time, so what gets lost does no harm
//! for longer than until the next time.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::name::{Likeness, MemberName, RoomName};
use crate::timestamp::Timestamp;

/// What one node tells of one of its rooms.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct News {
    pub(crate) node: String,
    pub(crate) room: String,
    /// The members' names, as many as are listed.
    pub(crate) members: Vec<String>,
    /// How many there are.
    pub(crate) count: usize,
    /// Whether the node wants to be told at once, because it has just opened the room.
    pub(crate) asks: bool,
}

/// The members that a room has on other nodes.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere {
    nodes: BTreeMap<String, There>,
    /// How many names there are of each likeness.
    likenesses: HashMap<Likeness, usize>,
}

#[derive(Debug)]
struct There {
    members: Vec<MemberName>,
    count: usize,
    heard: Timestamp,
}

/// Who came and who went.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// As far as they are listed.
    pub(crate) joined: Vec<MemberName>,
    /// As far as they were listed.
    pub(crate) left: Vec<MemberName>,
    /// How many there were before, and are now, listed or not.
    pub(crate) counts: (usize, usize),
}

/// How often a node tells who is in its rooms, also when nothing has changed.
pub(crate) const TELL_INTERVAL: Duration = Duration::from_secs(2);

/// Who is silent for so long is forgotten: three times in a row were lost, or there is nobody any more.
const SILENCE_MAX: Duration = Duration::from_millis(6_500);

/// Nodes with members in one room. What more of them tell is passed over.
const NODES_MAX: usize = 256;

/// More members of one node are not counted, so that counts can be added up.
const MEMBERS_MAX: usize = 1_000_000;

impl News {
    /// Nobody is in the room any more.
    pub(crate) fn of_empty(node: &str, room: &RoomName) -> Self {
        let (node, room) = (node.to_owned(), room.as_str().to_owned());
        Self { node, room, members: Vec::new(), count: 0, asks: false }
    }
}

impl Elsewhere {
    pub(crate) fn count(&self) -> usize {
        self.nodes.values().map(|there| there.count).sum()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &MemberName> {
        self.nodes.values().flat_map(|there| &there.members)
    }

    /// Whether somebody there has a name like this.
    pub(crate) fn has(&self, likeness: &Likeness) -> bool {
        self.likenesses.contains_key(likeness)
    }

    /// Takes in what a node tells: who is there now.
    pub(crate) fn hear(
        &mut self,
        node: &str,
        mut members: Vec<MemberName>,
        count: usize,
        now: Timestamp,
    ) -> Changes {
        // There are no more names than members, whatever the node tells; one that is not counted would stay for ever.
        let count = count.min(MEMBERS_MAX);
        members.truncate(count);
        let mut listed = HashSet::new();
        // No node has one name twice, and likenesses are counted by that.
        members.retain(|name| listed.insert(name.as_str().to_owned()));
        let (before, count_before) = match self.nodes.get(node) {
            Some(there) => (there.members.clone(), there.count),
            None if self.nodes.len() >= NODES_MAX => return Changes::default(),
            None => (Vec::new(), 0),
        };
        let counts = (count_before, count);
        let changes = Changes { counts, ..Changes::between(&before, &members) };
        self.count_likenesses(&changes);
        if count == 0 {
            self.nodes.remove(node);
        } else {
            self.nodes.insert(node.to_owned(), There { members, count, heard: now });
        }
        changes
    }

    /// Lets go of nodes that have fallen silent.
    pub(crate) fn forget_silent(&mut self, now: Timestamp) -> Changes {
        let mut changes = Changes::default();
        self.nodes.retain(|_, there| {
            let lives = now.since(there.heard) <= SILENCE_MAX;
            if !lives {
                changes.left.append(&mut there.members);
                changes.counts.0 += there.count;
            }
            lives
        });
        self.count_likenesses(&changes);
        changes
    }

    fn count_likenesses(&mut self, Changes { joined, left, .. }: &Changes) {
        for name in joined {
            *self.likenesses.entry(name.likeness()).or_default() += 1;
        }
        for name in left {
            if let Entry::Occupied(mut count) = self.likenesses.entry(name.likeness()) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        }
    }
}

impl Changes {
    fn between(before: &[MemberName], after: &[MemberName]) -> Self {
        let missing = |from: &[MemberName], these: &[MemberName]| {
            let from: HashSet<_> = from.iter().map(MemberName::as_str).collect();
            these.iter().filter(|name| !from.contains(name.as_str())).cloned().collect()
        };
        let (joined, left) = (missing(before, after), missing(after, before));
        Self { joined, left, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    fn names(names: &[&str]) -> Vec<MemberName> {
        let parse = |name: &&str| MemberName::parse(name, &Limits::default()).unwrap();
        names.iter().map(parse).collect()
    }

    fn at(milliseconds: u64) -> Timestamp {
        Timestamp::from_unix_milliseconds(milliseconds)
    }

    #[test]
    fn a_node_tells_all_of_it_each_time() {
        let mut elsewhere = Elsewhere::default();
        let changes = elsewhere.hear("one", names(&["ann", "bob"]), 2, at(0));
        assert_eq!((changes.joined, changes.left), (names(&["ann", "bob"]), vec![]));
        let changes = elsewhere.hear("one", names(&["bob", "eve"]), 1_000, at(0));
        assert_eq!((changes.joined, changes.left), (names(&["eve"]), names(&["ann"])));
        elsewhere.hear("two", names(&["joe"]), 1, at(0));
        assert_eq!(elsewhere.count(), 1_001);
        assert!(elsewhere.has(&names(&["JOE"])[0].likeness()));
        assert_eq!(elsewhere.hear("one", vec![], 0, at(0)).left, names(&["bob", "eve"]));
        assert_eq!(elsewhere.count(), 1);
    }

    #[test]
    fn a_name_is_taken_as_long_as_any_node_has_it() {
        let mut elsewhere = Elsewhere::default();
        let has = |elsewhere: &Elsewhere| elsewhere.has(&names(&["ann"])[0].likeness());
        elsewhere.hear("one", names(&["ann", "ann"]), 2, at(0));
        elsewhere.hear("two", names(&["ANN"]), 1, at(9_000));
        elsewhere.hear("one", names(&["bob"]), 1, at(0));
        assert!(has(&elsewhere));
        elsewhere.hear("one", names(&["Ann"]), 1, at(0));
        elsewhere.hear("two", vec![], 0, at(9_000));
        assert!(has(&elsewhere));
        elsewhere.forget_silent(at(9_000));
        assert!(!has(&elsewhere) && elsewhere.likenesses.is_empty());
    }

    #[test]
    fn a_node_has_no_more_names_than_members() {
        let mut elsewhere = Elsewhere::default();
        assert_eq!(elsewhere.hear("one", names(&["ann"]), 0, at(0)), Changes::default());
        assert_eq!(elsewhere.hear("one", names(&["ann", "bob"]), 1, at(0)).joined, names(&["ann"]));
        elsewhere.hear("one", names(&["ann"]), 0, at(0));
        assert!(elsewhere.nodes.is_empty() && elsewhere.likenesses.is_empty());
    }

    #[test]
    fn counts_can_be_added_up() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.hear("one", vec![], usize::MAX, at(0));
        assert_eq!(elsewhere.hear("two", vec![], MEMBERS_MAX, at(0)).counts, (0, MEMBERS_MAX));
        assert_eq!(elsewhere.count(), 2 * MEMBERS_MAX);
    }

    #[test]
    fn a_silent_node_is_forgotten_and_no_other() {
        let mut elsewhere = Elsewhere::default();
        elsewhere.hear("one", names(&["ann"]), 1, at(0));
        elsewhere.hear("two", names(&["bob"]), 1, at(1));
        let silence_max = SILENCE_MAX.as_millis() as u64;
        assert_eq!(elsewhere.forget_silent(at(silence_max)), Changes::default());
        assert_eq!(elsewhere.forget_silent(at(silence_max + 1)).left, names(&["ann"]));
        assert_eq!(elsewhere.count(), 1);
    }

    #[test]
    fn there_are_no_more_nodes_than_may_be() {
        let mut elsewhere = Elsewhere::default();
        for node in 0..=NODES_MAX {
            elsewhere.hear(&node.to_string(), names(&["ann"]), 1, at(0));
        }
        assert_eq!(elsewhere.count(), NODES_MAX);
    }
}
