// Starts Debian's Chromium, and pages that remember all that went wrong in them.

import { chromium } from "playwright-core";
import { DIGITS, STRIP } from "./frame-number.mjs";
import { observe } from "./observe.mjs";

const ARGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
];

/** Starts it with an empty profile of its own, which goes when it is closed. */
export function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // Containers run as root and have no user namespaces, which the sandbox is made of.
    chromiumSandbox: false,
    args: ARGS,
  });
}

/** Opens a page whose `troubles` fill up with whatever a visitor's developer tools would show red. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const troubles = [];
  const requests = [];
  page.on("console", (line) => {
    if (line.type() === "error" || line.type() === "warning") {
      troubles.push(`console ${line.type()}: ${line.text()}`);
    }
  });
  page.on("pageerror", (error) => troubles.push(`exception: ${error.stack}`));
  page.on("request", (it) => requests.push(it.url()));
  page.on("response", (it) => {
    if (it.status() >= 400) troubles.push(`${it.status()} for ${it.url()}`);
  });
  page.on("requestfailed", (it) => {
    const reason = it.failure()?.errorText;
    // Aborted by the page itself: a level switch, or the event stream of a page that was left.
    if (reason !== "net::ERR_ABORTED") troubles.push(`${reason} for ${it.url()}`);
  });
  await page.exposeBinding("tellViolation", (_, text) => troubles.push(`CSP: ${text}`));
  await page.addInitScript(observe, { digits: DIGITS, strip: STRIP });
  return { page, context, troubles, requests };
}
