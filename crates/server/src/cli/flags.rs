//! One flag for each setting, so that flags, variables and keys cannot differ.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Arg, ArgAction, ArgMatches, builder::PathBufValueParser};

use crate::config::{ALL, Scope, Setting};

const CONFIG: &str = "config";

/// The settings from flags, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--config FILE`.
    pub config: Option<PathBuf>,
    /// Values by key; a list may have several.
    pub settings: BTreeMap<&'static str, Vec<String>>,
}

fn of(scope: Scope) -> impl Iterator<Item = &'static Setting> {
    ALL.iter().filter(move |setting| setting.scope == scope && !setting.secret)
}

/// Adds the flags that every command takes.
pub(super) fn add_global(command: clap::Command) -> clap::Command {
    let config = Arg::new(CONFIG)
        .long("config")
        .value_name("FILE")
        .value_parser(PathBufValueParser::new())
        .help("Configuration file (TOML) [env: ROOKERY_CONFIG]")
        .global(true);
    of(Scope::Global)
        .fold(command.arg(config), |command, setting| command.arg(flag(setting).global(true)))
}

/// Adds the flags of `rookery serve`.
pub(super) fn add_serve(command: clap::Command) -> clap::Command {
    of(Scope::Serve).fold(command, |command, setting| {
        command.arg(flag(setting).help_heading("Options of serve"))
    })
}

fn flag(setting: &'static Setting) -> Arg {
    let default = match setting.default {
        "" => String::new(),
        default => format!(" [default: {default}]"),
    };
    let help = format!("{}{default} [env: {}]", setting.help, setting.variable());
    let arg = Arg::new(setting.key).long(setting.flag()).value_name(setting.value_name).help(help);
    if setting.many { arg.action(ArgAction::Append).value_delimiter(',') } else { arg }
}

impl Flags {
    /// Takes the flags in `matches`; a flag after a subcommand wins over one before it.
    pub(super) fn take(&mut self, matches: &ArgMatches, scope: Scope) {
        if scope == Scope::Global
            && let Some(path) = matches.get_one::<PathBuf>(CONFIG)
        {
            self.config = Some(path.clone());
        }
        for setting in of(scope) {
            if let Some(values) = matches.get_many::<String>(setting.key) {
                self.settings.insert(setting.key, values.cloned().collect());
            }
        }
    }

    /// The value of the flag in `scope`, if it was given.
    pub(super) fn any(&self, scope: Scope) -> Option<String> {
        of(scope).find(|setting| self.settings.contains_key(setting.key)).map(Setting::flag)
    }
}
