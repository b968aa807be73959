// The journey, through RudderStack's client for servers, whose bodies are packed.
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { journey } from "./journey.mjs";

const analytics = new RudderAnalytics(process.env.KEY, {
  dataPlaneUrl: process.env.URL,
  flushAt: Number(process.env.FLUSH_AT),
  flushInterval: 200,
  logLevel: "error",
});
await Promise.all(
  journey.map(({ kind, ...message }) => new Promise((resolve) => analytics[kind](message, resolve))),
);
await analytics.flush();
