//! Pages of users.

use super::user::User;
use crate::schema::types::values::connection::connection;

connection!(UserConnection, UserEdge, User, "A page of users.");
