"""The documents of the client. The tests send each of them to a server."""

LOG_IN = """
mutation LogIn($input: LogInInput!) {
  logIn(input: $input) { token deviceId user { userId } refusal { code message retryAfter } }
}
"""

LOG_OUT = """
mutation LogOut($input: LogOutInput!) {
  logOut(input: $input) { devices }
}
"""

COUNTED = """
query Counted {
  viewer { user { userId } device { deviceId lastActionId } }
}
"""

SEND = """
mutation Send($input: SendMessageInput!) {
  sendMessage(input: $input) {
    event { eventId sequence }
    position
    refusal { code message retryAfter }
  }
}
"""

JOIN = """
mutation Join($input: JoinRoomInput!) {
  joinRoom(input: $input) {
    room { roomId name }
    position
    isPending
    refusal { code message retryAfter }
  }
}
"""

CONSUME = """
subscription Consume($name: String!, $filter: FilterBy, $max: Int, $from: PlaceInput) {
  consume(name: $name, filter: $filter, max: $max, from: $from) {
    events {
      __typename
      ... on RoomEvent {
        eventId sequence type stateKey content text sentAt isLate
        room { roomId }
        sender { userId }
      }
      ... on RedactionEvent { redacts }
      ... on RoomOpened { room { roomId name } sequence cursor }
      ... on RoomClosed { roomId closingReason }
      ... on StateResolved { room { roomId } type stateKey event { eventId content } }
      ... on Invited { room { roomId name } inviter { userId } }
      ... on RemoteActionEnded { actionKind actionId targetRoomId targetAlias targetUserId refusal { code message } }
    }
    skipped { roomId first last reason }
    position
    batch
    caughtUp
    attempt
  }
}
"""

ACKNOWLEDGE = """
mutation Acknowledge($input: AcknowledgeInput!) {
  acknowledge(input: $input) { position refusal { code message retryAfter } }
}
"""
