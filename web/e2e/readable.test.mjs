// Every text and every field of the page against its ground, in light and dark, on every page and in its dialogs.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { contrast } from "./contrast.mjs";
import { heading, PASSWORD, press, signIn, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import * as viewer from "./viewer.mjs";

// WCAG 2.2 §1.4.3, for large text too; §1.4.11 for the edges of fields.
const LEAST_FOR_TEXT = 4.5;
const LEAST_FOR_EDGES = 3;

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };

for (const colorScheme of ["light", "dark"]) {
  describe(`readable in ${colorScheme}`, { concurrency: false }, () => {
    let server;
    let browser;
    let visit;
    let id;
    before(async () => {
      server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
      browser = await launch();
      visit = await newPage(browser, { colorScheme, reducedMotion: "reduce" });
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    async function assertReadable() {
      const { page } = visit;
      const { texts, edges } = await page.evaluate(groundsOf);
      assert.ok(texts.length >= 3, JSON.stringify(texts));
      const faint = [
        ...texts.filter((it) => least(it) < LEAST_FOR_TEXT),
        ...edges.filter((it) => least(it) < LEAST_FOR_EDGES),
      ];
      assert.deepEqual(
        faint.map((it) => ({ ...it, ratio: least(it).toFixed(2) })),
        [],
      );
    }

    const least = ({ ink, grounds }) => Math.min(...grounds.map((it) => contrast(ink, it)));

    test("are signing up and in", async () => {
      const { page } = visit;
      await page.goto(server.url);
      await heading(page, "Create the first account");
      await assertReadable();
      await press(page, "Create account");
      await signUp(page, ADA);
      const { page: other, context } = await newPage(browser, { colorScheme });
      await other.goto(`${server.url}/sign-in`);
      await signIn(other, { ...ADA, password: "wrong" });
      await other.getByRole("alert").waitFor();
      await context.close();
    });

    test("are an empty library, one with videos in every state, and its dialogs", async () => {
      const { page, context } = visit;
      await page.goto(server.url);
      await page.getByRole("heading", { name: "No videos yet" }).waitFor();
      await assertReadable();
      const send = (path, data, headers) =>
        context.request.post(`${server.url}/api/v1/${path}`, { data, headers });
      await send("videos?title=Noise", Buffer.alloc(2000, 7));
      await send("uploads", "", { "tus-resumable": "1.0.0", "upload-length": "1000" });
      const film = await clip("two-languages-360p24.mkv");
      await viewer.chooseFile(page, film);
      ({ id } = await viewer.uploadedRow(page, film));
      await page.getByRole("list", { name: "Videos" }).getByText("Failed").waitFor();
      await assertReadable();
      await page.reload();
      await press(page, `Edit ${film.name.replace(".mkv", "")}`);
      await page.getByRole("dialog").waitFor();
      await assertReadable();
      await page.keyboard.press("Escape");
      await press(page, "Account of Ada");
      await page.getByRole("menu").waitFor();
      await assertReadable();
    });

    test("are the watch page, its menus and its dialogs", async () => {
      const { page } = visit;
      await page.goto(`${server.url}/watch/${id}`);
      await viewer.opened(page);
      await page.evaluate(() => window.seen.video.pause());
      await page.getByRole("region", { name: "Transcript" }).getByText("Last words").waitFor();
      await page.getByText("Play elsewhere").click();
      await assertReadable();
      await page.getByRole("button", { name: "Quality", exact: true }).click();
      await page.getByRole("menu").waitFor();
      await assertReadable();
      await viewer.closeMenu(page, "Quality");
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await assertReadable();
    });

    test("are a search, its lack of results and what is not there", async () => {
      const { page } = visit;
      for (const [path, title] of [
        ["/search?q=words", /Results/],
        ["/search?q=nowhere", /Nothing/],
        ["/watch/aaaaaaaaaaaaaaaa", /not here/],
        ["/nowhere", /no such page/],
      ]) {
        await page.goto(`${server.url}${path}`);
        await heading(page, title);
        await assertReadable();
      }
    });

    test("are an account, people and jobs", async () => {
      const { page } = visit;
      for (const [path, list] of [
        ["/account", "Sessions"],
        ["/people", "Accounts"],
        ["/jobs", "Failed videos"],
      ]) {
        await page.goto(`${server.url}${path}`);
        await page.getByRole("list", { name: list, exact: true }).waitFor();
        await assertReadable();
      }
    });
  });
}

/** Runs in the page: of every text and of the edge of every field its colour and the grounds that it may stand on. */
function groundsOf() {
  const parse = (color) => {
    const [r, g, b, alpha = 1] = color.match(/[\d.]+/g).map(Number);
    const scale = color.startsWith("color(") ? 255 : 1;
    return { rgb: [r, g, b].map((it) => it * scale), alpha };
  };
  const over = (top, below) =>
    top.rgb.map((it, at) => it * top.alpha + below[at] * (1 - top.alpha));
  const text = (rgb) => `rgb(${rgb.map((it) => Math.round(it)).join(", ")})`;
  const onPicture = (it) =>
    it.matches('[aria-label="Video player"], [class*=frame], [class*=picture], [class*=stage]');

  // A picture may be of any colour behind what lies over it.
  const groundsBehind = (element) => {
    const layers = [];
    let grounds = [[255, 255, 255]];
    for (let it = element; it !== null; it = it.parentElement) {
      const ground = parse(getComputedStyle(it).backgroundColor);
      const shade = getComputedStyle(it).backgroundImage.startsWith("linear-gradient");
      if (ground.alpha > 0) layers.push(ground);
      if (ground.alpha === 1) {
        grounds = [ground.rgb];
        layers.pop();
        break;
      }
      if (shade && it.matches("[class*=controls]")) layers.push({ rgb: [0, 0, 0], alpha: 0.75 });
      if (it !== element && onPicture(it)) {
        grounds = [
          [255, 255, 255],
          [0, 0, 0],
        ];
        break;
      }
    }
    return grounds.map((ground) => layers.reduceRight((below, top) => over(top, below), ground));
  };
  const visible = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return (
      width > 1 &&
      height > 1 &&
      element.checkVisibility({ opacityProperty: true, visibilityProperty: true }) &&
      element.closest(
        ":disabled, [aria-disabled=true], [data-quiet=true], .visually-hidden, [class*=skip]",
      ) === null &&
      (document.querySelector("dialog[open]")?.contains(element) ?? true)
    );
  };
  const place = (element) =>
    `${element.tagName.toLowerCase()}.${String(element.className).slice(0, 40)}`;

  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (
      node.textContent.trim() === "" ||
      !visible(element) ||
      element.matches("option, script, noscript")
    )
      continue;
    const grounds = groundsBehind(element);
    const color = parse(getComputedStyle(element).color);
    texts.push({
      what: node.textContent.trim().slice(0, 40),
      where: place(element),
      ink: text(over(color, grounds[0])),
      grounds: grounds.map(text),
    });
  }
  const edges = [];
  for (const field of document.querySelectorAll("input, select, textarea")) {
    if (
      !visible(field) ||
      field.matches("[type=range], [type=radio], [type=checkbox], [type=file], [readonly]")
    )
      continue;
    const style = getComputedStyle(field);
    edges.push({
      what: field.labels?.[0]?.textContent ?? field.ariaLabel,
      where: `edge of ${place(field)}`,
      ink: text(parse(style.borderTopColor).rgb),
      grounds: groundsBehind(field.parentElement).map(text),
    });
    const grounds = groundsBehind(field);
    texts.push({
      what: field.value,
      where: place(field),
      ink: text(over(parse(style.color), grounds[0])),
      grounds: grounds.map(text),
    });
  }
  return { texts, edges };
}
