//! Recognises an executable document and counts its parts, in one pass.
//!
//! **Invariant:** recursion is bounded by the nesting limit: every recursive step opens a bracket.
//! **Invariant:** memory is bounded by the length of the document.

use super::lexer::{Lexer, Token, Unreadable};
use super::{GateLimits, OperationKind};
use crate::answer::refusal::{Location, Refusal, code};

/// The place of a selection in its definition.
#[derive(Clone, Copy)]
pub(super) struct SelectionPlace {
    /// Selection sets around it.
    pub(super) depth: usize,
    /// Lists of introspection around it: each multiplies its content by the size of the schema.
    pub(super) lists: usize,
    /// Whether it is a root field: in the definition's own set, or in inline fragments there.
    pub(super) at_root: bool,
}

/// A use of a fragment.
pub(super) struct Spread<'a> {
    pub(super) name: &'a str,
    pub(super) place: SelectionPlace,
}

/// The lists through which introspection reaches types from types.
const TYPE_LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];

/// The counts of one definition, before its fragments are expanded.
pub(super) struct Definition<'a> {
    /// `None` for a fragment.
    pub(super) kind: Option<OperationKind>,
    pub(super) name: Option<&'a str>,
    /// Fields, spreads and inline fragments.
    pub(super) selections: usize,
    /// Selection sets around the deepest selection.
    pub(super) depth: usize,
    /// The most nested lists of introspection around a selection.
    pub(super) lists: usize,
    /// Whether it asks for the schema.
    pub(super) introspects: bool,
    pub(super) root_fields: usize,
    /// Root fields other than introspection: their names do not begin with `__`.
    pub(super) data_fields: usize,
    pub(super) guarded_fields: usize,
    pub(super) spreads: Vec<Spread<'a>>,
}

/// The recogniser: a lexer, one token of look-ahead, and the counters.
pub(super) struct Recogniser<'a> {
    bytes: &'a [u8],
    lexer: Lexer<'a>,
    limits: &'a GateLimits,
    token: Token<'a>,
    offset: usize,
    nesting: usize,
    selections: usize,
    fragments: usize,
    directives: usize,
}

