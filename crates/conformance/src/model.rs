//! An AWS service model, `service-2.json` of botocore, as far as shapes and errors need it.

use std::fmt;
use std::path::Path;

use serde_json::Value;

/// The model of one service.
#[derive(Debug)]
pub struct Model {
    root: Value,
}

/// A model that cannot be read.
#[derive(Debug)]
pub struct ModelError(String);

impl fmt::Display for ModelError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}; `cargo xtask setup` unpacks the models", self.0)
    }
}

impl std::error::Error for ModelError {}

/// A shape of the model, by its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ModelShape<'a> {
    pub(crate) name: &'a str,
    value: &'a Value,
}

impl Model {
    /// Reads the model of a service (`sqs`) from the folder of models.
    ///
    /// # Errors
    /// When the file is missing or is not JSON.
    pub fn read(folder: &Path, service: &str) -> Result<Self, ModelError> {
        let path = folder.join(format!("{service}.json"));
        let text = std::fs::read_to_string(&path)
            .map_err(|error| ModelError(format!("cannot read `{}`: {error}", path.display())))?;
        let root = serde_json::from_str(&text)
            .map_err(|error| ModelError(format!("`{}` is not JSON: {error}", path.display())))?;
        Ok(Self { root })
    }

    /// Whether the service speaks AWS Query in this model, so that names in XML are those of the model.
    pub(crate) fn is_query(&self) -> bool {
        self.root.pointer("/metadata/protocol").and_then(Value::as_str) == Some("query")
    }

    /// Whether the service speaks EC2 Query, which has rules of its own for names.
    pub(crate) fn is_ec2(&self) -> bool {
        self.root.pointer("/metadata/protocol").and_then(Value::as_str) == Some("ec2")
    }

    /// The names of all operations.
    pub fn operations(&self) -> impl Iterator<Item = &str> {
        let operations = self.root.get("operations").and_then(Value::as_object);
        operations.into_iter().flatten().map(|(name, _)| name.as_str())
    }

    /// The operation's description, if AWS has such an operation.
    pub(crate) fn operation(&self, name: &str) -> Option<&Value> {
        self.root.get("operations")?.get(name)
    }

    /// The shape that the operation names as its `input` or `output`.
    pub(crate) fn side(&self, operation: &str, side: &str) -> Option<ModelShape<'_>> {
        self.shape(self.operation(operation)?.get(side)?)
    }

    /// The errors that the operation declares.
    pub(crate) fn errors(&self, operation: &str) -> Vec<ModelShape<'_>> {
        let declared = self
            .operation(operation)
            .and_then(|found| found.get("errors")?.as_array());
        declared
            .into_iter()
            .flatten()
            .filter_map(|reference| self.shape(reference))
            .collect()
    }

    /// Follows a reference such as `{"shape": "String"}`.
    pub(crate) fn shape<'a>(&'a self, reference: &'a Value) -> Option<ModelShape<'a>> {
        let name = reference.get("shape")?.as_str()?;
        Some(ModelShape {
            name,
            value: self.root.get("shapes")?.get(name)?,
        })
    }
}

impl<'a> ModelShape<'a> {
    /// `structure`, `list`, `map`, or the name of a simple type.
    pub(crate) fn kind(self) -> &'a str {
        self.value.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    /// Name and reference of every member of a structure.
    pub(crate) fn members(self) -> Vec<(&'a str, &'a Value)> {
        let members = self.value.get("members").and_then(Value::as_object);
        members
            .into_iter()
            .flatten()
            .map(|(name, reference)| (name.as_str(), reference))
            .collect()
    }

    /// Whether a request must have the member.
    pub(crate) fn requires(self, member: &str) -> bool {
        let required = self.value.get("required").and_then(Value::as_array);
        required
            .into_iter()
            .flatten()
            .any(|name| name.as_str() == Some(member))
    }

    /// The reference to what a list or map holds: `member`, or `value` of a map.
    pub(crate) fn inner(self) -> Option<&'a Value> {
        self.value.get("member").or_else(|| self.value.get("value"))
    }

    /// The name that the shape gives to every member that holds it.
    pub(crate) fn wire_name(self) -> Option<&'a str> {
        name(self.value)
    }

    /// The name that a list or map gives to what it holds: `member`, `key` or `value`.
    pub(crate) fn inner_name(self, part: &str) -> Option<&'a str> {
        name(self.value.get(part)?)
    }

    /// Whether a list or map stands without a wrapping element.
    pub(crate) fn flattened(self) -> bool {
        flag(self.value, "flattened")
    }

    /// Code and status of an error, where the model has them.
    pub(crate) fn error(self) -> (Option<&'a str>, Option<u64>) {
        let error = self.value.get("error");
        let code = error.and_then(|error| error.get("code")?.as_str());
        let status = error.and_then(|error| error.get("httpStatusCode")?.as_u64());
        (code, status)
    }
}

/// The name on the wire that a reference gives.
pub(crate) fn name(reference: &Value) -> Option<&str> {
    reference.get("locationName")?.as_str()
}

/// A trait that is absent or `true`.
pub(crate) fn flag(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or(false)
}
