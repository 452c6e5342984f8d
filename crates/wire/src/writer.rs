//! Where values are written to.

use crate::kind::Member;
use bulla_types::Timestamp;

/// A sink for one value at a time; one implementation per format.
///
/// Who writes keeps this order: inside a structure each value follows a [`member`](Writer::member), inside a list an
/// [`item`](Writer::item), inside a map a [`key`](Writer::key); what was begun is ended.
pub trait Writer {
    /// No value.
    fn null(&mut self);
    /// Text, as it is; the writer escapes.
    fn text(&mut self, value: &str);
    /// A whole number.
    fn integer(&mut self, value: i64);
    /// Any number.
    fn double(&mut self, value: f64);
    /// `true` or `false`.
    fn boolean(&mut self, value: bool);
    /// Bytes; the writer makes base64 of them.
    fn blob(&mut self, value: &[u8]);
    /// A point in time in the format's own notation.
    fn timestamp(&mut self, value: Timestamp);
    /// Begins a structure.
    fn begin_structure(&mut self);
    /// The next value is this member.
    fn member(&mut self, member: &'static Member);
    /// Ends a structure.
    fn end_structure(&mut self);
    /// Begins a list.
    fn begin_list(&mut self);
    /// The next value is an item of the list.
    fn item(&mut self);
    /// Ends a list.
    fn end_list(&mut self);
    /// Begins a map.
    fn begin_map(&mut self);
    /// The next value belongs to this key.
    fn key(&mut self, key: &str);
    /// Ends a map.
    fn end_map(&mut self);
}
