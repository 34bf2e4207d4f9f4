//! Namespaces against a matcher that knows no regular expressions but these.

use proptest::prelude::*;

use super::*;
use crate::{PATTERN_BYTES_MAX, PatternError};

/// A regular expression over a small alphabet.
#[derive(Clone, Debug)]
enum Expression {
    Letter(char),
    Any,
    Then(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Many(Box<Self>),
}

impl Expression {
    fn text(&self) -> String {
        match self {
            Self::Letter(letter) => letter.to_string(),
            Self::Any => ".".into(),
            Self::Then(one, other) => format!("{}{}", one.grouped(), other.grouped()),
            // Without a group, so that it tries to leave the anchors.
            Self::Or(one, other) => format!("{}|{}", one.text(), other.text()),
            Self::Many(one) => format!("(?:{})*", one.text()),
        }
    }

    fn grouped(&self) -> String {
        format!("(?:{})", self.text())
    }

    /// The ends of all matches that begin at `start`.
    fn ends(&self, name: &[char], start: usize) -> Vec<usize> {
        let mut ends = match self {
            Self::Letter(letter) => {
                if name.get(start) == Some(letter) {
                    vec![start + 1]
                } else {
                    Vec::new()
                }
            }
            Self::Any => {
                if start < name.len() {
                    vec![start + 1]
                } else {
                    Vec::new()
                }
            }
            Self::Then(one, other) => {
                one.ends(name, start).into_iter().flat_map(|end| other.ends(name, end)).collect()
            }
            Self::Or(one, other) => {
                let mut ends = one.ends(name, start);
                ends.extend(other.ends(name, start));
                ends
            }
            Self::Many(one) => {
                let (mut reached, mut next) = (vec![start], vec![start]);
                while let Some(at) = next.pop() {
                    for end in one.ends(name, at) {
                        if !reached.contains(&end) {
                            reached.push(end);
                            next.push(end);
                        }
                    }
                }
                reached
            }
        };
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    fn matches_all_of(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        self.ends(&name, 0).contains(&name.len())
    }
}

fn expressions() -> impl Strategy<Value = Expression> {
    let leaf = prop_oneof![
        prop::sample::select(vec!['a', 'b', '_']).prop_map(Expression::Letter),
        Just(Expression::Any),
    ];
    leaf.prop_recursive(4, 12, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(a, b)| Expression::Then(a.into(), b.into())),
            pair.prop_map(|(a, b)| Expression::Or(a.into(), b.into())),
            inner.prop_map(|one| Expression::Many(one.into())),
        ]
    })
}

proptest! {
    #[test]
    fn namespaces_claim_the_names_that_their_expressions_match_as_a_whole(
        all in prop::collection::vec((expressions(), any::<bool>()), 0..4),
        name in "[ab_]{0,5}",
    ) {
        let claims: Vec<Claim> = all
            .iter()
            .map(|(one, exclusive)| Claim {
                regex: format!("@{}:example\\.org", one.grouped()),
                exclusive: *exclusive,
            })
            .collect();
        let users = Claims::new(&claims).expect("compiles");
        let namespaces = Namespaces { users, ..Namespaces::default() };
        let user = format!("@{name}:example.org");
        let user = <&UserId>::try_from(user.as_str());
        if let Ok(user) = user {
            let claims = all.iter().any(|(one, _)| one.matches_all_of(&name));
            let excludes = all.iter().any(|(one, own)| *own && one.matches_all_of(&name));
            prop_assert_eq!(namespaces.claims_user(user), claims);
            prop_assert_eq!(namespaces.excludes_user(user), excludes);
        }
    }

    #[test]
    fn an_expression_never_matches_a_part_of_a_name(
        one in expressions(),
        name in "[ab_]{0,6}",
    ) {
        let pattern = Pattern::new(&one.text()).expect("compiles");
        prop_assert_eq!(pattern.matches(&name), one.matches_all_of(&name), "{}", one.text());
    }
}

#[test]
fn a_pattern_that_leaves_its_anchors_or_is_too_large_is_refused() {
    let refused = |text: &str| Pattern::new(text).expect_err("refused");
    assert_eq!(refused(""), PatternError::Empty);
    for text in ["a)|(b", "a)(?:b", "(?=a)b", r"(a)\1", "["] {
        assert!(matches!(refused(text), PatternError::Syntax(_)), "{text}");
    }
    assert_eq!(refused(r"\w{500}"), PatternError::TooLarge);
    let long = "a".repeat(PATTERN_BYTES_MAX + 1);
    assert_eq!(refused(&long), PatternError::TooLong { bytes: long.len() });
    assert!(Pattern::new(&long[1..]).is_ok());
}

#[test]
fn too_many_patterns_are_refused_and_a_bad_one_is_named_by_its_number() {
    let claim = |regex: &str| Claim { regex: regex.into(), exclusive: true };
    let many = vec![claim("a"); NAMESPACES_MAX + 1];
    assert_eq!(Claims::new(&many).err(), Some(NamespacesError::TooMany { count: many.len() }));
    assert!(Claims::new(&many[1..]).is_ok());
    let bad = Claims::new(&[claim("a"), claim("(")]).err();
    assert!(matches!(bad, Some(NamespacesError::Pattern { index: 1, .. })), "{bad:?}");
}
