// The documents of the conversation, in the words of schema.graphql.

export const REGISTER = /* GraphQL */ `
  mutation Register($input: RegisterInput!) {
    register(input: $input) {
      accessToken
      error { code message }
    }
  }
`;

export const CREATE_ROOM = /* GraphQL */ `
  mutation CreateRoom($input: CreateRoomInput!) {
    createRoom(input: $input) {
      room { roomId }
      position
      error { code message }
    }
  }
`;

export const SEND = /* GraphQL */ `
  mutation SendMessage($input: SendMessageInput!) {
    sendMessage(input: $input) {
      event { eventId }
      position
      error { code message }
    }
  }
`;

export const STREAM = /* GraphQL */ `
  subscription EventStream($after: Position) {
    eventStream(after: $after) {
      position
      events {
        ... on RoomEvent { eventId sequence }
      }
    }
  }
`;
