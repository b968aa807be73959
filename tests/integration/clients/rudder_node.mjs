// The journey, through RudderStack's client for servers, whose bodies are packed.
import RudderAnalytics from "@rudderstack/rudder-sdk-node";
import { journey } from "./journey.mjs";

const flushAt = Number(process.env.FLUSH_AT);
const analytics = new RudderAnalytics(process.env.KEY, {
  dataPlaneUrl: process.env.URL,
  flushAt,
  flushInterval: 200,
  logLevel: "error",
});
const send = ({ kind, ...message }) => new Promise((resolve) => analytics[kind](message, resolve));
// A batch at a time: it tries three times only, and then ends the process.
for (let at = 0; at < journey.length; at += flushAt) {
  await Promise.all(journey.slice(at, at + flushAt).map(send));
}
await analytics.flush();
