"""Times whole encodes: the ladder on one worker beside one plain ffmpeg command, and two packagers of a core each beside one.

Usage: benches/encode.py CLIPCUT SERVERS [--seconds 600] [--rounds 3] [--clip FILE] [--only ladder|packagers]
The source is CLIP, looped by stream copy; without it a moving picture of 1080p25 with sound, made here. Rounds are interleaved,
A B A B, and medians compared.
"""

import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

PORT, ADMIN = 8198, 9198
SETTINGS = {"CLIPCUT_ACCOUNTS": "off", "CLIPCUT_CAPTIONS": "off", "CLIPCUT_LOG": "warn"}
# Our answers to the upload come before the poster and the playlists are measured, and these count: READY is the end of all.
PATIENCE = 3600


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clipcut")
    parser.add_argument("servers")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clip")
    parser.add_argument("--only", choices=["ladder", "packagers"])
    args = parser.parse_args()
    if (os.cpu_count() or 1) < 2:
        sys.exit("two cores are needed: one for each packager")
    with tempfile.TemporaryDirectory(prefix="clipcut-bench-") as folder:
        folder = pathlib.Path(folder)
        source = looped(folder, args.clip, args.seconds)
        if args.only != "packagers":
            compare("one plain ffmpeg", "the ladder on one worker", args.rounds,
                    ladder(args.clipcut, folder, source))
        if args.only != "ladder":
            compare("two packagers", "one packager", args.rounds, packagers(args, folder, source))
        print(f"\n{args.seconds} s of source, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", file=sys.stderr)


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, arguments)], check=True)


def looped(folder, clip, seconds):
    if clip is None:
        clip = folder / "clip.mp4"
        picture = "testsrc2=s=1920x1080:r=25:d=30,noise=alls=8:allf=t"
        ffmpeg("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine=f=330:r=48000:d=30", "-c:v", "libx264", "-preset",
               "veryfast", "-b:v", "5M", "-maxrate", "5M", "-bufsize", "10M", "-g", "50", "-pix_fmt", "yuv420p", "-c:a", "aac", clip)
    source = folder / "source.mp4"
    ffmpeg("-stream_loop", "-1", "-i", clip, "-map", "0:v:0", "-map", "0:a:0", "-t", seconds, "-c", "copy", source)
    return source


def compare(base, other, rounds, sides):
    """Prints the medians of two sides, which `sides` times one after the other, and their ratio."""
    times = {base: [], other: []}
    for number in range(rounds):
        for name, side in zip((base, other), sides):
            times[name].append(side())
            print(f"round {number + 1}: {name} {times[name][-1]:.1f} s", file=sys.stderr)
    medians = {name: statistics.median(seconds) for name, seconds in times.items()}
    for name, seconds in times.items():
        print(f"| {name} | {medians[name]:.1f} s | {' '.join(f'{one:.1f}' for one in seconds)} |")
    print(f"| {other} / {base} | {medians[other] / medians[base]:.3f} | |")


class Process:
    """A role as a process, which ends with its block."""

    def __init__(self, *command, core=None, **settings):
        pinned = [] if core is None else ["taskset", "-c", str(core)]
        self.process = subprocess.Popen([*pinned, *map(str, command)], env=os.environ | SETTINGS | settings)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def answer(path, data=None):
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data=data)
    if data is not None:
        request.add_header("Content-Length", str(os.path.getsize(data.name)))
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def until(what, look):
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE:
        try:
            if found := look():
                return found
        except OSError:
            pass
        time.sleep(0.05)
    sys.exit(f"no {what} in {PATIENCE} s")


def encoded(source):
    """Uploads the source. Returns the seconds from the answer until all of it is encoded."""
    until("server", lambda: answer("/api/v1/videos") is not None)
    with open(source, "rb") as file:
        video = answer("/api/v1/videos?filename=source.mp4", file)["id"]
    began = time.monotonic()
    state = until("end of the encode", lambda: (it := answer(f"/api/v1/videos/{video}")["state"]) in ("ready", "failed") and it)
    if state == "failed":
        sys.exit("the video failed")
    return time.monotonic() - began


def ladder(program, folder, source):
    """Returns what times one plain ffmpeg command, and the ladder on one worker."""
    plans = []

    def worker():
        with tempfile.TemporaryDirectory(dir=folder) as data:
            with Process(program, "serve", CLIPCUT_DATA=data, CLIPCUT_LISTEN=f"127.0.0.1:{PORT}",
                         CLIPCUT_ADMIN_LISTEN=f"127.0.0.1:{ADMIN}", CLIPCUT_ENCODE_SLOTS="1"):
                seconds = encoded(source)
            with sqlite3.connect(pathlib.Path(data) / "clipcut.sqlite") as library:
                plans.append(json.loads(library.execute("select plan from videos").fetchone()[0]))
            return seconds

    def plain():
        # The same ladder; its first plan is read off a run that is not counted.
        if not plans:
            worker()
        with tempfile.TemporaryDirectory(dir=folder) as out:
            began = time.monotonic()
            ffmpeg(*plain_arguments(plans[0], source, pathlib.Path(out)))
            return time.monotonic() - began

    return plain, worker


def plain_arguments(plan, source, out):
    video, (audio, *_) = plan["video"], plan["audio"]
    rungs = video["rungs"]
    graph = f"[0:v]split={len(rungs)}" + "".join(f"[s{n}]" for n in range(len(rungs)))
    for n, rung in enumerate(rungs):
        graph += f";[s{n}]scale={rung['width']}:{rung['height']}:flags=bicubic,format=yuv420p[v{n}]"
    arguments = ["-i", source, "-filter_complex", graph]
    for n, rung in enumerate(rungs):
        gop = video["gop_frames"]
        arguments += ["-map", f"[v{n}]", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "high", "-crf", rung["crf"],
                      "-maxrate", rung["maxrate_bps"], "-bufsize", rung["bufsize_bits"], "-g", gop, "-keyint_min", gop,
                      "-sc_threshold", 0, "-bf", 3, "-x264-params", "b-pyramid=normal:open-gop=0:8x8dct=1", out / f"{n}.mp4"]
    return [*arguments, "-map", "0:a", "-c:a", "aac", "-ac", 2, "-b:a", audio["bitrate_bps"], out / "sound.mp4"]


def packagers(args, folder, source):
    """Returns what times two packagers of a core each, and one on a core."""

    def on(cores):
        with subprocess.Popen([args.servers], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as servers:
            settings = dict(servers.stdout.readline().strip().split("=", 1) for _ in range(3))
            subprocess.run([args.clipcut, "migrate"], env=os.environ | settings, check=True, stdout=subprocess.DEVNULL)
            roles = []
            with tempfile.TemporaryDirectory(dir=folder) as data:
                try:
                    roles.append(Process(args.clipcut, "origin", **settings, CLIPCUT_DATA=f"{data}/origin",
                                         CLIPCUT_LISTEN=f"127.0.0.1:{PORT}", CLIPCUT_ADMIN_LISTEN=f"127.0.0.1:{ADMIN}"))
                    for core in range(cores):
                        roles.append(Process(args.clipcut, "packager", core=core, **settings, CLIPCUT_DATA=f"{data}/{core}",
                                             CLIPCUT_LISTEN=f"127.0.0.1:{PORT + 1 + core}", CLIPCUT_ENCODE_SLOTS="1",
                                             CLIPCUT_ADMIN_LISTEN=f"127.0.0.1:{ADMIN + 1 + core}"))
                    return encoded(source)
                finally:
                    for role in reversed(roles):
                        role.__exit__()
                    servers.stdin.close()

    return lambda: on(2), lambda: on(1)


main()
