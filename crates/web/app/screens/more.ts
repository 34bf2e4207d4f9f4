// The screens that the first visit and the first home do not need: rooms, calls and the other screens. It is a script of its own, which
// is loaded once the home is on the screen, or at once if the address is that of a room.

export { CallLayer } from "../calls/calls.js";
export { default as texts } from "../texts/en/later.js";
export { Devices } from "./devices.js";
export { Directory } from "./directory.js";
export { NewRoom } from "./new-room.js";
export { Operator } from "./operator/operator.js";
export { PersonScreen } from "./person.js";
export { RoomScreen } from "./room.js";
export { Settings } from "./settings.js";
