//! The request on the command line.

use std::time::Duration;

use super::rig::Rig;

/// The default duration of all rigs together.
const MINUTES_DEFAULT: f64 = 10.0;

/// The rigs, the duration, and the first seed.
pub(super) struct Request<'a> {
    pub(super) rigs: Vec<&'a Rig>,
    /// For all rigs together.
    pub(super) time: Duration,
    pub(super) seed: u64,
}

impl<'a> Request<'a> {
    /// Reads the arguments; `fresh` is the default seed.
    ///
    /// # Errors
    /// Names the wrong argument.
    pub(super) fn read(all: &'a [Rig], arguments: &[String], fresh: u64) -> Result<Self, String> {
        let (mut minutes, mut seed, mut names) = (MINUTES_DEFAULT, fresh, Vec::new());
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--minutes" => minutes = number(argument, value()?)?,
                "--seed" => seed = number(argument, value()?)?,
                option if option.starts_with('-') => {
                    return Err(format!(
                        "unknown option `{option}`; `cargo xtask help` lists them"
                    ));
                }
                name => names.push(name),
            }
        }
        let time = Duration::try_from_secs_f64(minutes * 60.0)
            .map_err(|_| format!("--minutes is {minutes}: give a number from 0 on"))?;
        if let Some(unknown) = names.iter().find(|name| all.iter().all(|rig| rig.name != **name)) {
            return Err(format!(
                "unknown rig `{unknown}`; `cargo xtask torture --list` lists them"
            ));
        }
        let wanted = |rig: &&Rig| names.is_empty() || names.contains(&rig.name);
        Ok(Self { rigs: all.iter().filter(wanted).collect(), time, seed })
    }
}

fn number<T: std::str::FromStr>(option: &str, text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("{option} is `{text}`: give a number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::torture::list::RIGS;

    fn read(arguments: &[&str]) -> Result<Request<'static>, String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Request::read(RIGS, &arguments, 99)
    }

    #[test]
    fn rigs_time_and_seed_are_read_in_any_order() {
        let request = read(&["crash", "--seed", "7", "--minutes", "0.5", "log"])
            .unwrap_or_else(|error| panic!("refused: {error}"));
        let names: Vec<_> = request.rigs.iter().map(|rig| rig.name).collect();
        assert_eq!(names, ["crash", "log"]);
        assert_eq!((request.seed, request.time), (7, Duration::from_secs(30)));
    }

    #[test]
    fn nothing_named_is_everything_with_a_fresh_seed() {
        let request = read(&[]).unwrap_or_else(|error| panic!("refused: {error}"));
        assert_eq!((request.rigs.len(), request.seed), (RIGS.len(), 99));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        for wrong in [
            &["crush"][..],
            &["--minutes"],
            &["--minutes", "-1"],
            &["--minutes", "NaN"],
            &["--seed", "x"],
            &["--sede", "1"],
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn every_rig_has_a_name_of_its_own() {
        for (index, rig) in RIGS.iter().enumerate() {
            assert!(RIGS[..index].iter().all(|other| other.name != rig.name), "{}", rig.name);
        }
    }
}
