// The journey, through Segment's client for browsers.
import { runInPage } from "./browser.mjs";

await runInPage("@segment/analytics-next/dist/umd/index.js", ({ url, key, journey }) => {
  const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url });
  const send = {
    page: (message) => analytics.page(message.name),
    track: (message) => analytics.track(message.event, message.properties),
    identify: (message) => analytics.identify(message.userId, message.traits),
  };
  analytics.setAnonymousId(journey[0].anonymousId);
  // Not waited for: an event that must be sent again is delivered later.
  for (const message of journey) send[message.kind](message);
});
