//! `CreateVpcEndpoint`: a listener of its own in each subnet, with a policy that limits what comes by it.

use crate::ec2::access::{of_subnet, with_region, with_request_tags};
use crate::ec2::endpoint::{Endpoint, FULL_ACCESS, Place, endpoint_arn, parse_policy, service_name, vpc_arn};
use crate::ec2::limits::ENDPOINTS_PER_VPC_MAX;
use crate::ec2::network::Subnet;
use crate::ec2::shapes::{DnsOptionsSpecification, SubnetConfiguration, TagSpecification, VpcEndpoint};
use crate::ec2::validate::{self, invalid, not_built};
use crate::ec2::{Ec2, Ec2Error};
use crate::policy_warnings::warn_of_traps;
use bulla_gate::{Access, AccessRequest, Authorized, Call, Operation, Resolved};
use bulla_policy::PolicyKind;
use bulla_types::{VpcEndpointId, VpcId};
use bulla_wire::Shape;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The operation.
#[derive(Debug)]
pub(crate) struct CreateVpcEndpoint;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "CreateVpcEndpointRequest")]
pub(crate) struct CreateVpcEndpointInput {
    pub(crate) dry_run: Option<bool>,
    /// `Interface`; without it `Gateway`, which is for services that are not here.
    pub(crate) vpc_endpoint_type: Option<String>,
    pub(crate) vpc_id: String,
    /// `com.amazonaws.us-east-1.sqs`.
    pub(crate) service_name: Option<String>,
    pub(crate) policy_document: Option<String>,
    #[member(query = "RouteTableId", flattened, default)]
    pub(crate) route_table_ids: Vec<String>,
    /// Without any, the endpoint listens in all subnets of the VPC.
    #[member(query = "SubnetId", flattened, default)]
    pub(crate) subnet_ids: Vec<String>,
    #[member(query = "SecurityGroupId", flattened, default)]
    pub(crate) security_group_ids: Vec<String>,
    pub(crate) ip_address_type: Option<String>,
    pub(crate) dns_options: Option<DnsOptionsSpecification>,
    pub(crate) client_token: Option<String>,
    pub(crate) private_dns_enabled: Option<bool>,
    #[member(query = "TagSpecification", flattened, default)]
    pub(crate) tag_specifications: Vec<TagSpecification>,
    #[member(query = "SubnetConfiguration", flattened, default)]
    pub(crate) subnet_configurations: Vec<SubnetConfiguration>,
    pub(crate) service_network_arn: Option<String>,
    pub(crate) resource_configuration_arn: Option<String>,
    pub(crate) service_region: Option<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "CreateVpcEndpointResult")]
pub(crate) struct CreateVpcEndpointOutput {
    #[member(query = "vpcEndpoint")]
    pub(crate) vpc_endpoint: VpcEndpoint,
    #[member(query = "clientToken")]
    pub(crate) client_token: Option<String>,
}

/// An endpoint that is asked for.
#[derive(Debug)]
pub(crate) struct Wanted {
    vpc: VpcId,
    service: &'static str,
    subnets: Vec<Subnet>,
    tags: BTreeMap<String, String>,
}

impl Operation for CreateVpcEndpoint {
    const NAME: &'static str = "CreateVpcEndpoint";
    type Service = Ec2;
    type Input = CreateVpcEndpointInput;
    type Output = CreateVpcEndpointOutput;
    type Error = Ec2Error;
    type Target = Wanted;

    async fn resolve(
        ec2: &Ec2,
        call: &Call<'_>,
        input: CreateVpcEndpointInput,
    ) -> Result<Resolved<Self>, Ec2Error> {
        check(call, &input)?;
        let wanted = Wanted {
            vpc: validate::vpc(&input.vpc_id)?,
            service: validate::service(input.service_name.as_deref(), call.region())?,
            subnets: subnets(ec2, call, &input)?,
            tags: validate::tags(&input.tag_specifications)?,
        };
        Ok(Resolved {
            access: Access::Needs(questions(call, &wanted)),
            input,
            target: wanted,
        })
    }

