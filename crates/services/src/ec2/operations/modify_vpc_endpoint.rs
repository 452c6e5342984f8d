//! `ModifyVpcEndpoint`: another policy, other subnets.

use crate::ec2::access::{Sought, of_subnet};
use crate::ec2::endpoint::{FULL_ACCESS, Place, parse_policy};
use crate::ec2::shapes::{DnsOptionsSpecification, SubnetConfiguration};
use crate::ec2::validate::{self, invalid, not_built};
use crate::ec2::{Ec2, Ec2Error};
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, Authorized, Call, Operation, Resolved};
use bulla_policy::PolicyKind;
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct ModifyVpcEndpoint;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "ModifyVpcEndpointRequest")]
pub(crate) struct ModifyVpcEndpointInput {
    pub(crate) dry_run: Option<bool>,
    pub(crate) vpc_endpoint_id: String,
    /// Back to the policy of endpoints that were made without one.
    pub(crate) reset_policy: Option<bool>,
    pub(crate) policy_document: Option<String>,
    #[member(query = "AddRouteTableId", flattened, default)]
    pub(crate) add_route_table_ids: Vec<String>,
    #[member(query = "RemoveRouteTableId", flattened, default)]
    pub(crate) remove_route_table_ids: Vec<String>,
    #[member(query = "AddSubnetId", flattened, default)]
    pub(crate) add_subnet_ids: Vec<String>,
    #[member(query = "RemoveSubnetId", flattened, default)]
    pub(crate) remove_subnet_ids: Vec<String>,
    #[member(query = "AddSecurityGroupId", flattened, default)]
    pub(crate) add_security_group_ids: Vec<String>,
    #[member(query = "RemoveSecurityGroupId", flattened, default)]
    pub(crate) remove_security_group_ids: Vec<String>,
    pub(crate) ip_address_type: Option<String>,
    pub(crate) dns_options: Option<DnsOptionsSpecification>,
    pub(crate) private_dns_enabled: Option<bool>,
    #[member(query = "SubnetConfiguration", flattened, default)]
    pub(crate) subnet_configurations: Vec<SubnetConfiguration>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "ModifyVpcEndpointResult")]
pub(crate) struct ModifyVpcEndpointOutput {
    #[member(query = "return")]
    pub(crate) r#return: bool,
}

impl Operation for ModifyVpcEndpoint {
    const NAME: &'static str = "ModifyVpcEndpoint";
    type Service = Ec2;
    type Input = ModifyVpcEndpointInput;
    type Output = ModifyVpcEndpointOutput;
    type Error = Ec2Error;
    type Target = Sought;

    async fn resolve(
        ec2: &Ec2,
        call: &Call<'_>,
        input: ModifyVpcEndpointInput,
    ) -> Result<Resolved<Self>, Ec2Error> {
        check(&input)?;
        let target = ec2.seek(call, &input.vpc_endpoint_id);
        let action = "ec2:ModifyVpcEndpoint";
        let mut questions = vec![target.request(call, action)];
        if let Some(endpoint) = &target.found {
            let subnets = input.add_subnet_ids.iter().chain(&input.remove_subnet_ids);
            questions.extend(subnets.map(|subnet| of_subnet(call, action, subnet, endpoint.vpc)));
        }
        Ok(Resolved {
            input,
            target,
            access: Access::Needs(questions),
        })
    }

    async fn execute(
        ec2: &Ec2,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<ModifyVpcEndpointOutput, Ec2Error> {
        let (input, sought) = granted.into_parts();
        let not_found = || Ec2Error::VpcEndpointNotFound {
            id: input.vpc_endpoint_id.clone(),
        };
        let found = sought.found.ok_or_else(not_found)?;
        let text = match (&input.policy_document, input.reset_policy) {
            (Some(text), _) => Some(text.as_str()),
            (None, Some(true)) => Some(FULL_ACCESS),
            (None, Some(false) | None) => None,
        };
        let policy = text.map(|text| parse_policy(text, found.id)).transpose()?;
        if input.dry_run == Some(true) {
            return Err(Ec2Error::DryRun);
        }
        let writing = ec2.writing.lock().await;
        let present = ec2.view().find(call.account(), call.region(), found.id);
        let mut endpoint = (*present.ok_or_else(not_found)?).clone();
        let is_new = policy.is_some();
        if let Some(policy) = policy {
            endpoint.policy = policy;
        }
        let removed = leave(&mut endpoint.places, &input.remove_subnet_ids)?;
        let subnets = ec2.subnets_of(call, endpoint.vpc, &input.add_subnet_ids)?;
        if let Some(there) = subnets
            .iter()
            .find(|subnet| endpoint.places.iter().any(|place| place.subnet == subnet.id))
        {
            return Err(invalid(format!(
                "The endpoint is in the subnet '{}' already.",
                there.id
            )));
        }
        let added = ec2.listen(&endpoint, &subnets).await?;
        endpoint.places.extend(added.iter().cloned());
        let id = endpoint.id;
        let stored = ec2.store(call, endpoint).await;
        if stored.is_err() {
            ec2.close(id, &added).await;
        }
        let endpoint = stored?;
        ec2.close(id, &removed).await;
        drop(writing);
        if is_new {
            warn_of_traps(
                call,
                &endpoint.arn(),
                endpoint.policy.text(),
                PolicyKind::VpcEndpoint,
            );
        }
        Ok(ModifyVpcEndpointOutput { r#return: true })
    }
}

fn check(input: &ModifyVpcEndpointInput) -> Result<(), Ec2Error> {
    if input.reset_policy == Some(true) && input.policy_document.is_some() {
        return Err(invalid("ResetPolicy and PolicyDocument exclude each other."));
    }
    let (add, remove) = (&input.add_route_table_ids, &input.remove_route_table_ids);
    not_built(!add.is_empty() || !remove.is_empty(), "A change of route tables")?;
    let (add, remove) = (&input.add_security_group_ids, &input.remove_security_group_ids);
    not_built(
        !add.is_empty() || !remove.is_empty(),
        "A change of security groups, a firewall,",
    )?;
    not_built(input.ip_address_type.is_some(), "A change of IpAddressType")?;
    not_built(input.dns_options.is_some(), "DnsOptions: DNS")?;
    not_built(input.private_dns_enabled == Some(true), "PrivateDnsEnabled: DNS")?;
    not_built(!input.subnet_configurations.is_empty(), "SubnetConfigurations")
}

/// Takes the places in these subnets away.
fn leave(places: &mut Vec<Place>, subnets: &[String]) -> Result<Vec<Place>, Ec2Error> {
    let mut removed = Vec::with_capacity(subnets.len());
    for text in subnets {
        let subnet = validate::subnet(text)?;
        let at = places.iter().position(|place| place.subnet == subnet);
        let at = at.ok_or_else(|| Ec2Error::SubnetNotFound { subnet: text.clone() })?;
        removed.push(places.remove(at));
    }
    Ok(removed)
}
