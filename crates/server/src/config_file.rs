//! The configuration file. Its keys are the settings' names, its values are checked by the same parsers as the
//! flags', and a message names the file, the line and the key.

use crate::operator_error::OperatorError;
use clap::Command;
use clap::builder::Resettable;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::de::{DeTable, DeValue};

/// The largest configuration file that is read, bytes.
const CONFIG_FILE_BYTES_MAX: u64 = 1024 * 1024;

/// One setting of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The values as the flag would take them; several for a list.
    pub values: Vec<String>,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// A configuration file whose every key is known and every value accepted.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

impl ConfigFile {
    /// Reads and checks a file against the settings that `command` knows.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn read(path: &Path, command: &Command) -> Result<Self, OperatorError> {
        let cannot = |why: String| {
            OperatorError::usage(format!("cannot read the configuration file `{}`", path.display())).why(why)
        };
        let size = std::fs::metadata(path)
            .map_err(|error| cannot(error.to_string()))?
            .len();
        if size > CONFIG_FILE_BYTES_MAX {
            return Err(cannot(format!(
                "it has {size} bytes; at most {CONFIG_FILE_BYTES_MAX} are read"
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|error| cannot(error.to_string()))?;
        Self::parse(path, &text, command)
    }

    /// Checks a file's text.
    ///
    /// # Errors
    /// What is wrong, with file and line.
    pub fn parse(path: &Path, text: &str, command: &Command) -> Result<Self, OperatorError> {
        let table = DeTable::parse(text).map_err(|error| {
            let line = line_of(text, error.span().unwrap_or_default());
            OperatorError::usage(format!("`{}` line {line} is not TOML", path.display())).why(error.message())
        })?;
        let mut entries = BTreeMap::new();
        for (key, value) in table.into_inner() {
            let line = line_of(text, key.span());
            let place = format!("`{}` line {line}", path.display());
            let key = key.into_inner().into_owned();
            if !is_setting(command, &key) {
                return Err(unknown_key(&place, &key, command));
            }
            let values = value_texts(value.get_ref()).ok_or_else(|| {
                OperatorError::usage(format!("{place}: `{key}` has a value of the wrong type"))
                    .why(format!("it is a {}", value.get_ref().type_str()))
                    .fix("write a string, a whole number, true or false, or a list of these")
            })?;
            check_values(command, &key, &values, &place)?;
            entries.insert(key, Entry { values, line });
        }
        Ok(Self {
            path: path.to_owned(),
            entries,
        })
    }

    /// What the file sets, by the setting's name.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.entries.iter().map(|(key, entry)| (key.as_str(), entry))
    }

    /// `file:line` of a setting.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<String> {
        self.entries
            .get(key)
            .map(|entry| format!("{}:{}", self.path.display(), entry.line))
    }
}

fn is_setting(command: &Command, key: &str) -> bool {
    command.get_arguments().any(|arg| arg.get_id() == key)
}

fn unknown_key(place: &str, key: &str, command: &Command) -> OperatorError {
    let error = OperatorError::usage(format!("{place}: unknown key `{key}`"))
        .why("a setting that is not understood is never ignored");
    match nearest(key, command.get_arguments().map(|arg| arg.get_id().as_str())) {
        Some(near) => error.fix(format!("did you mean `{near}`?")),
        None => error.fix("`bulla config explain` lists every setting"),
    }
}

fn value_texts(value: &DeValue<'_>) -> Option<Vec<String>> {
    match value {
        DeValue::Array(values) => values.iter().map(|value| scalar_text(value.get_ref())).collect(),
        DeValue::String(_)
        | DeValue::Integer(_)
        | DeValue::Float(_)
        | DeValue::Boolean(_)
        | DeValue::Datetime(_)
        | DeValue::Table(_) => scalar_text(value).map(|text| vec![text]),
    }
}

