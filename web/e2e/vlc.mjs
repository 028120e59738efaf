// Starts VLC without a screen and a sound card, and reads its reports.

import { chown, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "./command.mjs";

// Complaints of a machine without a desktop, not of the video.
const NO_DESKTOP = /main interface error: no suitable interface module|globalhotkeys|dbus|pulse/;

const NOBODY = 65534;

/** Plays to the end; resolves to `{ code, errors, decoded, displayed, lost, log }`. */
export async function play(url, { seconds = 60, options = [] } = {}) {
  const home = await mkdtemp(join(tmpdir(), "clipcut-vlc-"));
  const root = process.getuid() === 0;
  const args = [
    ...["-I", "oldrc", "--rc-fake-tty", "--no-dbus", "--no-color", "-vv"],
    ...[
      "--aout",
      "dummy",
      "--vout",
      "dummy",
      "--rate",
      "2",
      "--no-drop-late-frames",
      "--no-skip-frames",
      "--play-and-exit",
      ...options,
      url,
    ],
  ];
  if (root) await chown(home, NOBODY, NOBODY);
  // As root VLC runs only through its wrapper, which becomes the user that SUDO_UID names.
  const env = { ...process.env, HOME: home, XDG_CONFIG_HOME: home, SUDO_UID: String(NOBODY) };
  let timer;
  // Its statistics go with the input that they are of, so they are asked for all along.
  const onStart = ({ stdin }) => {
    stdin.on("error", () => clearInterval(timer));
    timer = setInterval(() => stdin.write("stats\n"), 100);
  };
  try {
    const program = root ? "vlc-wrapper" : "vlc";
    const { code, stdout, stderr } = await run(program, args, { seconds, env, onStart });
    const log = stdout + stderr;
    const errors = log
      .split("\n")
      .filter((it) => /^\[[0-9a-f]+\] .* error: /.test(it) && !NO_DESKTOP.test(it));
    const count = (name) =>
      Number([...log.matchAll(new RegExp(`${name} *: *(\\d+)`, "g"))].at(-1)?.[1]);
    return {
      code,
      errors,
      log,
      // VLC 3 counts a frame once as it goes into the decoder and once as it comes out.
      decoded: Math.floor(count("video decoded") / 2),
      decodedSound: Math.floor(count("audio decoded") / 2),
      displayed: count("frames displayed"),
      lost: count("frames lost"),
    };
  } finally {
    clearInterval(timer);
    await rm(home, { recursive: true, force: true });
  }
}
