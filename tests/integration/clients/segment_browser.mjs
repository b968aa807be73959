// The journey, through Segment's client for browsers, in a page of another origin. Ends when standard input does.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { chromium } from "playwright-core";
import { journey } from "./journey.mjs";

const umd = path.dirname(createRequire(import.meta.url).resolve("@segment/analytics-next/dist/umd/index.js"));
const shop = createServer((request, response) => {
  const name = path.basename(request.url.split("?")[0]);
  const isScript = name.endsWith(".js");
  response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
  response.end(isScript ? readFileSync(path.join(umd, name)) : '<title>Shop</title><script src="/index.js"></script>');
});
await new Promise((resolve) => shop.listen(Number(process.env.SHOP_PORT), "127.0.0.1", resolve));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto(`http://${process.env.SHOP_HOST}:${process.env.SHOP_PORT}/?utm_source=mail&utm_campaign=autumn`);
await page.evaluate(
  async ({ url, key, journey }) => {
    const analytics = window.AnalyticsNext.AnalyticsBrowser.load({ writeKey: key, cdnURL: url });
    const send = {
      page: (message) => analytics.page(message.name),
      track: (message) => analytics.track(message.event, message.properties),
      identify: (message) => analytics.identify(message.userId, message.traits),
    };
    analytics.setAnonymousId(journey[0].anonymousId);
    // Not waited for: an event that must be sent again is delivered later.
    for (const message of journey) send[message.kind](message);
  },
  { url: process.env.URL, key: process.env.KEY, journey },
);
console.log("sent");
for await (const _ of process.stdin);
await browser.close();
shop.close();
