"""Writes the reference's answers: transformers' Whisper over optimum's ONNX session, on the demo model.

    python3 -m venv target/reference && target/reference/bin/pip install -r transcriber/reference/requirements.txt
    target/reference/bin/python transcriber/reference/golden.py

Needs espeak-ng 1.51 and ffmpeg. The sounds are kept beside the answers (tests/golden/*.flac), since another espeak-ng
speaks otherwise; --keep-sounds asks the reference again about the sounds that are there.
"""

import hashlib, json, random, subprocess, sys, tempfile
from pathlib import Path

import numpy as np
import soundfile
import torch
from optimum.onnxruntime import ORTModelForSpeechSeq2Seq
from transformers import WhisperFeatureExtractor, WhisperTokenizerFast

HERE = Path(__file__).parent.parent
DEMO, GOLDEN = HERE / "demo", HERE / "tests" / "golden"
RATE = 16000
VOICES = ["en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us+f2", "en+m3", "en-gb-x-gbclan"]

SENTENCES = """The small yellow bird finds my paper near the river today.|We will open the window in the kitchen.
Please bring your ticket after lunch.|The teacher painted seven green bottles in the garden.
Hello and welcome to this lesson.|There is a big clock behind the station.|On Monday morning the farmer lost the ladder.
Is the guitar under the bridge?|The number is five nine zero twelve.|The lesson is thirty minutes before dinner.
The old doctor carried a heavy basket across the bridge.|My sister likes the purple blanket.
On Friday evening the student found the camera.|Please close the window before breakfast.
The baby dropped three oranges in the kitchen.|Is the monkey behind the table?
We will watch a movie in the library tonight.|The number is seven six ten.
There is a silver lamp near the piano.|The young singer forgot the letter yesterday.""".replace("\n", "|").split("|")


