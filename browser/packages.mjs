// Packages, found through NODE_PATH, which `import` does not look at.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

export const { chromium } = require("playwright-core");
export const { WebSocket } = require("ws");
