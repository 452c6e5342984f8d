//! The audit trail as log events: one for each finished call. A denial names the policy and statement that decided and
//! the smallest change that would allow it; the whole tree of reasons follows at the level `debug`, and `bulla explain` with
//! the request id prints it.
//!
//! The names of the fields are those of the audit record, so that both can be searched alike. Message bodies and
//! secrets are never among them.

use bulla_gate::{AuditRecord, AuditTrail, Outcome};

/// Writes audit records to the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AuditLog;

impl AuditTrail for AuditLog {
    fn record(&self, record: &AuditRecord<'_>) {
        let caller = record.caller;
        let request_id = caller.request_id();
        let principal = &*caller.identity().arn;
        let (service, operation) = (record.operation.service, record.operation.name);
        match record.outcome {
            Outcome::Done => {
                tracing::debug!(%request_id, principal, service, operation, decision = "allow", "call");
            }
            Outcome::Failed { code } => {
                tracing::debug!(%request_id, principal, service, operation, code, "call failed");
            }
            Outcome::Denied(denial) => {
                let decision = denial.decision();
                tracing::info!(
                    %request_id,
                    principal,
                    service,
                    operation,
                    action = denial.action(),
                    resource = denial.resource(),
                    via = caller.via().join(","),
                    source_ip = %caller.transport().source_ip,
                    secure = caller.transport().secure,
                    endpoint = caller.transport().endpoint.as_ref().map_or("-", bulla_types::VpcEndpointId::as_str),
                    decision = decision.outcome.as_str(),
                    layer = decision.layer.as_str(),
                    policy = denial.policy().unwrap_or("-"),
                    statement = denial.statement().unwrap_or("-"),
                    hint = denial.explanation().hint.as_deref().unwrap_or("-"),
                    "call denied"
                );
                tracing::debug!(%request_id, reasons = denial.explanation().to_json(), "why the call was denied");
            }
        }
    }
}
