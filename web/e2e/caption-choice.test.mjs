// The choice between German and English captions: by the viewer's languages, and then by the viewer.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { launch, newPage } from "./chromium.mjs";
import { clip } from "./clips.mjs";
import { startServer, upload } from "./server.mjs";
import { until } from "./until.mjs";
import * as viewer from "./viewer.mjs";

const WORDS = { de: "Guten Tag", en: "Good day" };
const NAMES = { de: "German", en: "English" };
const VARIANTS = ["pt-PT", "pt-BR", "zh-Hans", "zh-Hant"];

describe("of German and English captions", { concurrency: false }, () => {
  let server;
  let browser;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("mono-360p30.mp4"));
    for (const [language, words] of Object.entries(WORDS)) {
      await addCaptions(server, video, language, words);
    }
    await until("both in the playlist", async () => {
      const master = await (await fetch(`${server.url}/v/${video.id}/master.m3u8`)).text();
      return master.includes('LANGUAGE="de"') && master.includes('LANGUAGE="en"');
    });
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  async function visit(locale) {
    const opened = await newPage(browser, { locale });
    await open(opened.page);
    return opened;
  }

  async function open(page) {
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    await page.evaluate(() => window.seen.video.pause());
    await page.getByRole("button", { name: "Captions", exact: true }).waitFor();
  }

  /** Waits until picture and transcript both are in the language; null is a picture without words. */
  async function assertIn(page, picture, transcript) {
    let seen;
    await until(
      () => `${picture} on the picture, ${transcript} beside it; there is ${JSON.stringify(seen)}`,
      async () => {
        const region = page.getByRole("region", { name: "Transcript" });
        const lines = await region.getByRole("listitem").allInnerTexts();
        seen = { picture: await onPicture(page), lines };
        const words = picture === null ? [] : [WORDS[picture]];
        return (
          JSON.stringify(seen.picture) === JSON.stringify(words) &&
          lines.some((it) => it.includes(WORDS[transcript]))
        );
      },
      { seconds: 10 },
    );
  }

  for (const [locale, language] of [
    ["en-GB", "en"],
    ["de-DE", "de"],
    ["de-AT", "de"],
  ]) {
    test(`a viewer of ${locale} reads ${language}, on the picture and beside it`, async () => {
      const { page, context } = await visit(locale);
      await assertIn(page, null, language);
      await page.keyboard.press("c");
      await assertIn(page, language, language);
      await page.keyboard.press("c");
      await assertIn(page, null, language);
      await context.close();
    });
  }

  test("the viewer's choice and its being on go from visit to visit", async () => {
    const { page, context } = await visit("en-GB");
    await viewer.choose(page, "Captions", NAMES.de);
    await assertIn(page, "de", "de");
    await open(page);
    await assertIn(page, "de", "de");
    await page.keyboard.press("c");
    await assertIn(page, null, "de");
    await open(page);
    await assertIn(page, null, "de");
    await page.keyboard.press("c");
    await assertIn(page, "de", "de");
    await context.close();
  });

  test("a choice in the transcript is one for the picture", async () => {
    const { page, context } = await visit("en-GB");
    const select = page.getByLabel("Transcript in");
    await select.selectOption({ label: NAMES.de });
    await assertIn(page, null, "de");
    await page.keyboard.press("c");
    await assertIn(page, "de", "de");
    await select.selectOption({ label: NAMES.en });
    await assertIn(page, "en", "en");
    await context.close();
  });
});

describe("of two variants of one language", { concurrency: false }, () => {
  let server;
  let browser;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("mono-360p30.mp4"));
    for (const language of VARIANTS) await addCaptions(server, video, language, language);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  for (const [locale, variant] of [
    ["pt-BR", "pt-BR"],
    ["pt-PT", "pt-PT"],
    ["zh-CN", "zh-Hans"],
    ["zh-TW", "zh-Hant"],
    ["zh-HK", "zh-Hant"],
  ]) {
    test(`a viewer of ${locale} reads ${variant}`, async () => {
      const { page, context } = await newPage(browser, { locale });
      await page.goto(`${server.url}/watch/${video.id}`);
      await viewer.opened(page);
      await page.evaluate(() => window.seen.video.pause());
      await page.getByRole("button", { name: "Captions", exact: true }).waitFor();
      await page.keyboard.press("c");
      await until(`${variant} on the picture`, async () =>
        (await onPicture(page)).includes(variant),
      );
      await page.getByRole("region", { name: "Transcript" }).getByText(variant).waitFor();
      await context.close();
    });
  }
});

describe("forced captions", { concurrency: false }, () => {
  let server;
  let browser;
  let video;
  before(async () => {
    server = await startServer();
    video = await upload(server, await clip("forced-360p25.mkv"));
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  test("are on the picture while the others are off, and in no menu", async () => {
    const { page, context, troubles } = await newPage(browser, { locale: "en-GB" });
    await page.goto(`${server.url}/watch/${video.id}`);
    await viewer.opened(page);
    await page.evaluate(() => window.seen.video.pause());
    await viewer.seek(page, () =>
      page.evaluate(() => {
        window.seen.video.currentTime = 1;
      }),
    );
    let seen;
    const shows = (words) =>
      until(
        () => `${words} on the picture; there is ${seen}`,
        async () => {
          seen = JSON.stringify(await onPicture(page));
          return seen === JSON.stringify([words]);
        },
      );
    await shows("Foreign words");
    assert.deepEqual(await viewer.choices(page, "Captions"), ["Off", "English"]);
    await page.getByRole("region", { name: "Transcript" }).getByText("First words").waitFor();
    await page.keyboard.press("c");
    await shows("First words");
    await page.keyboard.press("c");
    await shows("Foreign words");
    await page.reload();
    await viewer.opened(page);
    await shows("Foreign words");
    assert.deepEqual(troubles, []);
    await context.close();
  });
});

function onPicture(page) {
  return page.evaluate(() => {
    const shown = [...window.seen.video.textTracks].filter((it) => it.mode === "showing");
    return shown.flatMap((it) => [...(it.activeCues ?? [])].map((cue) => cue.text));
  });
}

async function addCaptions(server, video, language, words) {
  const url = `${server.url}/api/v1/videos/${video.id}/captions?language=${language}`;
  const body = `WEBVTT\n\n00:00.000 --> 00:09.000\n${words}\n`;
  const answer = await fetch(url, { method: "POST", body });
  assert.equal(answer.status, 201, await answer.text());
}
