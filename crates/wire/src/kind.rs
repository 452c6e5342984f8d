//! What shapes look like, as plain data: the conformance tests compare these tables with the AWS models, the
//! Query reader is guided by them, the XML writer takes its names from them.

/// What sort of value a member holds.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Text, also enumerations.
    Text,
    /// A whole number of 32 bits.
    Integer,
    /// A whole number of 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// `true` or `false`.
    Boolean,
    /// Bytes, base64 on the wire.
    Blob,
    /// A point in time.
    Timestamp,
    /// Any number of the same kind.
    List(&'static Kind),
    /// Text keys and values of one kind.
    Map(&'static Kind),
    /// Members; a function, so that a structure may contain itself.
    Structure(fn() -> &'static Structure),
}

impl Kind {
    /// A word for messages to operators: `text`, `list`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Long => "long",
            Self::Double => "double",
            Self::Boolean => "boolean",
            Self::Blob => "blob",
            Self::Timestamp => "timestamp",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Structure(_) => "structure",
        }
    }

    /// Whether it is a list or a map.
    #[must_use]
    pub const fn repeats(&self) -> bool {
        match self {
            Self::List(_) | Self::Map(_) => true,
            Self::Text
            | Self::Integer
            | Self::Long
            | Self::Double
            | Self::Boolean
            | Self::Blob
            | Self::Timestamp
            | Self::Structure(_) => false,
        }
    }
}

/// The members of a structure and its name in the AWS model.
#[derive(Clone, Copy, Debug)]
pub struct Structure {
    /// `SendMessageRequest`.
    pub name: &'static str,
    /// In the order in which they are written.
    pub members: &'static [Member],
}

impl Structure {
    /// The member with this JSON name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&'static Member> {
        self.members.iter().find(|member| member.name == name)
    }
}

/// One member of a structure.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// Name in JSON: `Entries`.
    pub name: &'static str,
    /// Name in Query and XML, `SendMessageBatchRequestEntry`; for a flattened list or map the name of each entry.
    pub query_name: &'static str,
    /// Whether a list or map stands without a wrapping element: `X.1` instead of `X.member.1`.
    pub flattened: bool,
    /// Name of a list's items when it is not flattened, usually `member`.
    pub item_name: &'static str,
    /// Name of a map's keys: `Name` or `key`.
    pub key_name: &'static str,
    /// Name of a map's values: `Value` or `value`.
    pub value_name: &'static str,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What it holds.
    pub kind: Kind,
}

/// The names inside a list or map that no member names: a list in a list.
pub(crate) const UNNAMED: Member = Member {
    name: "",
    query_name: "",
    flattened: false,
    item_name: "member",
    key_name: "key",
    value_name: "value",
    required: true,
    kind: Kind::Text,
};
