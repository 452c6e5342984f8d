//! `DeleteVpcEndpoints`: their listeners close, and what is connected to them is refused.

use crate::ec2::access::Sought;
use crate::ec2::{Ec2, Ec2Error};
use bulla_gate::{Access, Authorized, Call, ErrorCode, Operation, Resolved};
use bulla_wire::Shape;

/// The operation.
#[derive(Debug)]
pub(crate) struct DeleteVpcEndpoints;

/// Its input.
#[derive(Debug, Shape)]
#[shape(name = "DeleteVpcEndpointsRequest")]
pub(crate) struct DeleteVpcEndpointsInput {
    pub(crate) dry_run: Option<bool>,
    #[member(query = "VpcEndpointId", flattened)]
    pub(crate) vpc_endpoint_ids: Vec<String>,
}

/// Its output.
#[derive(Debug, Shape)]
#[shape(name = "DeleteVpcEndpointsResult")]
pub(crate) struct DeleteVpcEndpointsOutput {
    #[member(query = "unsuccessful", item = "item")]
    pub(crate) unsuccessful: Vec<UnsuccessfulItem>,
}

/// An endpoint that was not deleted.
#[derive(Debug, Shape)]
pub(crate) struct UnsuccessfulItem {
    #[member(query = "error")]
    pub(crate) error: Option<UnsuccessfulItemError>,
    #[member(query = "resourceId")]
    pub(crate) resource_id: Option<String>,
}

/// Why it was not.
#[derive(Debug, Shape)]
pub(crate) struct UnsuccessfulItemError {
    #[member(query = "code")]
    pub(crate) code: Option<String>,
    #[member(query = "message")]
    pub(crate) message: Option<String>,
}

impl Operation for DeleteVpcEndpoints {
    const NAME: &'static str = "DeleteVpcEndpoints";
    type Service = Ec2;
    type Input = DeleteVpcEndpointsInput;
    type Output = DeleteVpcEndpointsOutput;
    type Error = Ec2Error;
    type Target = Vec<Sought>;

    async fn resolve(
        ec2: &Ec2,
        call: &Call<'_>,
        input: DeleteVpcEndpointsInput,
    ) -> Result<Resolved<Self>, Ec2Error> {
        if input.vpc_endpoint_ids.is_empty() {
            return Err(Ec2Error::Missing {
                member: "VpcEndpointId",
            });
        }
        let target: Vec<Sought> = input
            .vpc_endpoint_ids
            .iter()
            .map(|text| ec2.seek(call, text))
            .collect();
        let questions = target
            .iter()
            .map(|sought| sought.request(call, "ec2:DeleteVpcEndpoints"));
        Ok(Resolved {
            access: Access::Needs(questions.collect()),
            input,
            target,
        })
    }

    async fn execute(
        ec2: &Ec2,
        call: &Call<'_>,
        granted: Authorized<Self>,
    ) -> Result<DeleteVpcEndpointsOutput, Ec2Error> {
        let (input, target) = granted.into_parts();
        if input.dry_run == Some(true) {
            return Err(Ec2Error::DryRun);
        }
        let mut unsuccessful = Vec::new();
        for sought in target {
            if let Err(error) = delete(ec2, call, &sought).await {
                unsuccessful.push(UnsuccessfulItem {
                    error: Some(UnsuccessfulItemError {
                        code: Some(error.code().to_owned()),
                        message: Some(error.message().into_owned()),
                    }),
                    resource_id: Some(sought.text),
                });
            }
        }
        Ok(DeleteVpcEndpointsOutput { unsuccessful })
    }
}

async fn delete(ec2: &Ec2, call: &Call<'_>, sought: &Sought) -> Result<(), Ec2Error> {
    let not_found = || Ec2Error::NoneToDelete {
        id: sought.text.clone(),
    };
    let found = sought.found.as_ref().ok_or_else(not_found)?;
    let _writing = ec2.writing.lock().await;
    let present = ec2.view().find(call.account(), call.region(), found.id);
    ec2.remove(call, &*present.ok_or_else(not_found)?).await
}
