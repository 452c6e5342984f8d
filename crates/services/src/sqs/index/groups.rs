//! Whose turn it is: the ready messages of each message group, and which groups may hand out now.
//!
//! Groups come and go with their messages, tens of thousands of one message each, so a group is a few words, and what it needs
//! only now and then is kept for all groups together.
//! Invariants: `turns` names exactly the groups that may hand out their head, by (messages held, position of the head);
//! a group that has nothing is not there. Messages without a group are a group of their own, outside of `turns`.

use super::backlog::Backlog;
use super::chunk::Item;
use super::{GroupTag, Order};
use bulla_storage::Pos;
use std::collections::BTreeMap;
use std::ops::Bound;

/// A group's messages that are ready and were never received.
#[derive(Debug, Default)]
enum Listed {
    #[default]
    None,
    One(Item),
    Many(Box<Backlog>),
}

impl Listed {
    fn front(&self) -> Option<Item> {
        match self {
            Self::None => None,
            Self::One(item) => Some(*item),
            Self::Many(list) => list.front(),
        }
    }

    fn push(&mut self, item: Item) {
        match self {
            Self::None => *self = Self::One(item),
            Self::One(first) => {
                let mut list = Box::<Backlog>::default();
                list.push(*first);
                list.push(item);
                *self = Self::Many(list);
            }
            Self::Many(list) => list.push(item),
        }
    }

    /// Takes messages out.
    fn with(&mut self, work: impl FnOnce(&mut Backlog)) {
        match self {
            Self::None => {}
            Self::One(item) => {
                let mut list = Backlog::default();
                list.push(*item);
                work(&mut list);
                if list.is_empty() {
                    *self = Self::None;
                }
            }
            Self::Many(list) => work(list),
        }
    }

    fn get(&self, position: Pos) -> Option<Item> {
        match self {
            Self::None => None,
            Self::One(item) => Some(*item).filter(|item| item.position == position),
            Self::Many(list) => list.get(position),
        }
    }

    fn pop(&mut self) {
        match self {
            Self::None => {}
            Self::One(_) => *self = Self::None,
            Self::Many(list) => {
                list.pop();
            }
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::None => true,
            Self::One(_) => false,
            Self::Many(list) => list.is_empty(),
        }
    }

    fn oldest(&self) -> u64 {
        match self {
            Self::None => u64::MAX,
            Self::One(item) => item.sent,
            Self::Many(list) => list.oldest(),
        }
    }
}

/// In `Group::turn`: the group is not in `turns`. Positions begin at 1.
const NO_TURN: Pos = Pos(0);

#[derive(Debug, Default)]
struct Group {
    listed: Listed,
    /// Entries of the group in `Groups::kept`.
    kept: u32,
    /// Entries in flight, moving or being deleted.
    held: u32,
    /// Under which head the group stands in `turns`.
    turn: Pos,
}

/// Where an entry counts in its group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Nowhere.
    Away,
    /// In line, and in a FIFO queue in the way of later ones while it is not ready.
    Kept { ready: bool },
    /// In somebody's hands.
    Held,
}

impl Place {
    fn kept(self) -> u32 {
        u32::from(matches!(self, Self::Kept { .. }))
    }

    fn held(self) -> u32 {
        u32::from(self == Self::Held)
    }
}

/// The message that comes next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Next {
    pub(super) group: Option<GroupTag>,
    pub(super) position: Pos,
    /// When it was sent, if the message was never received; otherwise it has an entry.
    pub(super) fresh: Option<u64>,
}

/// All groups of a queue.
#[derive(Debug)]
pub(super) struct Groups {
    order: Order,
    /// Messages without a group.
    loose: Group,
    /// A tree and not a hash table: its memory follows the number of groups, and it never stops to grow.
    tagged: BTreeMap<GroupTag, Group>,
    /// (messages held, head) of the groups that may hand out.
    turns: BTreeMap<(u32, Pos), GroupTag>,
    /// Entries in line, by group and position, and whether they are ready.
    kept: BTreeMap<(Option<GroupTag>, Pos), bool>,
    /// Where the search for old messages goes on.
    search: Option<GroupTag>,
}

impl Groups {
    pub(super) fn new(order: Order) -> Self {
        let loose = Group {
            listed: Listed::Many(Box::default()),
            ..Group::default()
        };
        Self {
            order,
            loose,
            tagged: BTreeMap::new(),
            turns: BTreeMap::new(),
            search: None,
            kept: BTreeMap::new(),
        }
    }

