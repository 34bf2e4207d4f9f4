//! Users, devices, passwords, tokens: the secrets that never go into the log.
