import { expect, test } from "vitest";
import { commands } from "./commands.ts";

test("each command names the whole address", () => {
  const playback = { hls: "/v/7f/master.m3u8", dash: "/v/7f/manifest.mpd" };
  expect(commands(playback, "https://clips.example")).toEqual([
    { name: "HLS", text: "https://clips.example/v/7f/master.m3u8" },
    { name: "DASH", text: "https://clips.example/v/7f/manifest.mpd" },
    { name: "VLC", text: "vlc 'https://clips.example/v/7f/master.m3u8'" },
    { name: "ffplay", text: "ffplay 'https://clips.example/v/7f/master.m3u8'" },
    { name: "curl", text: "curl --compressed 'https://clips.example/v/7f/master.m3u8'" },
  ]);
});
