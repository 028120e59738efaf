"""Measures the engine beside faster-whisper and whisper.cpp: the same random weights of whisper-tiny's geometry in eight
bits, two threads each, 100 tokens for each window, rounds that take turns. See tiny.py for the weights.

Usage: speed.py FOLDER WINDOWS_PROGRAM [ROUNDS]. FOLDER is what tiny.py wrote. Prints a table in Markdown.
"""

import importlib.util
import json
import statistics
import subprocess
import sys
import time
import wave
from importlib.metadata import version
from pathlib import Path

import numpy as np

RATE, THREADS, WINDOWS = 16000, 2, 12


def sound(folder):
    """Noise that comes and goes: random weights recognize nothing in any sound."""
    rng = np.random.default_rng(1)
    samples = rng.standard_normal(RATE * 30 * WINDOWS) * 0.1 * (1 + np.sin(np.arange(RATE * 30 * WINDOWS) / 4000))
    samples = np.clip(samples, -1, 1).astype(np.float32)
    file = folder / "noise.wav"
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1), out.setsampwidth(2), out.setframerate(RATE)
        out.writeframes((samples * 32767).astype("<i2").tobytes())
    return file, samples


def ours(program, folder, precision, at_once):
    child = subprocess.Popen([program, folder / "whisper-tiny-random", precision, str(THREADS), str(at_once)], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def run(file, _):
        print(file, file=child.stdin, flush=True)
        report = json.loads(child.stdout.readline())
        return report["seconds"], len(report["windows"]), sum(map(len, report["windows"]))

    return run


def faster_whisper(folder):
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder / "ct2"), device="cpu", compute_type="int8", cpu_threads=THREADS, num_workers=1)

    def run(_, samples):
        started = time.perf_counter()
        segments, _ = model.transcribe(samples, language="en", beam_size=1, best_of=1, temperature=[0.0],
                                       without_timestamps=True, condition_on_previous_text=False, suppress_tokens=[],
                                       compression_ratio_threshold=None, log_prob_threshold=None, no_speech_threshold=None)
        tokens = [len(segment.tokens) for segment in segments]
        return time.perf_counter() - started, len(tokens), sum(tokens)

    return run


def whisper_cpp(folder):
    import _pywhispercpp as native
    from pywhispercpp.model import Model

    model = Model(str(folder / "ggml.bin"), n_threads=THREADS, language="en", no_timestamps=True, single_segment=True,
                  no_context=True, temperature_inc=0.0, greedy={"best_of": 1}, print_progress=False,
                  print_realtime=False, redirect_whispercpp_logs_to=None)

    def run(_, samples):
        started = time.perf_counter()
        windows = tokens = 0
        # Whole windows, as the others cut them; its own cutting follows times, which random weights do not give.
        for at in range(0, len(samples), RATE * 30):
            model.transcribe(samples[at:at + RATE * 30])
            count = native.whisper_full_n_segments(model._ctx)
            windows += 1
            tokens += sum(native.whisper_full_n_tokens(model._ctx, n) for n in range(count))
        return time.perf_counter() - started, windows, tokens

    return run


def main():
    folder, program = Path(sys.argv[1]), sys.argv[2]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    file, samples = sound(folder)
    engines = {
        "clipcut, quantized, two windows at once": ours(program, folder, "quantized", 2),
        "clipcut, quantized, one after the other": ours(program, folder, "quantized", 1),
    }
    if (folder / "ct2").exists():
        engines[f"faster-whisper {version('faster-whisper')} (CTranslate2 {version('ctranslate2')}), int8"] = faster_whisper(folder)
    if importlib.util.find_spec("pywhispercpp"):
        engines[f"whisper.cpp (pywhispercpp {version('pywhispercpp')}), q8_0"] = whisper_cpp(folder)
    took = {name: [] for name in engines}
    counts = {}
    for n in range(rounds + 1):
        for name, run in engines.items():
            seconds, *counts[name] = run(file, samples)
            # The first round warms up: memory, pages, frequency.
            if n > 0:
                took[name].append(seconds / WINDOWS * 1000)
            # Others' threads spin for a moment after their work.
            time.sleep(0.5)
    best = min(statistics.median(times) for name, times in took.items() if name.startswith("clipcut"))
    print(f"{WINDOWS} windows of 30 s, {THREADS} threads, {rounds} rounds in turns; milliseconds a window\n")
    print("| engine | median | least | most | tokens a window | ours is faster by |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, times in took.items():
        median = statistics.median(times)
        windows, tokens = counts[name]
        print(f"| {name} | {median:.0f} | {min(times):.0f} | {max(times):.0f} | {tokens / max(windows, 1):.1f} "
              f"| {median / best:.2f} × |")


if __name__ == "__main__":
    main()
