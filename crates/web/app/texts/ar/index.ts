// Arabic.

import type { Translation } from "../catalogue.js";
import type { Texts } from "../index.js";
import calls from "./calls.js";
import chat from "./chat.js";
import home from "./home.js";
import operator from "./operator.js";
import reasons from "./reasons.js";
import room from "./room.js";
import settings from "./settings.js";
import shell from "./shell.js";
import start from "./start.js";

const all: Translation<Texts> = { ...shell, ...start, ...home, ...room, ...settings, ...operator, ...reasons, ...chat, ...calls };

export default all;
