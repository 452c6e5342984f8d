//! Text with wildcards and policy variables, split once when a policy is parsed.
//!
//! Matching walks tokens and text together and remembers only the last `*`, so it takes at most
//! `pattern × text` steps and allocates nothing. The value of a variable is literal: a user named `*` gains nothing.

use crate::context::Context;
use crate::key::ConditionKey;

/// Whether `*` and `?` stand for other characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wildcards {
    Active,
    Literal,
}

/// Whether `${…}` is replaced: in documents of version 2012-10-17 only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variables {
    Active,
    Literal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Case {
    Sensitive,
    Ignored,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Literal(Box<str>),
    AnyCharacter,
    AnySequence,
    Variable {
        key: ConditionKey,
        default: Option<Box<str>>,
    },
}

/// What is wrong with a policy variable, and at which byte of the text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct VariableError {
    pub(crate) at: usize,
    pub(crate) message: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: Box<str>,
    tokens: Box<[Token]>,
    /// Whether there are literals and `*` only, as in most patterns.
    is_plain: bool,
}

impl Pattern {
    pub(crate) fn compile(
        text: &str,
        wildcards: Wildcards,
        variables: Variables,
    ) -> Result<Self, VariableError> {
        let mut builder = Builder::default();
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at = text.len().saturating_sub(rest.len());
            if variables == Variables::Active && rest.starts_with("${") {
                let body = rest.get(2..).unwrap_or_default();
                let used = builder
                    .variable(body)
                    .map_err(|message| VariableError { at, message })?;
                rest = body.get(used..).unwrap_or_default();
                continue;
            }
            match (wildcards, character) {
                (Wildcards::Active, '*') => builder.any_sequence(),
                (Wildcards::Active, '?') => builder.push(Token::AnyCharacter),
                (Wildcards::Active | Wildcards::Literal, _) => builder.literal.push(character),
            }
            rest = rest.get(character.len_utf8()..).unwrap_or_default();
        }
        builder.flush();
        let plain = |token: &Token| matches!(token, Token::Literal(_) | Token::AnySequence);
        Ok(Self {
            text: text.into(),
            is_plain: builder.tokens.iter().all(plain),
            tokens: builder.tokens.into(),
        })
    }

    /// The pattern as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the pattern is the bare `*`.
    pub(crate) fn is_everything(&self) -> bool {
        matches!(*self.tokens, [Token::AnySequence])
    }

    /// Byte offset of the first variable, if there is one.
    pub(crate) fn has_variable(&self) -> bool {
        self.tokens
            .iter()
            .any(|token| matches!(token, Token::Variable { .. }))
    }

    /// Whether `text` matches. A variable that has no value in `context` and no default matches nothing.
    pub(crate) fn matches(&self, text: &str, context: &dyn Context, case: Case) -> bool {
        match &*self.tokens {
            [] => text.is_empty(),
            [Token::AnySequence] => true,
            [Token::Literal(literal)] => match case {
                Case::Sensitive => **literal == *text,
                Case::Ignored => equals_ignoring_ascii_case(literal, text),
            },
            tokens if self.is_plain => plain_glob(tokens, text.as_bytes(), case),
            tokens => glob(tokens, text, context, case),
        }
    }

    /// Whether `text` is the pattern, letter case apart; without wildcards. A variable that has no value equals nothing.
    pub(crate) fn equals_ignoring_case(&self, text: &str, context: &dyn Context) -> bool {
        let mut rest = text.chars().flat_map(char::to_lowercase);
        let mut strip = |wanted: &str| {
            let mut wanted = wanted.chars().flat_map(char::to_lowercase);
            wanted.all(|character| rest.next() == Some(character))
        };
        let all = self.tokens.iter().all(|token| match token {
            Token::Literal(literal) => strip(literal),
            Token::AnyCharacter => strip("?"),
            Token::AnySequence => strip("*"),
            Token::Variable { key, default } => {
                with_variable(key, default.as_deref(), context, &mut strip).unwrap_or_default()
            }
        });
        all && rest.next().is_none()
    }

    /// The text with all variables replaced, or `None` when one of them has no value.
    pub(crate) fn resolve(&self, context: &dyn Context) -> Option<String> {
        let mut resolved = String::new();
        for token in &self.tokens {
            match token {
                Token::Literal(literal) => resolved.push_str(literal),
                Token::AnyCharacter => resolved.push('?'),
                Token::AnySequence => resolved.push('*'),
                Token::Variable { key, default } => {
                    with_variable(key, default.as_deref(), context, |value| resolved.push_str(value))?;
                }
            }
        }
        Some(resolved)
    }
}

#[derive(Default)]
struct Builder {
    tokens: Vec<Token>,
    literal: String,
}

