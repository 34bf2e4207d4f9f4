//! Nonces that the relay can check without having kept them.
//!
//! A relay that keeps each nonce that it has given out can be filled by strangers. This one derives a nonce from the time
//! and the client's address, under a key that no one else has.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// How long a nonce is valid. Source: RFC 8656, section 5, recommends at most an hour.
const NONCE_LIFETIME: Duration = Duration::from_hours(1);

pub(crate) struct Nonces {
    key: [u8; 32],
    start: Instant,
}

impl Nonces {
    pub(crate) fn new(key: [u8; 32], start: Instant) -> Self {
        Self { key, start }
    }

    /// A nonce for the client.
    pub(crate) fn issue(&self, client: SocketAddr, now: Instant) -> String {
        let issued = now.saturating_duration_since(self.start).as_secs();
        format!("{issued:016x}{:016x}", self.code(client, issued))
    }

    /// Whether the client got this nonce, and it is not too old.
    pub(crate) fn is_valid(&self, nonce: &str, client: SocketAddr, now: Instant) -> bool {
        let parts = nonce.split_at_checked(16).and_then(|(issued, code)| {
            let number = |text| u64::from_str_radix(text, 16).ok();
            (code.len() == 16).then_some(())?;
            Some((number(issued)?, number(code)?))
        });
        let Some((issued, code)) = parts else { return false };
        let age = now.saturating_duration_since(self.start).as_secs().checked_sub(issued);
        age.is_some_and(|age| age < NONCE_LIFETIME.as_secs()) && code == self.code(client, issued)
    }

    fn code(&self, client: SocketAddr, issued: u64) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        hasher.update(&issued.to_be_bytes());
        hasher.update(&client.port().to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => hasher.update(&ip.octets()),
            IpAddr::V6(ip) => hasher.update(&ip.octets()),
        };
        let mut code = [0; 8];
        hasher.finalize_xof().fill(&mut code);
        u64::from_be_bytes(code)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests fail by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_nonce_is_for_one_client_and_an_hour() {
        let start = Instant::now();
        let nonces = Nonces::new([7; 32], start);
        let client = "192.0.2.1:5000".parse().unwrap();
        let nonce = nonces.issue(client, start);
        assert!(nonces.is_valid(&nonce, client, start + Duration::from_secs(3_599)));
        assert!(!nonces.is_valid(&nonce, client, start + Duration::from_hours(1)));
        for other in ["192.0.2.1:5001", "192.0.2.2:5000"] {
            assert!(!nonces.is_valid(&nonce, other.parse().unwrap(), start), "{other}");
        }
        assert!(!Nonces::new([8; 32], start).is_valid(&nonce, client, start));
        for bad in ["", "0", &nonce[..31], &"é".repeat(16), &format!("{nonce}0")] {
            assert!(!nonces.is_valid(bad, client, start), "{bad}");
        }
    }
}
