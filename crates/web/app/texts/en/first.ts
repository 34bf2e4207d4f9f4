// The English texts of the first visit and of the list of rooms.

import home from "./home.js";
import reasons from "./reasons.js";
import shell from "./shell.js";
import start from "./start.js";

export default { ...shell, ...start, ...home, ...reasons } as const;
