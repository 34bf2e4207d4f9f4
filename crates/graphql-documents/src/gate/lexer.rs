//! Tokens of a GraphQL document, one at a time, without allocating.
//!
//! **Invariant:** total over arbitrary bytes: each call moves forward or ends with an error, and
//! none panics.
//! **Invariant:** never laxer than the library's grammar about the ends of strings, comments and
//! names.
//!
//! Source: GraphQL specification (September 2025), section 2.1.

/// A lexical token, without the text of values: the gate only counts, and the library reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// One of ``! $ & ( ) : = @ [ ] { | }``.
    Punctuator(u8),
    /// `...`
    Spread,
    /// A name.
    Name(&'a str),
    /// An integer, a float or a string.
    Literal,
    /// The end of the document.
    End,
}

/// An error of the lexer, with its place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Offset in bytes.
    pub(super) offset: usize,
    /// The error.
    pub(super) what: &'static str,
}

/// Reads tokens from bytes.
pub(super) struct Lexer<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The end of the last token.
    fn offset(&self) -> usize {
        self.at
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.peek(0).is_some_and(&accept) {
            self.at += 1;
        }
    }

    fn skip_ignored(&mut self) {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => self.at += 1,
                Some(b'#') => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                Some(0xEF) if self.starts_with(b"\xEF\xBB\xBF") => self.at += 3,
                _ => return,
            }
        }
    }

    fn unreadable<T>(&self, what: &'static str) -> Result<T, Unreadable> {
        Err(Unreadable { offset: self.at, what })
    }

    /// The next token and the offset at which it starts.
    pub(super) fn next(&mut self) -> Result<(usize, Token<'a>), Unreadable> {
        self.skip_ignored();
        let start = self.at;
        let token = match self.peek(0) {
            None => Token::End,
            Some(
                byte @ (b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{'
                | b'|' | b'}'),
            ) => {
                self.at += 1;
                Token::Punctuator(byte)
            }
            Some(b'.') if self.starts_with(b"...") => {
                self.at += 3;
                Token::Spread
            }
            Some(byte) if is_name_start(byte) => {
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
                // Only ASCII was accepted, so this is text.
                Token::Name(str::from_utf8(&self.bytes[start..self.at]).unwrap_or_default())
            }
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'"') if self.starts_with(b"\"\"\"") => self.block_string()?,
            Some(b'"') => self.string()?,
            Some(_) => return self.unreadable("unexpected character"),
        };
        Ok((start, token))
    }

    fn number(&mut self) -> Result<Token<'a>, Unreadable> {
        if self.peek(0) == Some(b'-') {
            self.at += 1;
        }
        match self.peek(0) {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.skip_while(|byte| byte.is_ascii_digit()),
            _ => return self.unreadable("expected a digit"),
        }
        if self.peek(0) == Some(b'.') && self.peek(1).is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        if matches!(self.peek(0), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(0), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !self.peek(0).is_some_and(|byte| byte.is_ascii_digit()) {
                return self.unreadable("expected a digit");
            }
            self.skip_while(|byte| byte.is_ascii_digit());
        }
        match self.peek(0) {
            Some(byte) if is_name_start(byte) || byte.is_ascii_digit() || byte == b'.' => {
                self.unreadable("a number must end before this")
            }
            _ => Ok(Token::Literal),
        }
    }

    fn block_string(&mut self) -> Result<Token<'a>, Unreadable> {
        self.at += 3;
        loop {
            if self.starts_with(b"\"\"\"") {
                self.at += 3;
                return Ok(Token::Literal);
            }
            if self.starts_with(b"\\\"\"\"") {
                self.at += 4;
            } else if self.at < self.bytes.len() {
                self.at += 1;
            } else {
                return self.unreadable("a block string does not end");
            }
        }
    }

    fn string(&mut self) -> Result<Token<'a>, Unreadable> {
        self.at += 1;
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return self.unreadable("a string does not end"),
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Token::Literal);
                }
                Some(b'\\') => self.escape()?,
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<(), Unreadable> {
        match self.peek(1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
            Some(b'u') => {
                if self.peek(2) == Some(b'{') {
                    return self.braced();
                }
                match self.unit(0)? {
                    0xD800..=0xDBFF => {
                        let follows = self.peek(6) == Some(b'\\') && self.peek(7) == Some(b'u');
                        if !follows || !matches!(self.unit(6)?, 0xDC00..=0xDFFF) {
                            return self.unreadable(HALF);
                        }
                        self.at += 12;
                    }
                    0xDC00..=0xDFFF => return self.unreadable(HALF),
                    _ => self.at += 6,
                }
            }
            _ => return self.unreadable("unknown escape"),
        }
        Ok(())
    }

    /// The number in four digits after `\u`, this many bytes ahead.
    fn unit(&self, ahead: usize) -> Result<u32, Unreadable> {
        let start = self.at + ahead + 2;
        let digits = self.bytes.get(start..start + 4).unwrap_or_default();
        hexadecimal(digits)
            .filter(|_| digits.len() == 4)
            .map_or_else(|| self.unreadable("expected four hexadecimal digits after \\u"), Ok)
    }

    /// Reads `\u{...}`.
    fn braced(&mut self) -> Result<(), Unreadable> {
        let start = self.at + 3;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let value = hexadecimal(&rest[..digits]).and_then(char::from_u32);
        if value.is_none() || rest.get(digits) != Some(&b'}') {
            return self.unreadable("expected a character in hexadecimal digits in \\u{...}");
        }
        self.at = start + digits + 1;
        Ok(())
    }
}

/// A character beyond 16 bits is written as two halves, or in braces.
const HALF: &str = "half of a pair of surrogates stands alone";

/// A document without insignificant text between its tokens; `None` if it cannot be read.
#[must_use]
pub fn significant(document: &str) -> Option<String> {
    let mut lexer = Lexer::new(document.as_bytes());
    let mut text = String::with_capacity(document.len());
    loop {
        let (start, token) = lexer.next().ok()?;
        if token == Token::End {
            return Some(text);
        }
        text.push_str(document.get(start..lexer.offset())?);
        text.push(' ');
    }
}

/// At most 32 bits.
fn hexadecimal(digits: &[u8]) -> Option<u32> {
    let digits = str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_hexdigit));
    u32::from_str_radix(digits?, 16).ok()
}

fn is_name_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}