fn scalar_text(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => Some(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .ok()
            .map(|it| it.to_string()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    }
}

/// Lets the flag's own parser judge the values.
pub(crate) fn check_values(
    command: &Command,
    key: &str,
    values: &[String],
    place: &str,
) -> Result<(), OperatorError> {
    let flag = format!("--{}", key.replace('_', "-"));
    let arguments = values.iter().map(|value| format!("{flag}={value}"));
    // Other settings, and those of the environment, are judged elsewhere.
    let alone = command.clone().mut_args(|arg| arg.env(Resettable::Reset));
    match alone.try_get_matches_from(arguments) {
        Ok(_) => Ok(()),
        Err(error) => {
            let message = error.to_string();
            let first = message.lines().next().unwrap_or_default();
            let why = first.strip_prefix("error: ").unwrap_or(first).to_owned();
            Err(
                OperatorError::usage(format!("{place}: `{key}` cannot be `{}`", values.join("`, `")))
                    .why(why),
            )
        }
    }
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    text.bytes()
        .take(span.start)
        .filter(|byte| *byte == b'\n')
        .count()
        + 1
}

/// The known name that differs least, if it differs little enough to be what was meant.
fn nearest<'a>(wrong: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bound = wrong.len().div_ceil(3).max(1);
    known
        .map(|name| (edit_distance(wrong, name), name))
        .filter(|(distance, _)| *distance <= bound)
        .min()
        .map(|(_, name)| name)
}

/// Levenshtein's distance over bytes.
fn edit_distance(left: &str, right: &str) -> usize {
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, from) in left.bytes().enumerate() {
        let mut diagonal = at;
        let mut before = at + 1;
        let mut next = vec![before];
        for (to, above) in right.bytes().zip(row.iter().skip(1)) {
            before = (before + 1)
                .min(above + 1)
                .min(diagonal + usize::from(from != to));
            diagonal = *above;
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ConfigFile, edit_distance};
    use crate::config::settings_command;
    use std::path::Path;

    fn parse(text: &str) -> Result<ConfigFile, String> {
        ConfigFile::parse(Path::new("bulla.toml"), text, &settings_command())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn every_kind_of_value_is_taken_as_the_flag_would_take_it() {
        let file =
            parse("listen = ['127.0.0.1:0', '[::1]:0']\nopen = true\nmax_connections = 1_000\n").unwrap();
        let values: Vec<_> = file
            .entries()
            .map(|(key, entry)| (key, entry.values.join(" "), entry.line))
            .collect();
        assert_eq!(
            values,
            [
                ("listen", "127.0.0.1:0 [::1]:0".to_owned(), 1),
                ("max_connections", "1000".to_owned(), 3),
                ("open", "true".to_owned(), 2),
            ]
        );
    }

    #[test]
    fn an_unknown_key_is_refused_with_its_line_and_the_nearest_known_key() {
        let message = parse("# limits\n\nmax_conections = 5\n").unwrap_err();
        assert!(
            message.contains("`bulla.toml` line 3: unknown key `max_conections`"),
            "{message}"
        );
        assert!(message.contains("did you mean `max_connections`?"), "{message}");
    }

    #[test]
    fn a_value_out_of_bounds_is_refused_with_its_line() {
        let message = parse("max_headers = 100000").unwrap_err();
        assert!(
            message.contains("`bulla.toml` line 1: `max_headers` cannot be `100000`"),
            "{message}"
        );
        assert!(message.contains("16..=96"), "{message}");
    }

    #[test]
    fn a_value_of_the_wrong_type_is_refused() {
        assert!(
            parse("data = 1979-05-27")
                .unwrap_err()
                .contains("it is a datetime")
        );
        assert!(
            parse("[limits]\nmax_headers = 20")
                .unwrap_err()
                .contains("unknown key `limits`")
        );
    }

    #[test]
    fn text_that_is_not_toml_is_refused_with_its_line() {
        assert!(
            parse("open = true\nlisten = = 3")
                .unwrap_err()
                .contains("line 2 is not TOML")
        );
    }

    #[test]
    fn the_distance_counts_insertions_removals_and_exchanges() {
        for (left, right, distance) in [("", "abc", 3), ("abc", "abc", 0), ("kitten", "sitting", 3)] {
            assert_eq!(edit_distance(left, right), distance);
        }
    }
}
