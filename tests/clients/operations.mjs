// The documents of the conversation, in terms of schema.graphql.

export const REGISTER = /* GraphQL */ `
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      token
      user { userId displayName }
      refusal { code message }
    }
  }
`;

export const LOG_IN = /* GraphQL */ `
  mutation LogIn($input: LogInInput!) {
    logIn(input: $input) {
      token
      refusal { code message }
    }
  }
`;

export const CREATE_ROOM = /* GraphQL */ `
  mutation CreateRoom($input: CreateRoomInput!) {
    createRoom(input: $input) {
      room { roomId name }
      refusal { code message }
    }
  }
`;

export const JOIN_ROOM = /* GraphQL */ `
  mutation JoinRoom($input: JoinRoomInput!) {
    joinRoom(input: $input) {
      room { roomId name memberCount }
      refusal { code message }
    }
  }
`;

export const SEND_MESSAGE = /* GraphQL */ `
  mutation SendMessage($input: SendMessageInput!) {
    sendMessage(input: $input) {
      event { eventId sequence actionId }
      refusal { code message }
    }
  }
`;

export const LOG_OUT = /* GraphQL */ `
  mutation LogOut($input: LogOutInput!) {
    logOut(input: $input) { devices }
  }
`;

export const HOME = /* GraphQL */ `
  query Home {
    initialSync(first: 20) {
      position
      user { userId }
      rooms { roomId name }
      invites { roomId name inviter { userId } }
    }
  }
`;

export const OLDER = /* GraphQL */ `
  query Older($room: RoomID!, $before: Cursor) {
    room(id: $room) {
      timeline(last: 2, before: $before) {
        nodes { eventId sequence }
        pageInfo { hasPreviousPage startCursor }
      }
    }
  }
`;

export const STREAM = /* GraphQL */ `
  subscription Stream($after: Position) {
    eventStream(after: $after) {
      position
      events {
        __typename
        ... on RoomEvent { eventId type sequence text actionId sender { userId } }
        ... on RoomOpened { room { roomId } sequence cursor }
      }
      skipped { roomId first last }
    }
  }
`;
