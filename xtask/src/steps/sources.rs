//! Steps that only read the sources.

use super::step::Stop;
use crate::check;
use crate::repository::Repository;

pub(super) fn architecture(repository: &Repository) -> Result<(), Stop> {
    let tree = repository.tree()?;
    let mut violations = check::arrows(&repository.metadata);
    violations.extend(check::layout(&tree));
    violations.extend(check::purity(&tree));
    violations.extend(check::leaks(&tree));
    judge(&violations)
}

pub(super) fn links(repository: &Repository) -> Result<(), Stop> {
    let tree = repository.tree()?;
    let mut violations = check::links(&tree);
    violations.extend(check::promises(&tree));
    judge(&violations)
}

pub(super) fn style(repository: &Repository) -> Result<(), Stop> {
    judge(&check::style(&repository.tree()?))
}

fn judge(violations: &[String]) -> Result<(), Stop> {
    for violation in violations {
        println!("{violation}");
    }
    match violations.len() {
        0 => Ok(()),
        1 => Err(Stop::Failed("1 violation".to_owned())),
        count => Err(Stop::Failed(format!("{count} violations"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_violation_fails_the_step() {
        assert!(judge(&[]).is_ok());
        assert!(judge(&["a.rs is too long".to_owned()]).is_err());
    }
}