impl Builder {
    fn flush(&mut self) {
        if !self.literal.is_empty() {
            self.tokens
                .push(Token::Literal(std::mem::take(&mut self.literal).into()));
        }
    }

    fn push(&mut self, token: Token) {
        self.flush();
        self.tokens.push(token);
    }

    fn any_sequence(&mut self) {
        self.flush();
        if self.tokens.last() != Some(&Token::AnySequence) {
            self.tokens.push(Token::AnySequence);
        }
    }

    /// Reads what stands after `${` and returns its length with the closing brace.
    ///
    /// Source: IAM User Guide, "IAM policy elements: Variables and tags".
    fn variable(&mut self, body: &str) -> Result<usize, &'static str> {
        let end = body
            .find(['}', ','])
            .ok_or("the brace of this policy variable is never closed")?;
        let name = body.get(..end).unwrap_or_default();
        let rest = body.get(end..).unwrap_or_default();
        if rest.starts_with('}') {
            let used = end.saturating_add(1);
            match name {
                "" => return Err("this policy variable is empty"),
                "*" | "?" | "$" => self.literal.push_str(name),
                _ => self.push(Token::Variable {
                    key: variable_key(name)?,
                    default: None,
                }),
            }
            return Ok(used);
        }
        let after_comma = rest.get(1..).unwrap_or_default();
        let quoted = after_comma.trim_start_matches(' ');
        let default = quoted
            .strip_prefix('\'')
            .ok_or("the default value of a policy variable stands in single quotes")?;
        let close = default
            .find('\'')
            .ok_or("the quote of this default value is never closed")?;
        let value = default.get(..close).unwrap_or_default();
        let tail = default.get(close.saturating_add(1)..).unwrap_or_default();
        if !tail.trim_start_matches(' ').starts_with('}') {
            return Err("the brace of this policy variable is never closed");
        }
        let closing = tail.find('}').unwrap_or_default().saturating_add(1);
        self.push(Token::Variable {
            key: variable_key(name)?,
            default: Some(value.into()),
        });
        Ok(body.len().saturating_sub(tail.len()).saturating_add(closing))
    }
}

fn variable_key(name: &str) -> Result<ConditionKey, &'static str> {
    if name.contains(char::is_whitespace) {
        return Err("a policy variable cannot hold a space");
    }
    if name.contains(['{', '$', '*', '?', '\'']) {
        return Err("a policy variable cannot hold another variable, a wildcard or a quote");
    }
    ConditionKey::parse(name).ok_or("a policy variable names a condition key, such as `aws:username`")
}

fn with_variable<T>(
    key: &ConditionKey,
    default: Option<&str>,
    context: &dyn Context,
    use_value: impl FnOnce(&str) -> T,
) -> Option<T> {
    match context.values(key).filter(|values| !values.is_empty()) {
        Some(values) => values.single().map(|value| value.with_text(use_value)),
        None => default.map(use_value),
    }
}

/// Literals with `*` between them, before them or behind them: the first stands at the beginning, the last at the end, and
/// each other one as early as it can.
fn plain_glob(tokens: &[Token], text: &[u8], case: Case) -> bool {
    let (mut tokens, mut rest) = (tokens, text);
    if let [Token::Literal(first), others @ ..] = tokens {
        let Some((head, after)) = rest.split_at_checked(first.len()) else {
            return false;
        };
        if !same(head, first.as_bytes(), case) {
            return false;
        }
        (tokens, rest) = (others, after);
    }
    if let [others @ .., Token::Literal(last)] = tokens {
        let Some(at) = rest.len().checked_sub(last.len()) else {
            return false;
        };
        let Some((before, tail)) = rest.split_at_checked(at) else {
            return false;
        };
        if !same(tail, last.as_bytes(), case) {
            return false;
        }
        (tokens, rest) = (others, before);
    }
    for token in tokens {
        let Token::Literal(wanted) = token else { continue };
        let wanted = wanted.as_bytes();
        let Some(at) = find(wanted, rest, case) else {
            return false;
        };
        rest = rest.get(at.saturating_add(wanted.len())..).unwrap_or_default();
    }
    // Without any `*` nothing may be left.
    !tokens.is_empty() || rest.is_empty()
}

fn same(one: &[u8], other: &[u8], case: Case) -> bool {
    one == other || (case == Case::Ignored && one.eq_ignore_ascii_case(other))
}

/// The first place where `wanted`, which is not empty, stands in `text`.
fn find(wanted: &[u8], text: &[u8], case: Case) -> Option<usize> {
    let mut windows = text.windows(wanted.len().max(1));
    match case {
        Case::Sensitive => {
            let first = wanted.first();
            windows.position(|window| window.first() == first && window == wanted)
        }
        Case::Ignored => windows.position(|window| window.eq_ignore_ascii_case(wanted)),
    }
}

