// A page of the shop in Chromium, of another origin than the server, with a client in it. Ends when standard input does.
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { journey } from "./journey.mjs";

// `script` is a file of a package; `run` is called in the page with where to send, the key and the journey.
export async function runInPage(script, run) {
  const folder = path.join(import.meta.dirname, "node_modules", path.dirname(script));
  const shop = createServer((request, response) => {
    const name = path.basename(request.url.split("?")[0]);
    const isScript = name.endsWith(".js");
    response.setHeader("Content-Type", isScript ? "text/javascript" : "text/html");
    response.end(isScript ? readFileSync(path.join(folder, name)) : '<title>Shop</title><script src="/index.js"></script>');
  });
  const { SHOP_HOST, SHOP_PORT, CHROMIUM, URL, KEY, MODE } = process.env;
  await new Promise((resolve) => shop.listen(Number(SHOP_PORT), "127.0.0.1", resolve));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(`http://${SHOP_HOST}:${SHOP_PORT}/?utm_source=mail&utm_campaign=autumn`);
  await page.evaluate(run, { url: URL, key: KEY, mode: MODE, journey });
  console.log("sent");
  for await (const _ of process.stdin);
  await browser.close();
  shop.close();
}
