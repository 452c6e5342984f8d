//! All endpoints in memory, and what the gate is told of each.

use super::endpoint::Endpoint;
use bulla_gate::EndpointFacts;
use bulla_types::{AccountId, Region, VpcEndpointId, VpcId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// By id, so that pages have an order.
#[derive(Debug, Default)]
pub(super) struct View(BTreeMap<VpcEndpointId, (Arc<Endpoint>, Arc<EndpointFacts>)>);

impl View {
    pub(super) fn put(&mut self, endpoint: Arc<Endpoint>) {
        let facts = Arc::new(endpoint.facts());
        self.0.insert(endpoint.id, (endpoint, facts));
    }

    pub(super) fn remove(&mut self, id: VpcEndpointId) {
        self.0.remove(&id);
    }

    pub(super) fn facts(&self, id: VpcEndpointId) -> Option<Arc<EndpointFacts>> {
        self.0.get(&id).map(|(_, facts)| Arc::clone(facts))
    }

    /// An endpoint of this account and region.
    pub(super) fn find(
        &self,
        account: AccountId,
        region: Region,
        id: VpcEndpointId,
    ) -> Option<Arc<Endpoint>> {
        let (endpoint, _) = self.0.get(&id)?;
        (endpoint.account == account && endpoint.region == region).then(|| Arc::clone(endpoint))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.0.values().map(|(endpoint, _)| endpoint)
    }

    /// Those of an account in a region, by id.
    pub(super) fn of(&self, account: AccountId, region: Region) -> impl Iterator<Item = &Arc<Endpoint>> {
        self.all()
            .filter(move |endpoint| endpoint.account == account && endpoint.region == region)
    }

    pub(super) fn count_in(&self, vpc: VpcId) -> usize {
        self.all().filter(|endpoint| endpoint.vpc == vpc).count()
    }
}
