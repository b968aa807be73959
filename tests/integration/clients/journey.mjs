// What one shopper does, as journey.json has it, for clients of this language.
import { readFileSync } from "node:fs";

export const journey = JSON.parse(readFileSync(process.env.JOURNEY, "utf8"));
