// The journey, through Segment's client for servers.
import { Analytics } from "@segment/analytics-node";
import { journey } from "./journey.mjs";

const analytics = new Analytics({
  writeKey: process.env.KEY,
  host: process.env.URL,
  flushAt: Number(process.env.FLUSH_AT),
  flushInterval: 200,
});
analytics.on("error", (error) => console.error("error", error));
for (const { kind, ...message } of journey) analytics[kind](message);
await analytics.closeAndFlush({ timeout: 60_000 });
