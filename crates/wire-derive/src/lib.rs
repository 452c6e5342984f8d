//! The data-only derive for shapes.
//!
//! Why a derive: a shape's member table, its reading and its writing must never drift apart, and 400 operations
//! have some thousands of members. Why data only: what the derive emits is the table of members and one call per
//! field into generic code of the `wire` crate, so that there is nothing in expanded code to review or to debug.

use proc_macro::TokenStream;
use proc_macro2::TokenStream as Tokens;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Data, DeriveInput, Field, Fields, Ident, LitStr, parse_macro_input};

/// Makes a structure with named fields a shape: implements `Shape` and `Value` of the `wire` crate.
///
/// On the structure: `#[shape(name = "SendMessageRequest")]`, the name in the AWS model; without it the Rust name.
///
/// On a field, `#[member(..)]` with any of:
///
/// - `name = "MD5OfMessageBody"`: name in JSON; without it the field's name in `PascalCase`;
/// - `query = "Attribute"`: name in Query and XML; without it the JSON name;
/// - `flattened`: lists and maps without a wrapping element;
/// - `item = ".."`: element name of list items (otherwise `member`);
/// - `key = ".."`, `value = ".."`: element names in maps (otherwise `key` and `value`);
/// - `default`: an absent member reads as `Default::default()` and is not required.
#[proc_macro_derive(Shape, attributes(shape, member))]
pub fn shape(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

fn expand(input: &DeriveInput) -> syn::Result<Tokens> {
    let fields = named_fields(input)?;
    let type_name = &input.ident;
    let name = shape_name(input)?;
    let members = fields
        .into_iter()
        .map(MemberRow::parse)
        .collect::<syn::Result<Vec<_>>>()?;

    let count = members.len();
    let rows = members.iter().map(MemberRow::row);
    let takes = members.iter().enumerate().map(|(index, member)| {
        let field = member.field;
        let take = if member.default {
            quote!(take_or_default)
        } else {
            quote!(take)
        };
        quote!(#field: members.#take(&MEMBERS[#index])?)
    });
    let puts = members.iter().enumerate().map(|(index, member)| {
        let field = member.field;
        quote!(::bulla_wire::put(out, &MEMBERS[#index], &self.#field);)
    });
    let hints = hints(&members);

    Ok(quote! {
        const _: () = {
            static MEMBERS: [::bulla_wire::Member; #count] = [#(#rows),*];
            static STRUCTURE: ::bulla_wire::Structure =
                ::bulla_wire::Structure { name: #name, members: &MEMBERS };

            #[automatically_derived]
            impl ::bulla_wire::Shape for #type_name {
                fn structure() -> &'static ::bulla_wire::Structure {
                    &STRUCTURE
                }
                fn take(
                    members: &mut ::bulla_wire::Members<'_>,
                ) -> ::core::result::Result<Self, ::bulla_wire::Malformed> {
                    let _ = &members;
                    ::core::result::Result::Ok(Self { #(#takes),* })
                }
                fn put(&self, out: &mut dyn ::bulla_wire::Writer) {
                    let _ = &out;
                    #(#puts)*
                }
            }

            #[automatically_derived]
            impl ::bulla_wire::Value for #type_name {
                const KIND: ::bulla_wire::Kind =
                    ::bulla_wire::Kind::Structure(<Self as ::bulla_wire::Shape>::structure);
                fn read(
                    node: ::bulla_wire::Node<'_>,
                ) -> ::core::result::Result<Self, ::bulla_wire::Malformed> {
                    ::bulla_wire::read_structure(node)
                }
                fn write(&self, out: &mut dyn ::bulla_wire::Writer) {
                    ::bulla_wire::write_structure(self, out);
                }
                fn length_hint(&self) -> usize {
                    2_usize #hints
                }
            }
        };
    })
}

/// What each member adds to the room that a structure needs.
fn hints(members: &[MemberRow<'_>]) -> Tokens {
    let hints = members.iter().enumerate().map(|(index, member)| {
        let field = member.field;
        quote!(.saturating_add(::bulla_wire::length_hint(&MEMBERS[#index], &self.#field)))
    });
    quote!(#(#hints)*)
}

fn named_fields(input: &DeriveInput) -> syn::Result<Vec<&Field>> {
    if let Some(parameter) = input.generics.params.first() {
        return Err(syn::Error::new_spanned(
            parameter,
            "a shape has no generic parameters",
        ));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Ok(fields.named.iter().collect()),
            Fields::Unit => Ok(Vec::new()),
            Fields::Unnamed(fields) => Err(syn::Error::new_spanned(fields, "a shape has named fields")),
        },
        Data::Enum(_) | Data::Union(_) => Err(syn::Error::new_spanned(
            &input.ident,
            "only a structure can be a shape",
        )),
    }
}

fn shape_name(input: &DeriveInput) -> syn::Result<String> {
    let mut name = input.ident.unraw().to_string();
    for attribute in input.attrs.iter().filter(|a| a.path().is_ident("shape")) {
        attribute.parse_nested_meta(|meta| {
            if meta.path.is_ident("name") {
                name = meta.value()?.parse::<LitStr>()?.value();
                Ok(())
            } else {
                Err(meta.error("expected `name`"))
            }
        })?;
    }
    Ok(name)
}

/// What is known of one field.
struct MemberRow<'a> {
    field: &'a Ident,
    field_type: &'a syn::Type,
    name: String,
    query: Option<String>,
    item: String,
    key: String,
    value: String,
    flattened: bool,
    default: bool,
}

impl<'a> MemberRow<'a> {
    fn parse(field: &'a Field) -> syn::Result<Self> {
        let Some(ident) = &field.ident else {
            return Err(syn::Error::new_spanned(field, "a shape has named fields"));
        };
        let mut row = Self {
            field: ident,
            field_type: &field.ty,
            name: pascal_case(&ident.unraw().to_string()),
            query: None,
            item: "member".to_owned(),
            key: "key".to_owned(),
            value: "value".to_owned(),
            flattened: false,
            default: false,
        };
        for attribute in field.attrs.iter().filter(|a| a.path().is_ident("member")) {
            attribute.parse_nested_meta(|meta| {
                let text = || -> syn::Result<String> { Ok(meta.value()?.parse::<LitStr>()?.value()) };
                if meta.path.is_ident("name") {
                    row.name = text()?;
                } else if meta.path.is_ident("query") {
                    row.query = Some(text()?);
                } else if meta.path.is_ident("item") {
                    row.item = text()?;
                } else if meta.path.is_ident("key") {
                    row.key = text()?;
                } else if meta.path.is_ident("value") {
                    row.value = text()?;
                } else if meta.path.is_ident("flattened") {
                    row.flattened = true;
                } else if meta.path.is_ident("default") {
                    row.default = true;
                } else {
                    return Err(meta.error(
                        "expected `name`, `query`, `item`, `key`, `value`, `flattened` or `default`",
                    ));
                }
                Ok(())
            })?;
        }
        Ok(row)
    }

    fn row(&self) -> Tokens {
        let Self {
            field_type,
            name,
            item,
            key,
            value,
            flattened,
            default,
            ..
        } = self;
        let query = self.query.as_ref().unwrap_or(name);
        quote! {
            ::bulla_wire::Member {
                name: #name,
                query_name: #query,
                flattened: #flattened,
                item_name: #item,
                key_name: #key,
                value_name: #value,
                required: <#field_type as ::bulla_wire::Value>::REQUIRED && !#default,
                kind: <#field_type as ::bulla_wire::Value>::KIND,
            }
        }
    }
}

/// `queue_url` becomes `QueueUrl`.
fn pascal_case(field: &str) -> String {
    let mut name = String::with_capacity(field.len());
    for word in field.split('_') {
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            name.extend(first.to_uppercase());
            name.push_str(letters.as_str());
        }
    }
    name
}
