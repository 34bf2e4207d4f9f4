//! SRV records.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use hickory_resolver::{
    ResolverBuilder, TokioResolver,
    proto::rr::{RData, RecordType},
};

/// How long a lookup takes at most.
const LOOKUP_TIME_MAX: Duration = Duration::from_secs(10);

/// Most records of an answer.
const RECORDS_MAX: usize = 16;

/// Looks up SRV records.
#[async_trait]
pub trait SrvLookup: Send + Sync {
    /// The records of a name such as `_matrix-fed._tcp.example.org`; none if there is no such name.
    ///
    /// # Errors
    /// If the resolver does not answer. The reason is for operators.
    async fn srv(&self, name: &str) -> Result<SrvAnswer, String>;
}

/// The records of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SrvAnswer {
    /// The records, in the order in which to try them.
    pub records: Vec<SrvRecord>,
    /// How long they may be kept.
    pub kept: Duration,
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SrvRecord {
    /// The host name, without a dot at its end.
    pub host: String,
    /// The port.
    pub port: u16,
}

/// The resolver that the system is configured to use.
pub struct DnsSrv(Result<TokioResolver, String>);

impl DnsSrv {
    /// Reads the configuration of the system. If it cannot be read, each lookup says so.
    #[must_use]
    pub fn of_system() -> Self {
        let built = TokioResolver::builder_tokio().and_then(ResolverBuilder::build);
        Self(built.map_err(|error| error.to_string()))
    }
}

#[async_trait]
impl SrvLookup for DnsSrv {
    async fn srv(&self, name: &str) -> Result<SrvAnswer, String> {
        let resolver = self.0.as_ref().map_err(Clone::clone)?;
        // Without the dot the resolver would try the name in the domains of this machine too.
        let found = resolver.lookup(format!("{name}."), RecordType::SRV);
        let found = match tokio::time::timeout(LOOKUP_TIME_MAX, found).await {
            Err(_elapsed) => return Err("the resolver does not answer".to_owned()),
            Ok(Err(error)) if error.is_no_records_found() || error.is_nx_domain() => {
                return Ok(SrvAnswer::default());
            }
            Ok(found) => found.map_err(|error| error.to_string())?,
        };
        let kept = found.valid_until().saturating_duration_since(Instant::now());
        let mut records: Vec<_> = found
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::SRV(srv) => Some(srv),
                _ => None,
            })
            .collect();
        // Records of the same priority: heavier ones first, which is enough without sharing load.
        records.sort_by_key(|srv| (srv.priority, std::cmp::Reverse(srv.weight)));
        let records = records.into_iter().take(RECORDS_MAX).map(|srv| {
            let host = srv.target.to_ascii().trim_end_matches('.').to_owned();
            SrvRecord { host, port: srv.port }
        });
        // A target of `.` says that there is no such service (RFC 2782).
        let records = records.filter(|record| !record.host.is_empty()).collect();
        Ok(SrvAnswer { records, kept })
    }
}
