import { expect, test } from "vitest";
import { decodeCaptions } from "../../api/caption-document.ts";
import { captionLabel, captionSource, captionState, readerState } from "./caption-words.ts";

function track(more: Record<string, unknown>) {
  const decoded = decodeCaptions({ id: "t", origin: "machine", state: "done", ...more });
  if (decoded === null) throw new Error("not a track");
  return decoded;
}

test("a track is called by its label, else by its language and author", () => {
  expect(captionLabel(track({ language: "de" }))).toBe("German (automatic)");
  expect(captionLabel(track({ language: "de", origin: "person" }))).toBe("German");
  expect(captionLabel(track({ language: "de", label: "For all" }))).toBe("For all");
  expect(captionLabel(track({ language: "und", origin: "file" }))).toBe("Subtitles");
  expect(captionLabel(track({ asked: { language: "fr" } }))).toBe("French (automatic)");
});

test("its state is a sentence", () => {
  const states: [Record<string, unknown>, string][] = [
    // The server's words are the end of a line of its log.
    [
      { state: "waiting", message: "there is no model in /m; `clipcut model pull` brings one" },
      "There is no model in /m; `clipcut model pull` brings one",
    ],
    [{ state: "running", seconds_done: 0 }, "Listening"],
    [{ state: "running", seconds_done: 30 }, "Listening, 50 %: up to 0:30"],
    [{ state: "none" }, "Nobody speaks in this video"],
    [{ state: "failed", message: "The model broke." }, "The model broke."],
  ];
  for (const [given, words] of states) expect(captionState(track(given), 60)).toBe(words);
});

test("a machine's words name the model, its hash and the library", () => {
  const machine = { model: "tiny", model_sha256: "0123456789abcdef", library: "clipcut 0.1.0" };
  expect(captionSource(track({ machine, edited: true }))).toBe(
    "Written by tiny (0123456789ab), clipcut 0.1.0, corrected by hand",
  );
});

test("somebody who only reads is not told of what the server lacks", () => {
  const message = "no libonnxruntime in /usr/lib";
  expect(readerState(track({ state: "waiting", message }))).toBe("Captions are not written yet");
  expect(readerState(track({ state: "failed", message }))).toBe("There are no captions");
  expect(readerState(track({ state: "none" }))).toBe("Nobody speaks in this video");
});
