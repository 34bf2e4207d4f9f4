//! Candidates of a connection, in both directions.

use async_graphql::{InputObject, SimpleObject};
use rookery_ephemeral::IceCandidate as Held;

use crate::types::{errors::fault::Fault, values::text::Text};

/// An address at which a device may be reached: the fields of an `RTCIceCandidate` of WebRTC.
#[derive(Clone, SimpleObject)]
pub struct IceCandidate {
    /// The candidate attribute. Empty if there are no more candidates.
    pub candidate: Text,
    /// The tag of the media section that it belongs to.
    pub sdp_mid: Option<String>,
    /// The number of the media section that it belongs to.
    #[graphql(name = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<i32>,
    /// The user name of the ICE session that it belongs to.
    pub username_fragment: Option<String>,
}

/// An address at which your device may be reached: what `RTCIceCandidate.toJSON()` gives in a
/// browser.
#[derive(Clone, Debug, InputObject)]
pub struct IceCandidateInput {
    /// The candidate attribute. Empty if there are no more candidates.
    pub candidate: String,
    /// The tag of the media section that it belongs to.
    pub sdp_mid: Option<String>,
    /// The number of the media section that it belongs to, from 0 to 65535.
    #[graphql(name = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<i32>,
    /// The user name of the ICE session that it belongs to.
    pub username_fragment: Option<String>,
}

impl From<&Held> for IceCandidate {
    fn from(candidate: &Held) -> Self {
        Self {
            candidate: Text(candidate.candidate.clone()),
            sdp_mid: candidate.sdp_mid.clone(),
            sdp_m_line_index: candidate.sdp_m_line_index.map(i32::from),
            username_fragment: candidate.username_fragment.clone(),
        }
    }
}

impl IceCandidateInput {
    /// The candidate, if its numbers are in their range.
    ///
    /// # Errors
    /// [`Fault`] with code `BAD_USER_INPUT`, naming the range.
    pub fn checked(self) -> Result<Held, Fault> {
        let Self { candidate, sdp_mid, sdp_m_line_index, username_fragment } = self;
        let index = sdp_m_line_index.map(u16::try_from).transpose();
        let sdp_m_line_index = index.map_err(|_| {
            Fault::bad_input("`sdpMLineIndex` is out of range: use a number from 0 to 65535")
        })?;
        Ok(Held { candidate, sdp_mid, sdp_m_line_index, username_fragment })
    }
}
