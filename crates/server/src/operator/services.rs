//! Executes commands about services.

use rookery_accounts::Millis;
use rookery_domain::UserId;
use rookery_namespaces::Claim;
use rookery_services::{NewRegistration, Registered};
use serde::{Deserialize, Serialize};

use super::{Output, execute::tell_removed};
use crate::{
    cli::ServiceCommand,
    failure::Failure,
    node::{Node, clock},
};

/// A command about services, on its way to the server. The program has read the file of a registration.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServiceOrder {
    /// Add a service.
    Add {
        /// Its registration.
        new: Box<NewRegistration>,
    },
    /// List services.
    List,
    /// Give a service another token.
    Rotate {
        /// Its name.
        name: String,
    },
    /// Remove a service.
    Remove {
        /// Its name.
        name: String,
    },
}

impl ServiceOrder {
    /// Reads the file that a command names.
    ///
    /// # Errors
    /// [`Failure`], which names the file, the line and the key.
    pub fn read(command: ServiceCommand) -> Result<Self, Failure> {
        Ok(match command {
            ServiceCommand::Add { file } => {
                let new = rookery_services::read(&file);
                let new = new.map_err(|error| {
                    Failure::new(format!("cannot use {}: {error}", file.display()))
                })?;
                Self::Add { new: Box::new(new) }
            }
            ServiceCommand::List => Self::List,
            ServiceCommand::Rotate { name } => Self::Rotate { name },
            ServiceCommand::Remove { name } => Self::Remove { name },
        })
    }
}

pub(super) async fn execute(
    node: &Node,
    order: ServiceOrder,
    output: &Output,
) -> Result<(), Failure> {
    let services = &node.services;
    match order {
        ServiceOrder::Add { new } => {
            let name = new.registration.name.clone();
            let token = services.add(*new, Millis(clock::now().0)).await?;
            if let Some(token) = token {
                output.text(format!("{}\n", token.expose())).await;
            }
            output.note(format!("added the service {name}")).await;
        }
        ServiceOrder::List => {
            for service in services.list() {
                output.text(described(&service)).await;
            }
        }
        ServiceOrder::Rotate { name } => {
            let token = services.rotate(&name).await?;
            output.text(format!("{}\n", token.expose())).await;
            output
                .note(format!("the service {name} has another token, and its sessions have ended"))
                .await;
        }
        ServiceOrder::Remove { name } => {
            let gone = services.remove(&name).await?;
            end_calls(node, gone, output).await;
            output.note(format!("removed the service {name}; its users stay")).await;
        }
    }
    Ok(())
}

/// Ends the calls of removed devices. Nobody was told of these devices, so only calls need the event.
async fn end_calls(node: &Node, gone: Vec<(String, String)>, output: &Output) {
    for (user, device) in gone {
        let in_calls = |user: &UserId| !node.reader.view().active_calls_of(user).is_empty();
        if <&UserId>::try_from(user.as_str()).is_ok_and(in_calls) {
            tell_removed(node, &user, vec![device], output).await;
        }
    }
}

/// A service on one line: name, bot, address, claims.
fn described(registered: &Registered) -> String {
    let registration = &registered.registration;
    let kinds = [
        ("users", &registration.users),
        ("aliases", &registration.aliases),
        ("rooms", &registration.rooms),
    ];
    let claim = |(kind, claim): (&str, &Claim)| {
        let exclusive = if claim.exclusive { ", exclusive" } else { "" };
        format!("{kind} {}{exclusive}", claim.regex)
    };
    let claims: Vec<_> = kinds
        .into_iter()
        .flat_map(|(kind, claims)| claims.iter().map(move |one| (kind, one)))
        .map(claim)
        .collect();
    let url = registration.url.as_deref().unwrap_or("-");
    let (service, claims) = (&registered.service, claims.join("; "));
    format!("{}\t{}\t{url}\t{claims}\n", service.name, service.bot)
}
