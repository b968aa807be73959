// The journey, through RudderStack's client for browsers; MODE "beacon" sends as pages do that are about to close.
import { runInPage } from "./browser.mjs";

await runInPage(
  "@rudderstack/analytics-js/dist/npm/modern/bundled/umd/index.js",
  ({ url, key, mode, journey }) => {
    const analytics = new window.rudderanalytics.RudderAnalytics();
    analytics.load(key, url, {
      configUrl: url,
      useBeacon: mode === "beacon",
      beaconQueueOptions: { maxItems: 4, flushQueueInterval: 200 },
    });
    const send = {
      page: (message) => analytics.page(message.name),
      track: (message) => analytics.track(message.event, message.properties),
      identify: (message) => analytics.identify(message.userId, message.traits),
    };
    analytics.setAnonymousId(journey[0].anonymousId);
    for (const message of journey) send[message.kind](message);
  },
);