    async fn execute(
        ec2: &Ec2,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<CreateVpcEndpointOutput, Ec2Error> {
        let (input, wanted) = granted.into_parts();
        let asked = format!("{wanted:?} {:?}", input.policy_document);
        let id = VpcEndpointId::from_entropy(ec2.runtime.entropy.id_bytes());
        let text = input.policy_document.as_deref().filter(|text| !text.is_empty());
        let policy = parse_policy(text.unwrap_or(FULL_ACCESS), id)?;
        if input.dry_run == Some(true) {
            return Err(Ec2Error::DryRun);
        }
        let writing = ec2.writing.lock().await;
        if let Some(token) = &input.client_token
            && let Some(made) = ec2.made_before(call, token, &asked)?
        {
            return Ok(output(&made, input.client_token));
        }
        if ec2.view().count_in(wanted.vpc) >= ENDPOINTS_PER_VPC_MAX {
            return Err(Ec2Error::LimitExceeded {
                max: ENDPOINTS_PER_VPC_MAX,
            });
        }
        let mut endpoint = Endpoint {
            id,
            vpc: wanted.vpc,
            account: call.account(),
            region: call.region(),
            service: wanted.service.to_owned(),
            policy,
            places: Vec::new(),
            tags: wanted.tags,
            created: call.time(),
            request: input.client_token.clone().map(|token| (token, asked)),
        };
        endpoint.places = ec2.listen(&endpoint, &wanted.subnets).await?;
        let (id, places) = (endpoint.id, endpoint.places.clone());
        let stored = ec2.store(call, endpoint).await;
        if stored.is_err() {
            ec2.close(id, &places).await;
        }
        let endpoint = stored?;
        drop(writing);
        warn_of_traps(
            call,
            &endpoint.arn(),
            endpoint.policy.text(),
            PolicyKind::VpcEndpoint,
        );
        Ok(output(&endpoint, input.client_token))
    }
}

fn output(endpoint: &Endpoint, client_token: Option<String>) -> CreateVpcEndpointOutput {
    CreateVpcEndpointOutput {
        vpc_endpoint: VpcEndpoint::from(endpoint),
        client_token,
    }
}

fn check(call: &Call<'_>, input: &CreateVpcEndpointInput) -> Result<(), Ec2Error> {
    let kind = input.vpc_endpoint_type.as_deref().unwrap_or("Gateway");
    match kind {
        "Interface" => {}
        "Gateway" => {
            return Err(invalid(
                "Endpoint type (Gateway) does not match available service types ([Interface]).",
            ));
        }
        "GatewayLoadBalancer" | "Resource" | "ServiceNetwork" | "Tunnel" => {
            return not_built(true, &format!("An endpoint of the type {kind}"));
        }
        _ => {
            return Err(Ec2Error::InvalidVpcEndpointType {
                text: kind.to_owned(),
            });
        }
    }
    validate::client_token(input.client_token.as_deref())?;
    not_built(!input.route_table_ids.is_empty(), "RouteTableIds")?;
    not_built(
        !input.security_group_ids.is_empty(),
        "SecurityGroupIds, a firewall,",
    )?;
    not_built(input.dns_options.is_some(), "DnsOptions: DNS")?;
    not_built(input.private_dns_enabled == Some(true), "PrivateDnsEnabled: DNS")?;
    not_built(!input.subnet_configurations.is_empty(), "SubnetConfigurations")?;
    not_built(input.service_network_arn.is_some(), "ServiceNetworkArn")?;
    not_built(
        input.resource_configuration_arn.is_some(),
        "ResourceConfigurationArn",
    )?;
    let other = input
        .service_region
        .as_deref()
        .filter(|region| *region != call.region().as_str());
    not_built(other.is_some(), "A ServiceRegion other than the endpoint's own")
}

/// The subnets that the endpoint is to listen in, of a VPC that the caller may use.
fn subnets(ec2: &Ec2, call: &Call<'_>, input: &CreateVpcEndpointInput) -> Result<Vec<Subnet>, Ec2Error> {
    let vpc = validate::vpc(&input.vpc_id)?;
    let of_vpc: Vec<&Subnet> = ec2.network.of_vpc(call.account(), call.region(), vpc).collect();
    if of_vpc.is_empty() {
        return Err(Ec2Error::VpcNotFound {
            id: input.vpc_id.clone(),
        });
    }
    let chosen: Vec<Subnet> = if input.subnet_ids.is_empty() {
        of_vpc.into_iter().cloned().collect()
    } else {
        ec2.subnets_of(call, vpc, &input.subnet_ids)?
    };
    let kind = match input.ip_address_type.as_deref() {
        None => return Ok(chosen),
        Some(kind @ ("ipv4" | "ipv6" | "dualstack")) => kind,
        Some(other) => return Err(invalid(format!("'{other}' is not a type of IP addresses."))),
    };
    let (v4, v6) = (kind != "ipv6", kind != "ipv4");
    let fits = |subnet: &Subnet| if subnet.address.is_ipv4() { v4 } else { v6 };
    if chosen.iter().all(fits) {
        Ok(chosen)
    } else {
        Err(invalid(format!("A subnet's address is not of the type {kind}.")))
    }
}

fn questions(call: &Call<'_>, wanted: &Wanted) -> Vec<AccessRequest> {
    let (region, account) = (call.region(), call.account());
    let ask = |action, arn: String| with_region(call, AccessRequest::new(action, arn, account));
    let any_endpoint = endpoint_arn(region, account, "*");
    let named = |request: AccessRequest| {
        request
            .with_key("ec2:VpceServiceName", service_name(region, wanted.service))
            .with_key("ec2:VpceServiceOwner", "amazon")
    };
    let vpc = vpc_arn(region, account, wanted.vpc.as_str());
    let create = "ec2:CreateVpcEndpoint";
    let mut questions = vec![
        ask(create, vpc).with_key("ec2:VpcID", wanted.vpc.as_str()),
        with_request_tags(named(ask(create, any_endpoint.clone())), &wanted.tags),
    ];
    let subnets = wanted.subnets.iter();
    questions.extend(subnets.map(|subnet| of_subnet(call, create, subnet.id.as_str(), wanted.vpc)));
    if !wanted.tags.is_empty() {
        let tagging = ask("ec2:CreateTags", any_endpoint).with_key("ec2:CreateAction", "CreateVpcEndpoint");
        questions.push(with_request_tags(tagging, &wanted.tags));
    }
    questions
}

impl Ec2 {
    /// The endpoint that an earlier request with the same token made. The writers' lock is held.
    fn made_before(
        &self,
        call: &Call<'_>,
        token: &str,
        asked: &str,
    ) -> Result<Option<Arc<Endpoint>>, Ec2Error> {
        let view = self.view();
        let mut of_caller = view.of(call.account(), call.region());
        let made = of_caller.find(|endpoint| {
            endpoint
                .request
                .as_ref()
                .is_some_and(|(before, _)| before == token)
        });
        match made {
            Some(made) if made.request.as_ref().is_some_and(|(_, before)| before == asked) => {
                Ok(Some(Arc::clone(made)))
            }
            Some(_) => Err(Ec2Error::IdempotentParameterMismatch),
            None => Ok(None),
        }
    }

