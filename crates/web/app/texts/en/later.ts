// The English texts of the other screens: they are in the script of those.

import calls from "./calls.js";
import chat from "./chat.js";
import operator from "./operator.js";
import room from "./room.js";
import settings from "./settings.js";

export default { ...room, ...settings, ...operator, ...chat, ...calls } as const;