fn glob(tokens: &[Token], text: &str, context: &dyn Context, case: Case) -> bool {
    if let ([.., Token::Literal(end)], Case::Sensitive) = (tokens, case)
        && !text.ends_with(&**end)
    {
        return false;
    }
    let mut index = 0_usize;
    let mut rest = text;
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let advanced = match tokens.get(index) {
            None => rest.is_empty().then_some(rest),
            Some(Token::AnySequence) => {
                let after = index.saturating_add(1);
                if after == tokens.len() {
                    return true;
                }
                let Some(start) = skip_to(tokens.get(after), rest, case) else {
                    return false;
                };
                retry = Some((after, start));
                Some(start)
            }
            Some(Token::AnyCharacter) => skip_character(rest),
            Some(Token::Literal(literal)) => strip(rest, literal, case),
            Some(Token::Variable { key, default }) => {
                match with_variable(key, default.as_deref(), context, |value| strip(rest, value, case)) {
                    Some(stripped) => stripped,
                    None => return false,
                }
            }
        };
        if let Some(after) = advanced {
            if index == tokens.len() {
                return true;
            }
            index = index.saturating_add(1);
            rest = after;
            continue;
        }
        let Some((after_star, from)) = retry else {
            return false;
        };
        let next = skip_character(from).and_then(|next| skip_to(tokens.get(after_star), next, case));
        let Some(next) = next else { return false };
        retry = Some((after_star, next));
        index = after_star;
        rest = next;
    }
}

/// The first place in `text` where the token after a `*` can match; `None` when there is none.
///
/// Only an exact literal is searched for; anything else may match anywhere.
fn skip_to<'a>(token: Option<&Token>, text: &'a str, case: Case) -> Option<&'a str> {
    let (Some(Token::Literal(literal)), Case::Sensitive) = (token, case) else {
        return Some(text);
    };
    text.get(find(literal.as_bytes(), text.as_bytes(), case)?..)
}

/// Most texts that are equal are so to the letter, and that is found out in one comparison.
fn equals_ignoring_ascii_case(one: &str, other: &str) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

fn skip_character(text: &str) -> Option<&str> {
    let character = text.chars().next()?;
    text.get(character.len_utf8()..)
}

fn strip<'a>(text: &'a str, prefix: &str, case: Case) -> Option<&'a str> {
    match case {
        Case::Sensitive => text.strip_prefix(prefix),
        Case::Ignored => {
            let head = text.get(..prefix.len())?;
            equals_ignoring_ascii_case(head, prefix)
                .then(|| text.get(prefix.len()..))
                .flatten()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Case, Pattern, Variables, Wildcards};
    use crate::context::EmptyContext;
    use proptest::prelude::*;

    fn matches(pattern: &str, text: &str) -> bool {
        let pattern = Pattern::compile(pattern, Wildcards::Active, Variables::Literal).unwrap();
        pattern.matches(text, &EmptyContext, Case::Sensitive)
    }

    /// The definition: `*` is any sequence, `?` one character.
    fn defined(pattern: &[char], text: &[char]) -> bool {
        match pattern {
            [] => text.is_empty(),
            ['*', rest @ ..] => (0..=text.len()).any(|skipped| defined(rest, &text[skipped..])),
            ['?', rest @ ..] => !text.is_empty() && defined(rest, &text[1..]),
            [character, rest @ ..] => text.first() == Some(character) && defined(rest, &text[1..]),
        }
    }

    #[test]
    fn many_stars_take_no_more_than_polynomial_time() {
        assert!(!matches(&"*a".repeat(200), &format!("{}b", "a".repeat(10_000))));
        assert!(!matches(&"?*".repeat(200), &"a".repeat(199)));
    }

    proptest! {
        #[test]
        fn letter_case_is_ignored_where_it_shall_be(pattern in "[abAB*?]{0,8}", text in "[abAB]{0,10}") {
            let compiled = Pattern::compile(&pattern, Wildcards::Active, Variables::Literal).unwrap();
            let ignored = compiled.matches(&text, &EmptyContext, Case::Ignored);
            prop_assert_eq!(ignored, matches(&pattern.to_lowercase(), &text.to_lowercase()));
        }

        #[test]
        fn matching_follows_the_definition(pattern in "[abé*?]{0,8}", text in "[abé]{0,10}") {
            let characters: Vec<_> = text.chars().collect();
            let definition: Vec<_> = pattern.chars().collect();
            prop_assert_eq!(matches(&pattern, &text), defined(&definition, &characters));
        }
    }
}
