//! The path of one call inside the gate: resolve, authorize, execute, audit.

use crate::access::{Access, AccessRequest};
use crate::audit::{AuditRecord, Outcome};
use crate::authorize::Denial;
use crate::caller::{Caller, Source};
use crate::common_error::CommonError;
use crate::denials::KeptDenial;
use crate::gate::Gate;
use crate::operation::{Authorized, ErrorCode, Operation, OperationName, Resolved, Service};
use bulla_runtime::Runtime;
use bulla_types::{AccountId, Region, RequestId, Timestamp};
use std::sync::Arc;
use tokio::sync::SemaphorePermit;

/// Why a call produced no output.
#[derive(Debug)]
pub enum Refusal<E> {
    /// The policies do not allow it.
    Denied(Box<Denial>),
    /// The operation's own error.
    Operation(E),
    /// The operation is not served here, or it stated no permission: a defect.
    Internal,
}

/// A place among the calls that wait; free again when it is dropped.
#[derive(Debug)]
pub struct WaitPermit<'a>(#[expect(dead_code, reason = "held, never looked at")] SemaphorePermit<'a>);

/// The current call, handed to an operation: who asks, and the way to sibling services.
pub struct Call<'a> {
    gate: &'a Gate,
    caller: &'a Caller,
    service: &'static str,
}

impl<'a> Call<'a> {
    /// Who is asking.
    #[must_use]
    pub fn caller(&self) -> &'a Caller {
        self.caller
    }

    /// The account of the principal.
    #[must_use]
    pub fn account(&self) -> AccountId {
        self.caller.account()
    }

    /// The region that the signature's scope names.
    #[must_use]
    pub fn region(&self) -> Region {
        self.caller.region
    }

    /// When the request was received.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.caller.time
    }

    /// The id of the call.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        self.caller.request_id
    }

    /// Time, randomness and tasks.
    #[must_use]
    pub fn runtime(&self) -> &'a Runtime {
        self.gate.runtime()
    }

    /// `https://host:port` as the client addressed the server; queue URLs begin with it.
    #[must_use]
    pub fn endpoint(&self) -> &'a str {
        &self.caller.endpoint
    }

    /// Whether the policies would allow the caller this, without doing it. For checks such as the lock-out check of
    /// key policies; never instead of stating the permission.
    #[must_use]
    pub fn would_allow(&self, request: &AccessRequest) -> bool {
        self.gate.allows(self.caller, request)
    }

    /// A number that rises whenever a policy, a key's state, a principal or an organization changes, as it was when
    /// the caller was looked up. What was allowed under one number must be asked again under another.
    #[must_use]
    pub fn authorization_epoch(&self) -> u64 {
        self.caller.epoch
    }

    /// Whether nothing that decisions depend on has changed since the caller was looked up. What is allowed to a
    /// caller of whom this is false may be forbidden by now.
    #[must_use]
    pub fn authorization_is_current(&self) -> bool {
        self.caller.epoch == self.gate.authorization_epoch()
    }

    /// The caller as it would be if its request came now: the same access key, with the policies, the organization and
    /// the [`authorization_epoch`](Self::authorization_epoch) of today. `None` when the key opens nothing any more.
    /// For calls that wait for long, which must then ask again what they are allowed.
    #[must_use]
    pub fn renewed(&self) -> Option<Caller> {
        self.gate.renewed(self.caller)
    }

    /// This call, with its caller [renewed](Self::renewed).
    #[must_use]
    pub fn by<'b>(&self, caller: &'b Caller) -> Call<'b>
    where
        'a: 'b,
    {
        Call {
            gate: self.gate,
            caller,
            service: self.service,
        }
    }

    /// Says that something changed which decisions depend on. Called after the change is durable and visible,
    /// before it is acknowledged.
    pub fn authorization_changed(&self) {
        self.gate.authorization_changed();
    }

    /// The last denial of the call with this id on a resource of the caller's account, if it is not too long ago.
    #[must_use]
    pub fn denial(&self, id: RequestId) -> Option<Arc<KeptDenial>> {
        self.gate.denial_for(self.account(), id)
    }

    /// Completes when the client has gone away; never, when it waits for the answer.
    pub async fn client_gone(&self) {
        self.caller.client.gone().await;
    }

    /// A place among the calls that wait for something to happen, such as long polls; `None` when all are taken.
    #[must_use]
    pub fn wait_permit(&self) -> Option<WaitPermit<'a>> {
        self.gate.waits.try_acquire().ok().map(WaitPermit)
    }

    /// Asks a sibling for the caller: the same principal, with this service on the path (`kms:ViaService`).
    ///
    /// # Errors
    /// As the sibling's operation, or denied.
    pub async fn forward<O: Operation>(&self, input: O::Input) -> Result<O::Output, Refusal<O::Error>> {
        let caller = self.caller.forwarded_by(self.service);
        self.gate.call::<O>(&caller, input).await
    }

    /// Asks a sibling in this service's own name about one of its resources (`aws:SourceArn`).
    ///
    /// # Errors
    /// As the sibling's operation, or denied.
    pub async fn as_service<O: Operation>(
        &self,
        source: Arc<str>,
        account: AccountId,
        input: O::Input,
    ) -> Result<O::Output, Refusal<O::Error>> {
        let source = Source {
            arn: source,
            account,
            organization: self.gate.place(account),
        };
        let caller = self.caller.as_service(self.service, source);
        self.gate.call::<O>(&caller, input).await
    }
}

