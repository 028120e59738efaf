"""Compares the engine's tokens with transformers' on a model of whisper-tiny's geometry with random weights and the real
multilingual tokenizer, f32, greedy, without times: the first window of every sound in tests/golden.

Usage: parity.py FOLDER WINDOWS_PROGRAM. FOLDER is what tiny.py wrote. Prints a table in Markdown; fails at a difference.
"""

import json
import subprocess
import sys
from pathlib import Path

import soundfile
import torch
from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration

from golden import GOLDEN, features


def main():
    folder, program = Path(sys.argv[1]), sys.argv[2]
    extractor = WhisperFeatureExtractor.from_pretrained(folder / "hf")
    model = WhisperForConditionalGeneration.from_pretrained(folder / "hf").eval()
    ours = subprocess.Popen([program, folder / "whisper-tiny-random", "f32", "2", "1"], text=True,
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    # Asked to write no times, Whisper writes none; random weights would. The engine forbids them then, transformers does not.
    no_times = model.generation_config.no_timestamps_token_id
    forbidden = list(range(no_times, model.config.vocab_size))
    wrong = 0
    print("| sound | tokens | different ones among them | equal |\n| --- | --- | --- | --- |")
    for file in sorted(GOLDEN.glob("*.flac")):
        sound, _ = soundfile.read(file, dtype="float32")
        mel, _ = features(extractor, sound)
        theirs = model.generate(input_features=torch.from_numpy(mel[None, :, :3000]), language="en", task="transcribe",
                                return_timestamps=False, num_beams=1, suppress_tokens=forbidden)[0].tolist()
        theirs = [token for token in theirs if token < model.config.eos_token_id]
        print(file.resolve(), file=ours.stdin, flush=True)
        answer = json.loads(ours.stdout.readline())["windows"][0]
        answer = [token for token in answer if token < model.config.eos_token_id]
        equal = sum(a == b for a, b in zip(answer, theirs))
        wrong += answer != theirs
        print(f"| {file.stem} | {len(theirs)} | {len(set(theirs))} | {equal} of {max(len(answer), len(theirs))} |", flush=True)
    sys.exit(f"{wrong} sounds differ" if wrong else 0)


if __name__ == "__main__":
    main()