    /// Adds a message that is ready and was never received.
    pub(super) fn push(&mut self, group: Option<GroupTag>, item: Item) {
        let Some(tag) = group else {
            return self.loose.listed.push(item);
        };
        let there = self.tagged.entry(tag).or_default();
        if there
            .listed
            .front()
            .is_some_and(|front| front.position < item.position)
        {
            // The head stays what it is.
            return there.listed.push(item);
        }
        self.edit(group, |group| group.listed.push(item));
    }

    /// Takes the head of a group, which was never received, off its list; to somebody's hands or away.
    pub(super) fn pop(&mut self, group: Option<GroupTag>, to: Place) {
        self.edit(group, |group| {
            group.listed.pop();
            group.held += to.held();
        });
    }

    /// An entry goes from one place to another.
    pub(super) fn shift(&mut self, group: Option<GroupTag>, position: Pos, from: Place, to: Place) {
        if from == to {
            return;
        }
        if from.kept() > 0 {
            self.kept.remove(&(group, position));
        }
        if let Place::Kept { ready } = to {
            self.kept.insert((group, position), ready);
        }
        self.edit(group, |group| {
            group.kept = group.kept + to.kept() - from.kept();
            group.held = group.held + to.held() - from.held();
        });
    }

    /// Changes a group and sees to its turn.
    fn edit(&mut self, group: Option<GroupTag>, change: impl FnOnce(&mut Group)) {
        let Some(tag) = group else {
            return change(&mut self.loose);
        };
        let there = self.tagged.entry(tag).or_default();
        if there.turn != NO_TURN {
            self.turns.remove(&(there.held, there.turn));
        }
        change(there);
        if there.listed.is_empty() {
            there.listed = Listed::None;
            if there.kept == 0 && there.held == 0 {
                self.tagged.remove(&tag);
                return;
            }
        }
        let waits = self.order == Order::Fifo && there.held > 0;
        let head = if waits {
            None
        } else {
            head(&self.kept, group, there)
        };
        there.turn = head.map_or(NO_TURN, |head| head.position);
        if there.turn != NO_TURN {
            self.turns.insert((there.held, there.turn), tag);
        }
    }

    /// The message that comes next. A FIFO queue stays with the group of `current`, the one just handed out, if it can.
    pub(super) fn next(&self, current: Option<&Next>) -> Option<Next> {
        if self.order == Order::Fifo
            && let Some(current) = current
            && let Some(head) = self.head_of(current.group)
        {
            return Some(head);
        }
        let loose_waits = self.order == Order::Fifo && self.loose.held > 0;
        let loose = if loose_waits { None } else { self.head_of(None) };
        let Some((turn, tag)) = self.turns.first_key_value() else {
            return loose;
        };
        loose
            .filter(|head| (self.loose.held, head.position) < *turn)
            .or_else(|| self.head_of(Some(*tag)))
    }

    fn head_of(&self, group: Option<GroupTag>) -> Option<Next> {
        let there = match &group {
            Some(tag) => self.tagged.get(tag)?,
            None => &self.loose,
        };
        head(&self.kept, group, there)
    }

    /// Takes a message that was never received out of the list that has it, whichever that is.
    pub(super) fn find(&mut self, position: Pos) -> Option<(Option<GroupTag>, Item)> {
        let loose = self.loose.listed.get(position).map(|item| (None, item));
        let has = |(tag, group): (&GroupTag, &Group)| Some((Some(*tag), group.listed.get(position)?));
        let (group, item) = loose.or_else(|| self.tagged.iter().find_map(has))?;
        self.edit(group, |group| {
            group.listed.with(|list| list.remove(position));
        });
        Some((group, item))
    }

    /// Takes the message at `position` out of the list of its group, if it is there.
    pub(super) fn remove(&mut self, position: Pos, group: Option<GroupTag>) -> bool {
        let there = match &group {
            Some(tag) => self.tagged.get(tag),
            None => Some(&self.loose),
        };
        if there.and_then(|group| group.listed.get(position)).is_none() {
            return false;
        }
        self.edit(group, |group| {
            group.listed.with(|list| list.remove(position));
        });
        true
    }