impl std::fmt::Debug for Call<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Call")
            .field("caller", self.caller)
            .finish_non_exhaustive()
    }
}

impl Gate {
    /// Resolves, authorizes, executes and audits. The only caller of [`Operation::execute`].
    pub(crate) async fn call<O: Operation>(
        &self,
        caller: &Caller,
        input: O::Input,
    ) -> Result<O::Output, Refusal<O::Error>> {
        let operation = OperationName {
            service: O::Service::WIRE.signing_name,
            name: O::NAME,
        };
        let Some(service) = self.service::<O::Service>() else {
            return Err(Refusal::Internal);
        };
        let call = Call {
            gate: self,
            caller,
            service: O::Service::PRINCIPAL,
        };
        let mut outcome = self.run::<O>(service, &call, input).await;
        if let Err(Refusal::Denied(denial)) = &mut outcome {
            self.keep_reasons(caller, operation, denial);
        }
        let ended = match &outcome {
            Ok(_) => Outcome::Done,
            Err(Refusal::Denied(denial)) => Outcome::Denied(denial),
            Err(Refusal::Operation(error)) => Outcome::Failed {
                code: error.row().shape,
            },
            Err(Refusal::Internal) => Outcome::Failed {
                code: "InternalFailure",
            },
        };
        self.audit(&AuditRecord {
            operation,
            caller,
            outcome: ended,
        });
        outcome
    }

    async fn run<O: Operation>(
        &self,
        service: &O::Service,
        call: &Call<'_>,
        input: O::Input,
    ) -> Result<O::Output, Refusal<O::Error>> {
        let resolved = O::resolve(service, call, input)
            .await
            .map_err(Refusal::Operation)?;
        let Resolved {
            input,
            target,
            access,
        } = resolved;
        match &access {
            Access::NeedsNone { action, .. } => self
                .authorize_by_endpoint(call.caller, action, O::Service::FAMILY)
                .map_err(Refusal::Denied)?,
            Access::Needs(requests) if requests.is_empty() => return Err(Refusal::Internal),
            Access::Needs(requests) => {
                for request in requests {
                    self.authorize(call.caller, request, O::Service::FAMILY)
                        .map_err(Refusal::Denied)?;
                }
            }
        }
        let granted = Authorized::prove(input, target);
        O::execute(service, call, granted)
            .await
            .map_err(Refusal::Operation)
    }
}

impl<E: ErrorCode> Refusal<E> {
    /// The operation's own error, or the common error this is.
    pub(crate) fn split(self) -> Result<E, CommonError> {
        match self {
            Self::Denied(denial) => Err(CommonError::Denied(denial)),
            Self::Operation(error) => Ok(error),
            Self::Internal => Err(CommonError::Internal),
        }
    }
}
