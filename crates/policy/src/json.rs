//! A JSON reader that knows where everything stands.
//!
//! Written here because a policy's diagnostics need the place of every member and value, and because a duplicate
//! member must be an error: most readers keep the last one, so that two people read two policies from one text.
//! Strict RFC 8259: no comments, no trailing commas, no byte order mark. Depth and members of an object are bounded,
//! so that neither the stack nor the time can be exhausted by a document within its size limit.

use crate::diagnostic::{Fault, Reason};
use std::fmt;

/// Policies nest six deep; more is not a policy.
const DEPTH_MAX: usize = 16;
/// More members in one object than any quota admits.
const MEMBERS_MAX: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    /// Byte offset of the value's first character.
    pub(crate) at: usize,
    /// Byte offset behind the value's last character.
    pub(crate) end: usize,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    /// As written.
    Number(String),
    Text(String),
    List(Vec<Node>),
    Object(Vec<Member>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) at: usize,
    pub(crate) name: String,
    pub(crate) value: Node,
}

impl Value {
    /// The type's name with its article, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

/// Reads one document.
pub(crate) fn read(text: &str) -> Result<Node, Fault> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        return Err(reader.fault("a byte order mark stands before the document"));
    }
    let node = reader.value(0)?;
    reader.white_space();
    match reader.peek() {
        None => Ok(node),
        Some(_) => Err(reader.unexpected("the end of the document")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn bump(&mut self, character: char) {
        self.at = self.at.saturating_add(character.len_utf8());
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump(wanted);
        }
        found
    }

    fn white_space(&mut self) {
        while let Some(character @ (' ' | '\t' | '\n' | '\r')) = self.peek() {
            self.bump(character);
        }
    }

    fn fault(&self, message: impl Into<String>) -> Fault {
        Fault::new(Reason::JsonSyntax, self.at, message)
    }

    fn unexpected(&self, wanted: &str) -> Fault {
        let rest = self.rest();
        match self.peek() {
            None => self.fault(format!("the document ends where {wanted} is expected")),
            Some('#') => self.comment(wanted),
            Some('/') if rest.starts_with("//") || rest.starts_with("/*") => self.comment(wanted),
            Some('\'') => self
                .fault(format!("found `'` where {wanted} is expected"))
                .help("JSON strings stand in double quotes"),
            Some(character) => self.fault(format!(
                "found `{}` where {wanted} is expected",
                character.escape_debug()
            )),
        }
    }

    fn comment(&self, wanted: &str) -> Fault {
        self.fault(format!("found a comment where {wanted} is expected"))
            .help("JSON has no comments: put the text into `Sid`, or leave it out")
    }

    fn value(&mut self, depth: usize) -> Result<Node, Fault> {
        self.white_space();
        let at = self.at;
        if depth >= DEPTH_MAX {
            return Err(self.fault(format!("nested deeper than {DEPTH_MAX} levels")));
        }
        let value = match self.peek() {
            Some('{') => self.object(depth)?,
            Some('[') => self.list(depth)?,
            Some('"') => Value::Text(self.string()?),
            Some('-' | '0'..='9') => Value::Number(self.number()?),
            Some('t' | 'f' | 'n') => self.word()?,
            Some(_) | None => return Err(self.unexpected("a value")),
        };
        Ok(Node {
            at,
            end: self.at,
            value,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut members: Vec<Member> = Vec::new();
        self.bump('{');
        self.white_space();
        if self.eat('}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.white_space();
            let at = self.at;
            if self.peek() != Some('"') {
                return Err(self.after_comma(&members, '}', "a member name in double quotes"));
            }
            let name = self.string()?;
            if members.iter().any(|member| member.name == name) {
                return Err(
                    Fault::new(Reason::DuplicateMember, at, format!("`{name}` stands here twice"))
                        .help("keep one of them: readers of JSON differ in which of two they use"),
                );
            }
            if members.len() >= MEMBERS_MAX {
                return Err(self.fault(format!("an object has more than {MEMBERS_MAX} members")));
            }
            self.white_space();
            if !self.eat(':') {
                return Err(self.unexpected("`:`"));
            }
            let value = self.value(depth.saturating_add(1))?;
            members.push(Member { at, name, value });
            self.white_space();
            if self.eat('}') {
                return Ok(Value::Object(members));
            }
            if !self.eat(',') {
                return Err(self.unexpected("`,` or `}`"));
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Fault> {
        let mut items = Vec::new();
        self.bump('[');
        self.white_space();
        if self.eat(']') {
            return Ok(Value::List(items));
        }
        loop {
            self.white_space();
            if self.peek() == Some(']') {
                return Err(self.after_comma(&items, ']', "a value"));
            }
            items.push(self.value(depth.saturating_add(1))?);
            self.white_space();
            if self.eat(']') {
                return Ok(Value::List(items));
            }
            if !self.eat(',') {
                return Err(self.unexpected("`,` or `]`"));
            }
        }
    }

    fn after_comma<T>(&self, before: &[T], close: char, wanted: &str) -> Fault {
        if self.peek() == Some(close) && !before.is_empty() {
            return self
                .fault(format!("a comma stands before `{close}`"))
                .help("remove the trailing comma");
        }
        self.unexpected(wanted)
    }

    fn word(&mut self) -> Result<Value, Fault> {
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if self.rest().starts_with(word) {
                self.at = self.at.saturating_add(word.len());
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    fn number(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.eat('-');
        let leading_zero = self.peek() == Some('0');
        let whole = self.digits();
        if whole == 0 || (leading_zero && whole > 1) {
            return Err(self.fault("a number is malformed"));
        }
        if self.eat('.') && self.digits() == 0 {
            return Err(self.unexpected("a digit"));
        }
        if self.eat('e') || self.eat('E') {
            let _sign = self.eat('+') || self.eat('-');
            if self.digits() == 0 {
                return Err(self.unexpected("a digit"));
            }
        }
        Ok(self.text.get(start..self.at).unwrap_or_default().to_owned())
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while let Some(digit @ '0'..='9') = self.peek() {
            self.bump(digit);
        }
        self.at.saturating_sub(start)
    }

    fn string(&mut self) -> Result<String, Fault> {
        let start = self.at;
        self.bump('"');
        let mut text = String::new();
        loop {
            let Some(character) = self.peek() else {
                return Err(Fault::new(
                    Reason::JsonSyntax,
                    start,
                    "this string is never closed",
                ));
            };
            match character {
                '"' => {
                    self.bump(character);
                    return Ok(text);
                }
                '\\' => text.push(self.escape()?),
                '\0'..='\u{1f}' => return Err(self.fault("a control character stands in a string")),
                _ => {
                    self.bump(character);
                    text.push(character);
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, Fault> {
        self.bump('\\');
        let character = self.peek().ok_or_else(|| self.unexpected("an escape"))?;
        let plain = match character {
            '"' | '\\' | '/' => character,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => return self.unicode(),
            _ => return Err(self.fault("no such escape in JSON")),
        };
        self.bump(character);
        Ok(plain)
    }

    fn unicode(&mut self) -> Result<char, Fault> {
        let high = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&high) {
            if !self.rest().starts_with("\\u") {
                return Err(self.fault("half of a surrogate pair is missing"));
            }
            self.bump('\\');
            let low = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(self.fault("half of a surrogate pair is missing"));
            }
            0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00)
        } else {
            high
        };
        char::from_u32(code).ok_or_else(|| self.fault("half of a surrogate pair is missing"))
    }

    /// Reads `uXXXX` and returns its number, at most `0xffff`.
    fn four_digits(&mut self) -> Result<u32, Fault> {
        let digits = self
            .rest()
            .get(1..5)
            .filter(|text| text.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let number = digits.and_then(|text| u32::from_str_radix(text, 16).ok());
        let number = number.ok_or_else(|| self.fault("`\\u` wants four hexadecimal digits"))?;
        self.at = self.at.saturating_add(5);
        Ok(number)
    }
}

/// Prints the document without white space.
impl fmt::Display for Node {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Value::Null => formatter.write_str("null"),
            Value::Bool(truth) => write!(formatter, "{truth}"),
            Value::Number(text) => formatter.write_str(text),
            Value::Text(text) => write!(formatter, "{}", Quoted(text)),
            Value::List(items) => {
                formatter.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(formatter, "{}{item}", if index == 0 { "" } else { "," })?;
                }
                formatter.write_str("]")
            }
            Value::Object(members) => {
                formatter.write_str("{")?;
                for (index, member) in members.iter().enumerate() {
                    let comma = if index == 0 { "" } else { "," };
                    write!(formatter, "{comma}{}:{}", Quoted(&member.name), member.value)?;
                }
                formatter.write_str("}")
            }
        }
    }
}

/// A string as JSON writes it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        formatter.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' => formatter.write_str("\\\"")?,
                '\\' => formatter.write_str("\\\\")?,
                '\n' => formatter.write_str("\\n")?,
                '\r' => formatter.write_str("\\r")?,
                '\t' => formatter.write_str("\\t")?,
                '\0'..='\u{1f}' => write!(formatter, "\\u{:04x}", u32::from(character))?,
                _ => formatter.write_char(character)?,
            }
        }
        formatter.write_char('"')
    }
}
