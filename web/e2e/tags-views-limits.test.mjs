// Tags, views and limits in the page: a video is filed under words and found by them, counted once a viewer, and refused where its
// owner has no room left.

import assert from "node:assert/strict";
import { stat } from "node:fs/promises";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { field, PASSWORD, press, signUp } from "./people.mjs";
import { startServer } from "./server.mjs";
import * as viewer from "./viewer.mjs";

const ADA = { name: "Ada", email: "ada@example.org", password: PASSWORD };
const FILE = "mono-360p30.mp4";

describe("tags, views and limits", { concurrency: false }, () => {
  let server;
  let browser;
  let ada;
  let video;
  before(async () => {
    server = await startServer({ CLIPCUT_ACCOUNTS: "on" });
    browser = await launch();
    ada = await visitor();
    await ada.at("/");
    await signUp(ada.page, ADA);
    await viewer.chooseFile(ada.page, await clip(FILE));
    video = await viewer.uploadedRow(ada.page, await clip(FILE));
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function visitor() {
    const visit = await newPage(browser);
    return { ...visit, at: (path) => visit.page.goto(`${server.url}${path}`) };
  }

  const cards = (page) => page.getByRole("list", { name: "Videos" }).getByRole("listitem");

  test("a video is filed under tags, shown as text, and each leads to its list", async () => {
    const { page } = ada;
    await ada.at(`/watch/${video.id}`);
    await press(page, "Edit");
    await field(page, "Tags, with commas between").fill("Sea, <b>Sun & Moon</b>");
    await press(page, "Save");
    const tags = page.getByRole("list", { name: "Tags" });
    await tags.getByRole("link", { name: "<b>Sun & Moon</b>" }).waitFor();
    assert.equal(await tags.locator("b").count(), 0);
    await tags.getByRole("link", { name: "Sea" }).click();
    await cards(page).first().waitFor();
    assert.equal(new URL(page.url()).searchParams.get("tag"), "Sea");
    // In another spelling it is the same tag, and an order of the list goes with it.
    await ada.at("/?tag=SEA&sort=title");
    await cards(page).first().waitFor();
    assert.equal(await page.getByLabel("Order").inputValue(), "title");
    await ada.at("/?tag=land");
    await page.getByRole("heading", { name: "No video has this tag" }).waitFor();
  });

  test("a viewer counts once, however often they watch", async () => {
    const stranger = await visitor();
    const views = async () =>
      (await fetch(`${server.url}/api/v1/videos/${video.id}`).then((it) => it.json())).views;
    const earlier = await views();
    for (let time = 0; time < 2; time++) {
      const counted = stranger.page.waitForResponse((it) => it.url().endsWith("/views"));
      await stranger.at(`/watch/${video.id}`);
      await viewer.opened(stranger.page);
      assert.equal((await counted).status(), 204);
    }
    assert.equal(await views(), earlier + 1);
    const shown = earlier === 0 ? "1 view" : `${earlier + 1} views`;
    await stranger.page.reload();
    await stranger.page.getByText(` · ${shown} · `).waitFor();
    assert.deepEqual(stranger.troubles, []);
    await stranger.context.close();
  });

  test("an administrator sets limits, which the page shows and an upload meets", async () => {
    const { page } = ada;
    const { size } = await stat((await clip(FILE)).path);
    await ada.at("/people");
    await press(page, `Limits of ${ADA.name}`);
    await field(page, "Gigabytes").fill(String((size * 1.5) / 1e9));
    await field(page, "Minutes").fill("10");
    await press(page, "Save");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await ada.at("/account");
    await page.getByText(/^Your videos take .+ of .+ and 0 of 10 minutes\.$/).waitFor();
    await ada.at("/");
    await viewer.chooseFile(page, await clip(FILE));
    await page.getByText(/bytes that they may have, and this would add/).waitFor();
    assert.equal(await cards(page).count(), 1, "nothing of it stays");
  });
});
