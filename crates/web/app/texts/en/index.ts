// English, the language that has every text.

import calls from "./calls.js";
import chat from "./chat.js";
import home from "./home.js";
import operator from "./operator.js";
import reasons from "./reasons.js";
import room from "./room.js";
import settings from "./settings.js";
import shell from "./shell.js";
import start from "./start.js";

export default { ...shell, ...start, ...home, ...room, ...settings, ...operator, ...reasons, ...chat, ...calls } as const;
