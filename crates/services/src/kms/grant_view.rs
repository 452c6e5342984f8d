//! All grants in memory: by key for lists, by grantee for decisions, by retiring principal for `ListRetirableGrants`.

use super::grant::{Grant, Terms};
use bulla_types::{KeyId, Region};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

/// By id, with the key.
type Ids = BTreeSet<(Arc<str>, KeyId)>;

/// The three indexes never disagree.
#[derive(Debug, Default)]
pub(super) struct GrantView {
    keys: HashMap<(Region, KeyId), KeyGrants>,
    retirable: HashMap<(Region, Arc<str>), Ids>,
}

#[derive(Debug, Default)]
struct KeyGrants {
    by_id: BTreeMap<Arc<str>, Arc<Grant>>,
    /// Compiled.
    by_grantee: HashMap<Arc<str>, Arc<[bulla_policy::Grant]>>,
}

impl GrantView {
    /// Adds a grant, which has an id of its own.
    ///
    /// # Errors
    /// When the policy engine does not understand it.
    pub(super) fn add(&mut self, grant: Grant) -> Result<(), &'static str> {
        let compiled = grant.terms.compile(&grant.id)?;
        let of_key = self.keys.entry((grant.region, grant.key)).or_default();
        let place = of_key
            .by_grantee
            .entry(Arc::clone(&grant.terms.grantee))
            .or_default();
        *place = place.iter().cloned().chain([compiled]).collect();
        if let Some(retiring) = &grant.terms.retiring {
            let place = (grant.region, Arc::clone(retiring));
            let retirable = self.retirable.entry(place).or_default();
            retirable.insert((Arc::clone(&grant.id), grant.key));
        }
        of_key.by_id.insert(Arc::clone(&grant.id), Arc::new(grant));
        Ok(())
    }

    /// Takes a grant out.
    pub(super) fn remove(&mut self, region: Region, key: KeyId, id: &str) {
        let Some(of_key) = self.keys.get_mut(&(region, key)) else {
            return;
        };
        let Some(grant) = of_key.by_id.remove(id) else {
            return;
        };
        let grantee = &grant.terms.grantee;
        if let Some(place) = of_key.by_grantee.get_mut(grantee) {
            *place = place.iter().filter(|grant| grant.id() != id).cloned().collect();
            if place.is_empty() {
                of_key.by_grantee.remove(grantee);
            }
        }
        if of_key.by_id.is_empty() {
            self.keys.remove(&(region, key));
        }
        let Some(retiring) = &grant.terms.retiring else {
            return;
        };
        let place = (region, Arc::clone(retiring));
        if let Some(retirable) = self.retirable.get_mut(&place) {
            retirable.remove(&(Arc::clone(&grant.id), key));
            if retirable.is_empty() {
                self.retirable.remove(&place);
            }
        }
    }

    /// Takes all grants of a key out; the answer is what they were.
    pub(super) fn remove_key(&mut self, region: Region, key: KeyId) -> Vec<Arc<Grant>> {
        let grants: Vec<Arc<Grant>> = self.of_key(region, key, None).cloned().collect();
        for grant in &grants {
            self.remove(region, key, &grant.id);
        }
        grants
    }

    /// A grant on a key.
    pub(super) fn get(&self, region: Region, key: KeyId, id: &str) -> Option<&Arc<Grant>> {
        self.keys.get(&(region, key))?.by_id.get(id)
    }

    /// How many grants a key has.
    pub(super) fn count(&self, region: Region, key: KeyId) -> usize {
        self.keys
            .get(&(region, key))
            .map_or(0, |grants| grants.by_id.len())
    }

    /// Grants on a key behind `after`, in order of id.
    pub(super) fn of_key<'a>(
        &'a self,
        region: Region,
        key: KeyId,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Grant>> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let of_key = self.keys.get(&(region, key));
        of_key
            .into_iter()
            .flat_map(move |grants| grants.by_id.range::<str, _>((from, Bound::Unbounded)))
            .map(|(_, grant)| grant)
    }

    /// The grant on a key that was made with this name and these terms.
    pub(super) fn same(&self, region: Region, key: KeyId, terms: &Terms) -> Option<&Arc<Grant>> {
        self.of_key(region, key, None).find(|grant| grant.terms == *terms)
    }

    /// Grants that a principal retires, behind `after`, in order of id.
    pub(super) fn retirable<'a>(
        &'a self,
        region: Region,
        principal: &str,
        after: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Grant>> {
        let place = (region, Arc::from(principal));
        let all = self.retirable.get(&place).into_iter().flatten();
        all.filter(move |(id, _)| after.is_none_or(|after| **id > *after))
            .filter_map(move |(id, key)| self.get(region, *key, id))
    }

    /// Compiled grants on a key to whoever is known by these names.
    pub(super) fn of_grantee(
        &self,
        region: Region,
        key: KeyId,
        names: [&str; 2],
    ) -> Arc<[bulla_policy::Grant]> {
        let Some(of_key) = self.keys.get(&(region, key)) else {
            return Arc::default();
        };
        let [first, second] = names;
        let found = |name: &str| of_key.by_grantee.get(name).map(Arc::clone);
        match (found(first), found(second).filter(|_| first != second)) {
            (Some(one), None) | (None, Some(one)) => one,
            (Some(one), Some(two)) => one.iter().chain(&*two).cloned().collect(),
            (None, None) => Arc::default(),
        }
    }
}
