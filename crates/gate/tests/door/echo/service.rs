//! Operations that say back what they are told.

use bulla_gate::{
    Access, AccessRequest, Authorized, Call, Endpoint, ErrorCode, Family, Operation, Resolved, Service,
    Transport,
};
use bulla_wire::{ErrorRow, Protocol, ServiceWire, Shape};
use std::borrow::Cow;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

#[derive(Default)]
pub struct Echo {
    executed: AtomicUsize,
    begun: Notify,
    pub finish: Notify,
    transport: Mutex<Option<Transport>>,
}

impl Echo {
    pub fn executed(&self) -> usize {
        self.executed.load(Ordering::SeqCst)
    }

    pub async fn until_begun(&self) {
        self.begun.notified().await;
    }

    pub fn transport(&self) -> Option<Transport> {
        *self.transport.lock().unwrap()
    }

    fn done(&self, call: &Call<'_>) {
        *self.transport.lock().unwrap() = Some(call.caller().transport());
        self.executed.fetch_add(1, Ordering::SeqCst);
    }
}

const WIRE: ServiceWire = ServiceWire {
    json: Some(Protocol::AwsJson11),
    target_prefix: Some("Echo"),
    ..ServiceWire::new("echo")
};

impl Service for Echo {
    const WIRE: &'static ServiceWire = &WIRE;
    const PRINCIPAL: &'static str = "echo.amazonaws.com";
    const FAMILY: Family = Family::Json;
}

#[derive(Debug, Shape)]
pub struct Words {
    pub text: String,
}

#[derive(Debug)]
pub struct Refused;

impl ErrorCode for Refused {
    fn row(&self) -> ErrorRow {
        ErrorRow::sender("RefusedException", 400)
    }

    fn message(&self) -> Cow<'_, str> {
        "refused".into()
    }
}

/// What an operation needs and does; the rest is the same for all.
macro_rules! operation {
    ($name:ident, $access:expr, |$echo:ident, $call:ident, $words:ident| $does:block) => {
        pub struct $name;

        impl Operation for $name {
            const NAME: &'static str = stringify!($name);
            type Service = Echo;
            type Input = Words;
            type Output = Words;
            type Error = Refused;
            type Target = ();

            async fn resolve(_: &Echo, call: &Call<'_>, input: Words) -> Result<Resolved<Self>, Refused> {
                let asks =
                    |action: &'static str| AccessRequest::new(action, "arn:aws:echo:::wall", call.account());
                let access: fn(&dyn Fn(&'static str) -> AccessRequest) -> Access = $access;
                Ok(Resolved {
                    input,
                    target: (),
                    access: access(&asks),
                })
            }

            async fn execute(
                $echo: &Echo,
                $call: &Call<'_>,
                granted: Authorized<Self>,
            ) -> Result<Words, Refused> {
                let ($words, ()) = granted.into_parts();
                $does
            }
        }
    };
}

operation!(Say, |asks| Access::one(asks("echo:Say")), |echo, call, words| {
    echo.done(call);
    Ok(words)
});
operation!(
    SayTwice,
    |asks| Access::Needs(vec![asks("echo:Say"), asks("echo:SayAgain")]),
    |echo, call, words| {
        echo.done(call);
        Ok(words)
    }
);
operation!(Forget, |_| Access::Needs(Vec::new()), |echo, call, words| {
    echo.done(call);
    Ok(words)
});
operation!(
    Whoami,
    |_| Access::NeedsNone {
        action: "echo:Whoami",
        source: "a test"
    },
    |_echo, call, _words| {
        Ok(Words {
            text: call.caller().identity().arn.to_string(),
        })
    }
);
operation!(
    Relay,
    |asks| Access::one(asks("echo:Relay")),
    |_echo, call, words| { call.forward::<Say>(words).await.map_err(|_| Refused) }
);
operation!(
    Slow,
    |asks| Access::one(asks("echo:Slow")),
    |echo, call, words| {
        echo.begun.notify_one();
        echo.finish.notified().await;
        echo.done(call);
        Ok(words)
    }
);
operation!(
    Wait,
    |asks| Access::one(asks("echo:Wait")),
    |echo, call, words| {
        echo.begun.notify_one();
        call.client_gone().await;
        echo.done(call);
        Ok(words)
    }
);

pub const OPERATIONS: &[Endpoint] = &[
    Endpoint::of::<Say>(),
    Endpoint::of::<SayTwice>(),
    Endpoint::of::<Forget>(),
    Endpoint::of::<Whoami>(),
    Endpoint::of::<Relay>(),
    Endpoint::of::<Slow>(),
    Endpoint::of::<Wait>(),
];