impl<'a> Recogniser<'a> {
    /// Reads the whole document.
    pub(super) fn definitions(
        bytes: &'a [u8],
        limits: &'a GateLimits,
    ) -> Result<Vec<Definition<'a>>, Refusal> {
        let mut this = Self {
            bytes,
            lexer: Lexer::new(bytes),
            limits,
            token: Token::End,
            offset: 0,
            nesting: 0,
            selections: 0,
            fragments: 0,
            directives: 0,
        };
        this.advance()?;
        let mut definitions = Vec::new();
        while this.token != Token::End {
            definitions.push(this.definition()?);
        }
        Ok(definitions)
    }

    fn at<T>(&self, offset: usize, code: &'static str, message: String) -> Result<T, Refusal> {
        let location = Some(locate(self.bytes, offset));
        Err(Refusal { location, ..Refusal::new(code, message) })
    }

    fn syntax<T>(&self, expected: &str) -> Result<T, Refusal> {
        let found = match self.token {
            Token::Punctuator(byte) => format!("`{}`", char::from(byte)),
            Token::Spread => "`...`".to_owned(),
            Token::Name(name) => format!("`{}`", name.get(..64).unwrap_or(name)),
            Token::Literal => "a literal".to_owned(),
            Token::End => "the end of the document".to_owned(),
        };
        let message =
            format!("The document is not valid GraphQL: expected {expected}, found {found}.");
        self.at(self.offset, code::GRAPHQL_PARSE_FAILED, message)
    }

    fn advance(&mut self) -> Result<Token<'a>, Refusal> {
        let previous = self.token;
        match self.lexer.next() {
            Ok((offset, token)) => (self.offset, self.token) = (offset, token),
            Err(Unreadable { offset, what }) => {
                let message = format!("The document is not valid GraphQL: {what}.");
                return self.at(offset, code::GRAPHQL_PARSE_FAILED, message);
            }
        }
        Ok(previous)
    }

    fn is(&self, punctuator: u8) -> bool {
        self.token == Token::Punctuator(punctuator)
    }

    fn take(&mut self, punctuator: u8) -> Result<bool, Refusal> {
        let found = self.is(punctuator);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    fn expect(&mut self, punctuator: u8) -> Result<(), Refusal> {
        if self.take(punctuator)? {
            return Ok(());
        }
        self.syntax(&format!("`{}`", char::from(punctuator)))
    }

    fn open(&mut self, bracket: u8) -> Result<(), Refusal> {
        if self.is(bracket) {
            if self.nesting == self.limits.nesting_max {
                let max = self.limits.nesting_max;
                let message = format!("The document is nested deeper than {max} brackets.");
                return self.at(self.offset, code::QUERY_TOO_DEEP, message);
            }
            self.nesting += 1;
        }
        self.expect(bracket)
    }

    fn close(&mut self, bracket: u8) -> Result<(), Refusal> {
        self.expect(bracket)?;
        self.nesting -= 1;
        Ok(())
    }

    fn name(&mut self) -> Result<&'a str, Refusal> {
        let Token::Name(name) = self.token else { return self.syntax("a name") };
        self.advance()?;
        Ok(name)
    }

    fn definition(&mut self) -> Result<Definition<'a>, Refusal> {
        let mut definition = Definition {
            kind: Some(OperationKind::Query),
            name: None,
            selections: 0,
            depth: 0,
            lists: 0,
            introspects: false,
            root_fields: 0,
            data_fields: 0,
            guarded_fields: 0,
            spreads: Vec::new(),
        };
        match self.token {
            Token::Punctuator(b'{') => {}
            Token::Name("fragment") => {
                self.fragments += 1;
                if self.fragments > self.limits.fragments_max {
                    let max = self.limits.fragments_max;
                    let message = format!("The document defines more than {max} fragments.");
                    return self.at(self.offset, code::TOO_MANY_FRAGMENTS, message);
                }
                definition.kind = None;
                self.advance()?;
                if self.token == Token::Name("on") {
                    return self.syntax("the name of a fragment");
                }
                definition.name = Some(self.name()?);
                if self.token != Token::Name("on") {
                    return self.syntax("`on`");
                }
                self.advance()?;
                self.name()?;
                self.directives()?;
            }
            Token::Name(keyword @ ("query" | "mutation" | "subscription")) => {
                definition.kind = Some(match keyword {
                    "query" => OperationKind::Query,
                    "mutation" => OperationKind::Mutation,
                    _ => OperationKind::Subscription,
                });
                self.advance()?;
                if let Token::Name(name) = self.token {
                    definition.name = Some(name);
                    self.advance()?;
                }
                self.variable_definitions()?;
                self.directives()?;
            }
            _ => return self.syntax("`query`, `mutation`, `subscription`, `fragment` or `{`"),
        }
        self.selection_set(&mut definition, SelectionPlace { depth: 0, lists: 0, at_root: true })?;
        Ok(definition)
    }

    fn variable_definitions(&mut self) -> Result<(), Refusal> {
        if !self.is(b'(') {
            return Ok(());
        }
        self.open(b'(')?;
        loop {
            self.expect(b'$')?;
            self.name()?;
            self.expect(b':')?;
            self.type_reference()?;
            if self.take(b'=')? {
                self.value()?;
            }
            self.directives()?;
            if self.is(b')') {
                return self.close(b')');
            }
        }
    }

    fn type_reference(&mut self) -> Result<(), Refusal> {
        if self.is(b'[') {
            self.open(b'[')?;
            self.type_reference()?;
            self.close(b']')?;
        } else {
            self.name()?;
        }
        self.take(b'!').map(drop)
    }

    fn directives(&mut self) -> Result<(), Refusal> {
        let mut here = 0;
        while self.is(b'@') {
            here += 1;
            self.directives += 1;
            let (max, all) = (self.limits.directives_per_place_max, self.limits.directives_max);
            if here > max || self.directives > all {
                let message =
                    format!("More than {max} directives at one place, or more than {all} in all.");
                return self.at(self.offset, code::TOO_MANY_DIRECTIVES, message);
            }
            self.advance()?;
            self.name()?;
            self.arguments()?;
        }
        Ok(())
    }

    fn arguments(&mut self) -> Result<(), Refusal> {
        if !self.is(b'(') {
            return Ok(());
        }
        self.open(b'(')?;
        loop {
            self.name()?;
            self.expect(b':')?;
            self.value()?;
            if self.is(b')') {
                return self.close(b')');
            }
        }
    }

    fn value(&mut self) -> Result<(), Refusal> {
        match self.token {
            Token::Punctuator(b'$') => {
                self.advance()?;
                self.name()?;
            }
            Token::Name(_) | Token::Literal => {
                self.advance()?;
            }
            Token::Punctuator(b'[') => {
                self.open(b'[')?;
                while !self.is(b']') {
                    self.value()?;
                }
                self.close(b']')?;
            }
            Token::Punctuator(b'{') => {
                self.open(b'{')?;
                while !self.is(b'}') {
                    self.name()?;
                    self.expect(b':')?;
                    self.value()?;
                }
                self.close(b'}')?;
            }
            _ => return self.syntax("a value"),
        }
        Ok(())
    }

    /// Reads `{ ... }`.
    fn selection_set(
        &mut self,
        definition: &mut Definition<'a>,
        place: SelectionPlace,
    ) -> Result<(), Refusal> {
        self.open(b'{')?;
        let place = SelectionPlace { depth: place.depth + 1, ..place };
        definition.depth = definition.depth.max(place.depth);
        loop {
            definition.selections += 1;
            self.selections += 1;
            if self.selections > self.limits.fields_max {
                let max = self.limits.fields_max;
                let message = format!("The document selects more than {max} fields.");
                return self.at(self.offset, code::TOO_MANY_FIELDS, message);
            }
            if self.token == Token::Spread {
                self.spread(definition, place)?;
            } else {
                self.field(definition, place)?;
            }
            if self.is(b'}') {
                return self.close(b'}');
            }
        }
    }

    fn spread(
        &mut self,
        definition: &mut Definition<'a>,
        place: SelectionPlace,
    ) -> Result<(), Refusal> {
        self.advance()?;
        if let Token::Name(name) = self.token {
            self.advance()?;
            if name != "on" {
                definition.spreads.push(Spread { name, place });
                return self.directives();
            }
            self.name()?;
        }
        self.directives()?;
        self.selection_set(definition, place)
    }

    fn field(
        &mut self,
        definition: &mut Definition<'a>,
        place: SelectionPlace,
    ) -> Result<(), Refusal> {
        let mut name = self.name()?;
        if self.take(b':')? {
            name = self.name()?;
        }
        if place.at_root {
            definition.root_fields += 1;
            definition.data_fields += usize::from(!name.starts_with("__"));
            definition.guarded_fields += usize::from(self.limits.is_guarded(name));
        }
        definition.introspects |= matches!(name, "__schema" | "__type");
        let lists = place.lists + usize::from(TYPE_LISTS.contains(&name));
        definition.lists = definition.lists.max(lists);
        self.arguments()?;
        self.directives()?;
        if self.is(b'{') {
            self.selection_set(definition, SelectionPlace { lists, at_root: false, ..place })?;
        }
        Ok(())
    }
}

/// Line and column of an offset. It walks the text, so it is only for the error that ends the
/// reading.
fn locate(bytes: &[u8], offset: usize) -> Location {
    let before = &bytes[..offset.min(bytes.len())];
    let line = before.split(|byte| *byte == b'\n').count();
    let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    // Bytes that continue a character do not count.
    let column = before[start..].iter().filter(|byte| **byte & 0xC0 != 0x80).count() + 1;
    Location::new(line, column)
}