    /// The subnets with these ids in a VPC.
    pub(in crate::ec2) fn subnets_of(
        &self,
        call: &Call<'_>,
        vpc: VpcId,
        ids: &[String],
    ) -> Result<Vec<Subnet>, Ec2Error> {
        let mut subnets: Vec<Subnet> = Vec::with_capacity(ids.len());
        for text in ids {
            let found = self.network.subnet(validate::subnet(text)?);
            let found = found
                .filter(|subnet| subnet.is_for(call.account(), call.region(), vpc))
                .ok_or_else(|| Ec2Error::SubnetNotFound { subnet: text.clone() })?;
            if subnets.iter().any(|subnet| subnet.id == found.id) {
                return Err(invalid(format!("The subnet ID '{text}' is there twice.")));
            }
            subnets.push(found.clone());
        }
        Ok(subnets)
    }

    /// Listens for an endpoint in all of these subnets or in none. The writers' lock is held.
    pub(in crate::ec2) async fn listen(
        &self,
        endpoint: &Endpoint,
        subnets: &[Subnet],
    ) -> Result<Vec<Place>, Ec2Error> {
        let mut places = Vec::with_capacity(subnets.len());
        for subnet in subnets {
            match self.listen_in(endpoint, subnet) {
                Ok(place) => places.push(place),
                Err(error) => {
                    self.close(endpoint.id, &places).await;
                    return Err(error);
                }
            }
        }
        Ok(places)
    }

    /// Takes the first port that is free.
    fn listen_in(&self, endpoint: &Endpoint, subnet: &Subnet) -> Result<Place, Ec2Error> {
        use crate::ec2::network::ListenFailure;
        for address in subnet.addresses() {
            let of_another =
                |other: &Arc<Endpoint>| other.places.iter().any(|place| place.address == address);
            if self.view().all().any(of_another) {
                continue;
            }
            match self.listeners.open(endpoint.id, address, &endpoint.names()) {
                Ok(()) => {
                    return Ok(Place {
                        subnet: subnet.id,
                        address,
                        failure: None,
                    });
                }
                Err(ListenFailure::InUse) => {}
                Err(ListenFailure::Refused(why)) => {
                    tracing::error!(%address, why, "a VPC endpoint cannot listen");
                    return Err(Ec2Error::Listen {
                        reason: format!("{address} cannot be listened on; the server's log says why."),
                    });
                }
            }
        }
        Err(Ec2Error::InsufficientFreeAddresses {
            subnet: subnet.id.to_string(),
        })
    }
}
