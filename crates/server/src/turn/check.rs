//! `rookery turn check`: the view of a client of the relay.

use rookery_turn::{Login, Target};

use crate::{
    config::{Config, ServerIdentity},
    data_directory::signing::FoundKey,
    failure::Failure,
    node::clock,
    terminal,
    turn::Issuer,
};

/// The user of the check. No account can have this name.
const USER: &str = "check";

/// Does what a client of the server with this configuration would do, at each of `uris`, or else at each URI that the
/// server tells its users.
///
/// # Errors
/// [`Failure`] if calls through one of the relays do not work.
pub(crate) fn check(config: &Config, uris: &[Target]) -> Result<(), Failure> {
    let settings = &config.turn;
    let port = settings.listen.map_or(0, |listen| listen.port());
    if settings.listen.is_some() && port == 0 && settings.uris.is_empty() && uris.is_empty() {
        return Err(Failure::new(
            "turn.listen has port 0, so the port is known only to the running server: name it with --uri",
        ));
    }
    let uris = if uris.is_empty() { settings.told_uris(port) } else { uris.to_vec() };
    if uris.is_empty() {
        return Err(Failure::new(
            "no relay is configured: set turn.listen, or turn.uris and turn.secret, or name one with --uri",
        ));
    }
    let secret = if let Some(secret) = &settings.secret {
        secret.clone()
    } else {
        let identity = ServerIdentity::read(&config.data, config.server_name.as_deref())?;
        settings.secret(FoundKey::of(&config.data, &identity)?.key())
    };
    let issuer = Issuer::new(uris, secret);
    let none = Login { username: String::new(), credential: String::new() };
    let login = issuer.login(USER, clock::now()).unwrap_or(none);
    let mut works = true;
    for uri in issuer.uris() {
        terminal::print(&format!("{uri}\n"))?;
        let mut printed = Ok(());
        works &= rookery_turn::check(uri, &login, |step| {
            if printed.is_ok() {
                printed = terminal::print(&format!("  {step}\n"));
            }
        });
        printed?;
    }
    if works { Ok(()) } else { Err(Failure::new("calls through a relay do not work: see above")) }
}
