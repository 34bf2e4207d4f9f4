//! Commands in rooms whose graph has leaves that this server does not follow.
//!
//! The effect of such an event, and whether other servers will accept it, follow only from the
//! graph. So it waits until all earlier events are durable; everywhere else decisions run ahead.
//! When the graph shows that the followed extremity has the room's state, messages run ahead too.

use rookery_domain::{Fact, Room};
use rookery_log::Appended;

use crate::{
    Commands, HandleError,
    rooms::state_call_changes,
    stream::{
        handle::{Decided, Request},
        state::StreamState,
    },
};

impl Commands {
    /// Decides a command, asks the graph for its effect on the state, and appends it.
    #[expect(
        clippy::await_holding_invalid_type,
        reason = "mutations and processes run in tasks of their own"
    )]
    pub(crate) async fn decide_in_graph(
        &self,
        stream_state: &StreamState<Room>,
        request: &Request,
        decide: &(impl Fn(Option<&Room>) -> Result<Vec<Fact>, HandleError> + Send),
    ) -> Result<Decided, HandleError> {
        if let Some(backlog) = self.core.log.backlog() {
            backlog.await;
        }
        let mut slot = stream_state.loaded.lock().await;
        let (mut loaded, mut graph) =
            self.federation.graphs.settled(&self.core, stream_state, &mut slot).await?;
        let mut facts = decide(loaded.state.as_ref())?;
        if facts.is_empty() {
            let position = loaded.position;
            self.federation.graphs.put(stream_state.stream.clone(), graph);
            *slot = Some(loaded);
            return Ok(Decided::Holds(None, position));
        }
        for fact in &mut facts {
            if let Fact::Room(event) = fact {
                *event = graph.graph.make(&event.pdu, event.envelope.clone())?;
            }
        }
        // The graph may have found other changes of the state.
        state_call_changes(loaded.state.as_ref(), &mut facts);
        let (append, last) =
            self.core.append(&stream_state.stream, request, &facts, loaded.guard())?;
        if let Ok(Appended { position, repeated: false, .. }) = append.clone().await {
            loaded.appended(&facts, last, position);
            graph.graph.commit(position.0);
            let agrees = graph.graph.agrees();
            loaded.state.iter_mut().for_each(|room| room.note_agreement(agrees));
            (graph.position, graph.last) = (position, last);
            self.federation.graphs.put(stream_state.stream.clone(), graph);
            *slot = Some(loaded);
        }
        Ok(Decided::Append(append, facts))
    }
}