def speak(text, voice, speed):
    with tempfile.NamedTemporaryFile(suffix=".wav") as wav:
        subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "-w", wav.name, text], check=True)
        raw = subprocess.run(["ffmpeg", "-v", "error", "-i", wav.name, "-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"],
                             check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<i2").astype(np.float64) / 32768


def talk(rng, seconds, pause=(0.2, 0.8), voices=None, speed=(140, 190)):
    voices = voices or [rng.choice(VOICES)]
    parts, length, turn = [], 0, 0
    while length < seconds * RATE:
        sound = speak(rng.choice(SENTENCES), voices[turn % len(voices)], rng.randint(*speed))
        gap = np.zeros(int(rng.uniform(*pause) * RATE))
        parts += [gap, sound]
        length += len(gap) + len(sound)
        turn += 1
    return np.concatenate(parts)[: int(seconds * RATE)]


def noisy(sound, decibels, seed):
    noise = np.random.default_rng(seed).standard_normal(len(sound))
    return sound + noise * np.sqrt(np.mean(sound**2)) * 10 ** (-decibels / 20)


def through_aac(sound):
    with tempfile.TemporaryDirectory() as folder:
        soundfile.write(f"{folder}/a.wav", sound, RATE, subtype="PCM_16")
        ff = ["ffmpeg", "-v", "error", "-y"]
        subprocess.run([*ff, "-i", f"{folder}/a.wav", "-c:a", "aac", "-b:a", "96k", "-ar", "48000", f"{folder}/a.m4a"], check=True)
        raw = subprocess.run([*ff, "-i", f"{folder}/a.m4a", "-ar", str(RATE), "-ac", "1", "-f", "s16le", "-"],
                             check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype="<i2").astype(np.float64) / 32768


def sounds():
    rng = random.Random(20261124)
    made = {}
    for n, voice in enumerate(VOICES):
        made[f"voice-{n}"] = talk(rng, 5 + n, voices=[voice])
    made["slow"] = talk(rng, 10, speed=(120, 125))
    made["fast"] = talk(rng, 8, speed=(200, 205))
    made["two-speakers"] = talk(rng, 20, voices=["en-us", "en-gb-x-rp+f2"])
    made["long-pauses"] = talk(rng, 45, pause=(6, 9))
    made["late"] = np.concatenate([np.zeros(20 * RATE), talk(rng, 9)])
    made["across-30s"] = np.concatenate([np.zeros(int(27.5 * RATE)), talk(rng, 12, pause=(0.1, 0.2))])
    made["without-pauses"] = talk(rng, 40, pause=(0.1, 0.15))
    made["noise-20dB"] = noisy(talk(rng, 15), 20, 1)
    made["noise-20dB-long"] = noisy(talk(rng, 35), 20, 2)
    made["aac-96k"] = through_aac(talk(rng, 20))
    made["loud"] = np.clip(talk(rng, 9) * 12, -1, 1)
    made["two-minutes"] = talk(rng, 120, voices=["en", "en-us", "en-029"])
    return made


def features(extractor, sound):
    """OpenAI's way: half a minute of silence behind the sound, which is not content."""
    padded = np.concatenate([sound, np.zeros(30 * RATE, dtype=sound.dtype)]).astype(np.float32)
    # The extractor's NumPy way, which reckons in f64; torch's in f32 strays by more than a thousandth at the floor.
    return extractor._np_extract_fbank_features(padded[None], "cpu")[0], len(sound) // extractor.hop_length


class Silence:
    """Has transformers end its windows in silence, as its models were trained. It fills up the last one with
    zeros instead, which on the spectrogram's scale are loud, and made the demo model talk on."""

    def __init__(self, model, frames):
        self.model, self.frames = model, frames

    def __enter__(self):
        def segment(input_features, seek, seek_num_frames, num_segment_frames, cur_bsz, batch_idx_map):
            return input_features[:, :, int(seek[0]) : int(seek[0]) + num_segment_frames]

        def limits(**given):
            return torch.tensor([self.frames]), torch.zeros(1, dtype=torch.long)

        self.model._get_input_segment = segment
        self.model._retrieve_max_frames_and_seek = limits

    def __exit__(self, *_):
        del self.model._get_input_segment, self.model._retrieve_max_frames_and_seek


def main():
    extractor = WhisperFeatureExtractor.from_pretrained(DEMO)
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(DEMO / "tokenizer.json"))
    model = ORTModelForSpeechSeq2Seq.from_pretrained(
        DEMO, subfolder="onnx", use_cache=True, use_merged=True)
    GOLDEN.mkdir(parents=True, exist_ok=True)
    if "--keep-sounds" not in sys.argv:
        for name, sound in sounds().items():
            soundfile.write(GOLDEN / f"{name}.flac", np.clip(sound, -1, 1), RATE, subtype="PCM_16")
    answers = {}
    for file in sorted(GOLDEN.glob("*.flac")):
        sound, _ = soundfile.read(file, dtype="float32")
        mel, frames = features(extractor, sound)
        taken = torch.from_numpy(mel[None, :, : frames + 3000])
        with Silence(model, frames):
            result = model.generate(input_features=taken, task="transcribe", language="en", return_timestamps=True,
                                  return_segments=True, temperature=0.0, num_beams=1, condition_on_prev_tokens=False,
                                  max_new_tokens=224)
        segments = [{"start": round(float(s["start"]), 2), "end": round(float(s["end"]), 2), "tokens": s["tokens"].tolist()}
                    for s in result["segments"][0]]
        first = torch.from_numpy(mel[None, :, :3000])
        language = model.detect_language(input_features=first)
        plain = model.generate(input_features=first, task="transcribe", language="en", return_timestamps=False,
                               num_beams=1, max_new_tokens=224)[0].tolist()
        plain = [t for t in plain if t < 1200]
        spots = [(b, f) for f in (0, 1, 57, frames // 2, frames - 1, frames) for b in (0, 7, 40, 79)]
        answers[file.stem] = {
            "samples_sha256": hashlib.sha256((sound * 32768).astype("<i2").tobytes()).hexdigest(),
            "frames": frames,
            "segments": segments,
            "text": [tokenizer.decode(s["tokens"], skip_special_tokens=True).strip() for s in segments],
            "first_window_without_times": plain,
            "language": tokenizer.decode(language.tolist()).strip("<|>"),
            "mel": [[b, f, float(mel[b, f])] for b, f in spots if f < mel.shape[1]],
        }
        print(file.stem, len(segments), answers[file.stem]["language"], answers[file.stem]["text"][:2], flush=True)
    (GOLDEN / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main()
