// English, the language that has every text.

import first from "./first.js";
import later from "./later.js";

export default { ...first, ...later } as const;
