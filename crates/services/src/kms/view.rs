//! All keys in memory, compiled, in the orders in which they are asked for. Rebuilt from the directory at start.

use super::grant::Grant;
use super::grant_view::GrantView;
use super::key::Key;
use bulla_types::{AccountId, KeyId, Region, Timestamp};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// An account's part of a region.
type Place = (AccountId, Region);

/// Keys by id, by account, by alias and by relation; they never disagree.
#[derive(Debug, Default)]
pub(super) struct View {
    keys: HashMap<(Region, KeyId), Arc<Key>>,
    ids: BTreeMap<Place, BTreeSet<KeyId>>,
    aliases: BTreeMap<Place, BTreeMap<Arc<str>, KeyId>>,
    /// Regions of multi-Region keys.
    related: HashMap<KeyId, BTreeSet<Region>>,
    /// Of keys that are here.
    pub(super) grants: GrantView,
}

impl View {
    /// A key that exists at that time.
    pub(super) fn key(&self, region: Region, id: KeyId, now: Timestamp) -> Option<&Arc<Key>> {
        self.keys.get(&(region, id)).filter(|key| !key.is_gone(now))
    }

    /// Whether there is such a key, though its deletion date may have come.
    pub(super) fn has(&self, region: Region, id: KeyId) -> bool {
        self.keys.contains_key(&(region, id))
    }

    /// When the key was made, though its deletion date may have come.
    pub(super) fn created(&self, region: Region, id: KeyId) -> Option<Timestamp> {
        self.keys.get(&(region, id)).map(|key| key.created)
    }

    /// The key behind an alias, which has its prefix.
    pub(super) fn alias(
        &self,
        owner: AccountId,
        region: Region,
        name: &str,
        now: Timestamp,
    ) -> Option<&Arc<Key>> {
        let id = self.aliases.get(&(owner, region))?.get(name)?;
        self.key(region, *id, now)
    }

    /// Keys of an account behind `after`, in order of id.
    pub(super) fn keys_of(
        &self,
        owner: AccountId,
        region: Region,
        after: Option<KeyId>,
        now: Timestamp,
    ) -> impl Iterator<Item = &Arc<Key>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ids = self.ids.get(&(owner, region));
        ids.into_iter()
            .flat_map(move |ids| ids.range((from, Bound::Unbounded)))
            .filter_map(move |id| self.key(region, *id, now))
    }

    /// Aliases of an account behind `after`, in order of name, with their keys.
    pub(super) fn aliases_of<'a>(
        &'a self,
        owner: AccountId,
        region: Region,
        after: Option<&'a str>,
        now: Timestamp,
    ) -> impl Iterator<Item = (&'a str, &'a Arc<Key>)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let aliases = self.aliases.get(&(owner, region));
        aliases
            .into_iter()
            .flat_map(move |aliases| aliases.range::<str, _>((from, Bound::Unbounded)))
            .filter_map(move |(name, id)| Some((&**name, self.key(region, *id, now)?)))
    }

    /// All keys of a multi-Region key that exist at that time, in order of region; none of another key.
    pub(super) fn related(&self, id: KeyId, now: Timestamp) -> impl Iterator<Item = &Arc<Key>> {
        let regions = self.related.get(&id);
        regions
            .into_iter()
            .flatten()
            .filter_map(move |region| self.key(*region, id, now))
    }

    /// A primary key with the replicas that follow it: what is shared is the primary's.
    pub(super) fn with_replicas(&self, primary: Key, now: Timestamp) -> Vec<Key> {
        let mut all: Vec<Key> = self
            .related(primary.id, now)
            .filter(|key| key.region != primary.region)
            .map(|replica| replica.following(&primary))
            .collect();
        all.push(primary);
        all
    }

    /// How many keys an account has, also those that await deletion.
    pub(super) fn count(&self, owner: AccountId, region: Region) -> usize {
        self.ids.get(&(owner, region)).map_or(0, BTreeSet::len)
    }

    /// All keys, in no order.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Key>> {
        self.keys.values()
    }

    /// Keys whose deletion date has come.
    pub(super) fn gone(&self, now: Timestamp) -> Vec<Arc<Key>> {
        self.keys
            .values()
            .filter(|key| key.is_gone(now))
            .cloned()
            .collect()
    }

    /// Adds a key, or puts it in its former value's place.
    pub(super) fn put(&mut self, key: Arc<Key>) {
        self.remove_aliases(key.region, key.id);
        let place = (key.owner, key.region);
        let aliases = self.aliases.entry(place).or_default();
        aliases.extend(key.aliases.iter().map(|alias| (Arc::clone(&alias.name), key.id)));
        self.ids.entry(place).or_default().insert(key.id);
        if key.primary.is_some() {
            self.related.entry(key.id).or_default().insert(key.region);
        }
        self.keys.insert((key.region, key.id), key);
    }

    /// Takes a key, its aliases and its grants out; its material is wiped when the last call that holds it ends. The
    /// answer is the grants.
    pub(super) fn remove(&mut self, region: Region, id: KeyId) -> Vec<Arc<Grant>> {
        self.remove_aliases(region, id);
        if let Some(key) = self.keys.remove(&(region, id))
            && let Some(ids) = self.ids.get_mut(&(key.owner, region))
        {
            ids.remove(&id);
        }
        if let Some(regions) = self.related.get_mut(&id) {
            regions.remove(&region);
            if regions.is_empty() {
                self.related.remove(&id);
            }
        }
        self.grants.remove_key(region, id)
    }

    fn remove_aliases(&mut self, region: Region, id: KeyId) {
        let Some(key) = self.keys.get(&(region, id)) else {
            return;
        };
        let Some(aliases) = self.aliases.get_mut(&(key.owner, region)) else {
            return;
        };
        for alias in &key.aliases {
            // An alias that has moved belongs to its new key.
            if aliases.get(&alias.name) == Some(&id) {
                aliases.remove(&alias.name);
            }
        }
    }
}