    /// Takes messages that were never received and were sent before `oldest_kept`, until `out` holds `max`. The next
    /// call goes on where this one has stopped.
    pub(super) fn expire(&mut self, oldest_kept: u64, max: usize, out: &mut Vec<Pos>) {
        self.loose.listed.with(|list| list.expire(oldest_kept, max, out));
        // Where the last call stopped, then what lies before: that has grown old as well since.
        let from = self.search.take();
        let after = self
            .tagged
            .range((from.map_or(Bound::Unbounded, Bound::Included), Bound::Unbounded));
        let before = from.map(|from| self.tagged.range(..from));
        let old: Vec<GroupTag> = after
            .chain(before.into_iter().flatten())
            .filter(|(_, group)| group.listed.oldest() < oldest_kept)
            .map(|(tag, _)| *tag)
            .take(max.saturating_sub(out.len()).saturating_add(1))
            .collect();
        for tag in old {
            if out.len() >= max {
                self.search = Some(tag);
                return;
            }
            self.edit(Some(tag), |group| {
                group.listed.with(|list| list.expire(oldest_kept, max, out));
            });
        }
    }

    /// Takes messages that were never received, up to `last`.
    pub(super) fn clear_through(&mut self, last: Pos, out: &mut Vec<Pos>) {
        self.loose.listed.with(|list| list.clear_through(last, out));
        let begun: Vec<GroupTag> = self
            .tagged
            .iter()
            .filter(|(_, group)| group.listed.front().is_some_and(|front| front.position <= last))
            .map(|(tag, _)| *tag)
            .collect();
        for tag in begun {
            self.edit(Some(tag), |group| {
                group.listed.with(|list| list.clear_through(last, out));
            });
        }
    }

    /// No message that was never received was sent before; `u64::MAX` when there is none.
    pub(super) fn oldest(&self) -> u64 {
        let tagged = self.tagged.values().map(|group| group.listed.oldest()).min();
        tagged.unwrap_or(u64::MAX).min(self.loose.listed.oldest())
    }

    /// Asserts what must hold between the parts; answers how many messages are in lists.
    #[cfg(test)]
    pub(super) fn check(&self) -> usize {
        for (tag, group) in &self.tagged {
            let next = head(&self.kept, Some(*tag), group);
            let next = next.filter(|_| self.order == Order::Standard || group.held == 0);
            let turn = next.map(|next| (group.held, next.position));
            assert_eq!(turn.map_or(NO_TURN, |turn| turn.1), group.turn);
            assert!(turn.is_none_or(|turn| self.turns.get(&turn) == Some(tag)));
        }
        let turns = self.tagged.values().filter(|group| group.turn != NO_TURN);
        assert_eq!(turns.count(), self.turns.len());
        let groups = self.tagged.values().chain([&self.loose]);
        let lens = groups.map(|group| match &group.listed {
            Listed::None => 0,
            Listed::One(_) => 1,
            Listed::Many(list) => list.len(),
        });
        lens.sum()
    }

    /// Whether nothing is left of any message.
    #[cfg(test)]
    pub(super) fn is_forgotten(&self) -> bool {
        self.loose.listed.is_empty()
            && self.tagged.is_empty()
            && self.turns.is_empty()
            && self.kept.is_empty()
    }

    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let lists = self.tagged.values().chain([&self.loose]);
        let lists = lists.map(|group| match &group.listed {
            Listed::None | Listed::One(_) => 0,
            Listed::Many(list) => size_of::<Backlog>() + list.heap_bytes(),
        });
        lists.sum::<usize>()
            + super::tree_bytes(self.tagged.len(), size_of::<(GroupTag, Group)>())
            + super::tree_bytes(self.turns.len(), size_of::<((u32, Pos), GroupTag)>())
            + super::tree_bytes(self.kept.len(), size_of::<(Option<GroupTag>, Pos)>() + 1)
    }
}

/// The first message of a group, if it is ready.
fn head(
    kept: &BTreeMap<(Option<GroupTag>, Pos), bool>,
    group: Option<GroupTag>,
    there: &Group,
) -> Option<Next> {
    let listed = there.listed.front();
    let kept = if there.kept == 0 {
        None
    } else {
        kept.range((group, Pos(0))..=(group, Pos(u64::MAX))).next()
    };
    match (listed, kept) {
        (Some(item), Some(((_, position), _))) if item.position < *position => Some(fresh(group, item)),
        (_, Some(((_, position), ready))) => ready.then_some(Next {
            group,
            position: *position,
            fresh: None,
        }),
        (Some(item), None) => Some(fresh(group, item)),
        (None, None) => None,
    }
}

fn fresh(group: Option<GroupTag>, item: Item) -> Next {
    Next {
        group,
        position: item.position,
        fresh: Some(item.sent),
    }
}
