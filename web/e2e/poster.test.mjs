// The poster that an owner chooses: the frame on the screen, a picture of their own, and the automatic one again.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { DIGITS, readNumber, STRIP } from "./frame-number.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const DONE = "The video has a new poster.";

describe("the poster", { concurrency: false }, () => {
  let server;
  let browser;
  let visit;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("surround-720p25.mp4"));
    browser = await launch();
    visit = await newPage(browser);
    await visit.page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(visit.page);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const document = async () => (await fetch(`${server.url}/api/v1/videos/${video.id}`)).json();

  /** Returns the size of a picture, the number that it shows, and the colour of its middle. */
  const seen = (url) =>
    visit.page.evaluate(
      async ({ url, digits, strip }) => {
        const picture = await createImageBitmap(await (await fetch(url)).blob());
        const { width, height } = picture;
        const paper = new OffscreenCanvas(digits * 8, 1).getContext("2d");
        paper.drawImage(picture, 0, (height * strip) / 2, width, 1, 0, 0, digits * 8, 1);
        const { data } = paper.getImageData(0, 0, digits * 8, 1);
        const pixels = Array.from({ length: digits * 8 }, (_, x) => data[x * 4 + 1]);
        paper.drawImage(picture, width / 2, height / 2, 1, 1, 0, 0, 1, 1);
        const colour = Array.from(paper.getImageData(0, 0, 1, 1).data).map((it) => it > 127);
        return { size: [width, height], pixels, red: colour[0] && !colour[1] && !colour[2] };
      },
      { url, digits: DIGITS, strip: STRIP },
    );

  const image = (type, width, height) =>
    visit.page.evaluate(
      async ({ type, width, height }) => {
        const canvas = new OffscreenCanvas(width, height);
        const paper = canvas.getContext("2d");
        paper.fillStyle = "red";
        paper.fillRect(0, 0, width, height);
        const bytes = await (await canvas.convertToBlob({ type })).arrayBuffer();
        return Array.from(new Uint8Array(bytes));
      },
      { type, width, height },
    );

  test("is the frame on the screen, by keyboard", async () => {
    const { page } = visit;
    const { frame } = await viewer.seek(page, () => viewer.pressSeekBar(page, 0.6));
    const button = page.getByRole("button", { name: "Use this frame" });
    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByText(DONE).waitFor();
    const { poster, poster_small } = await document();
    for (const [url, size] of [
      [poster, [1280, 720]],
      [poster_small, [640, 360]],
    ]) {
      const picture = await seen(url);
      assert.deepEqual([picture.size, readNumber(picture.pixels)], [size, frame.number], url);
    }
  });

  test("is a picture that is uploaded, shown at once in the dialog and in the library", async () => {
    const { page } = visit;
    await page.getByRole("button", { name: "Edit", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Edit video" });
    const choice = dialog.getByLabel("Picture for the poster");
    for (const [type, width, height] of [
      ["image/png", 1600, 900],
      ["image/webp", 900, 1600],
      ["image/jpeg", 400, 400],
    ]) {
      const buffer = Buffer.from(await image(type, width, height));
      await choice.setInputFiles({ name: "picture", mimeType: type, buffer });
      const shown = dialog.getByAltText("The poster as it is");
      await until(`the picture of ${type}`, async () => {
        const { size, red } = await seen(await shown.getAttribute("src"));
        // Of the small one: its height is rounded.
        return red && Math.abs(size[0] / size[1] - width / height) < 0.01;
      });
      await dialog.getByText(DONE).waitFor();
    }
    const other = await newPage(browser);
    await other.page.goto(server.url);
    const card = other.page.getByRole("list", { name: "Videos" }).locator("img");
    const { red } = await seen(await card.getAttribute("src"));
    assert.ok(red);
    await other.context.close();
  });

  test("stays as it is where a picture cannot be read, and the dialog says so", async () => {
    const { page } = visit;
    const before = (await document()).poster;
    const dialog = page.getByRole("dialog", { name: "Edit video" });
    const buffer = Buffer.from((await image("image/png", 64, 64)).slice(0, 60));
    const file = { name: "half.png", mimeType: "image/png", buffer };
    await dialog.getByLabel("Picture for the poster").setInputFiles(file);
    await dialog.getByRole("alert").getByText("could not be read").waitFor();
    const text = { name: "text.txt", mimeType: "text/plain", buffer: Buffer.from("words") };
    await dialog.getByLabel("Picture for the poster").setInputFiles(text);
    await dialog.getByRole("alert").getByText("image/jpeg").waitFor();
    assert.equal((await document()).poster, before);
  });

  test("is automatic again by keyboard, and all of it is within a small screen", async () => {
    const { page } = visit;
    await page.setViewportSize({ width: 360, height: 640 });
    const dialog = page.getByRole("dialog", { name: "Edit video" });
    const buttons = ["Upload picture", "Automatic"].map((name) =>
      dialog.getByRole("button", { name }),
    );
    for (const button of buttons) {
      await button.scrollIntoViewIfNeeded();
      const { x, width } = await button.boundingBox();
      assert.ok(x >= 0 && x + width <= 360, `${x} + ${width}`);
    }
    await buttons[0].focus();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await dialog.getByText(DONE).waitFor();
    const { red } = await seen((await document()).poster);
    assert.ok(!red);
    await page.keyboard.press("Escape");
    const frame = page.getByRole("button", { name: "Use this frame" });
    await frame.scrollIntoViewIfNeeded();
    const { x, width } = await frame.boundingBox();
    assert.ok(x >= 0 && x + width <= 360, `${x} + ${width}`);
    const wide = await page.evaluate(() => window.document.documentElement.scrollWidth);
    assert.ok(wide <= 360, `${wide}`);
  });
});
