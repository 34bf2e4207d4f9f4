//! One signal of a call, and how large signals may be.

use std::sync::Arc;

use super::CallDevice;

/// The texts of all signals of a call have at most this many bytes.
pub const CALL_BYTES_MAX: usize = 64 * 1024;

/// A call holds at most this many candidates.
pub const CALL_CANDIDATES_MAX: usize = 200;

/// The signals of all calls take at most this many bytes.
pub const ALL_CALLS_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An address at which a device may be reached, as WebRTC names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IceCandidate {
    /// The candidate attribute; empty after the last candidate.
    pub candidate: String,
    /// The media section that it belongs to, by its tag.
    pub sdp_mid: Option<String>,
    /// The same by its number.
    pub sdp_m_line_index: Option<u16>,
    /// The user name of the ICE session that it belongs to.
    pub username_fragment: Option<String>,
}

impl IceCandidate {
    fn len_bytes(&self) -> usize {
        let texts = [self.sdp_mid.as_deref(), self.username_fragment.as_deref()];
        self.candidate.len() + texts.into_iter().flatten().map(str::len).sum::<usize>()
    }
}

/// The content of a signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallSignalBody {
    /// A description (SDP) to answer.
    Offer(String),
    /// The answer to a description.
    Answer(String),
    /// More candidates of the latest description.
    Candidates(Vec<IceCandidate>),
}

impl CallSignalBody {
    /// Whether it replaces all that the same device said before.
    pub(super) fn is_description(&self) -> bool {
        !matches!(self, Self::Candidates(_))
    }

    /// The number of its candidates.
    pub(super) fn candidates(&self) -> usize {
        match self {
            Self::Candidates(candidates) => candidates.len(),
            Self::Offer(_) | Self::Answer(_) => 0,
        }
    }

    /// The bytes of its texts.
    pub(super) fn len_bytes(&self) -> usize {
        match self {
            Self::Offer(sdp) | Self::Answer(sdp) => sdp.len(),
            Self::Candidates(candidates) => candidates.iter().map(IceCandidate::len_bytes).sum(),
        }
    }
}

/// The kind of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallSignalKind {
    /// The offer of a call that rings.
    Offer,
    /// An answer to an offer or a renegotiation.
    Answer,
    /// Candidates.
    Candidates,
    /// An offer in a call that was answered.
    Renegotiation,
}

/// A signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSignal {
    /// Greater than those of all earlier signals of the call, also after a restart of the server.
    pub number: u64,
    /// Its kind.
    pub kind: CallSignalKind,
    /// The device that sent it.
    pub sender: Arc<CallDevice>,
    /// Its content.
    pub body: CallSignalBody,
}

/// The reason why a signal is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalRefused {
    /// With it, the call would hold this many bytes, which is more than [`CALL_BYTES_MAX`].
    TooLarge {
        /// The bytes.
        bytes: usize,
    },
    /// With it, the call would hold this many candidates, which is more than
    /// [`CALL_CANDIDATES_MAX`].
    TooManyCandidates {
        /// The candidates.
        candidates: usize,
    },
    /// The calls of all users hold as much as they may: retry later.
    Full,
}
