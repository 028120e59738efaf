"""Asks the reference about the truth test's ten minutes, and prints the share of words that it gets wrong, for
tests/golden/truth.json. The sound and its sentences are written by

    cargo run --package transcriber --example talk -- 7 600 FOLDER

Usage: truth.py FOLDER
"""

import json
import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from optimum.onnxruntime import ORTModelForSpeechSeq2Seq
from transformers import WhisperFeatureExtractor, WhisperTokenizerFast

from golden import DEMO, Silence, features


def words(text):
    return [word for word in (re.sub(r"[^\w]", "", word).lower() for word in text.split()) if word]


def errors(spoken, recognized):
    row = list(range(len(recognized) + 1))
    for n, word in enumerate(spoken):
        diagonal, row[0] = row[0], n + 1
        for m, other in enumerate(recognized):
            diagonal, row[m + 1] = row[m + 1], min(diagonal + (word != other), row[m + 1] + 1, row[m] + 1)
    return row[-1]


def demo(suffix):
    """The demo model with one pair of its networks; optimum knows them only by their plain names."""
    with tempfile.TemporaryDirectory() as folder:
        for file in DEMO.glob("*.json"):
            shutil.copy(file, folder)
        for name in ("encoder_model", "decoder_model_merged"):
            shutil.copy(DEMO / "onnx" / f"{name}{suffix}.onnx", f"{folder}/{name}.onnx")
        return ORTModelForSpeechSeq2Seq.from_pretrained(folder, use_cache=True, use_merged=True)


def main():
    folder = Path(sys.argv[1])
    sound = np.clip(np.fromfile(folder / "talk.f32", dtype="<f4"), -1, 1)
    spoken = [word for _, text in json.loads((folder / "talk.json").read_text()) for word in words(text)]
    extractor = WhisperFeatureExtractor.from_pretrained(DEMO)
    tokenizer = WhisperTokenizerFast(tokenizer_file=str(DEMO / "tokenizer.json"))
    mel, frames = features(extractor, sound)
    taken = torch.from_numpy(mel[None, :, : frames + 3000])
    for suffix in ("", "_quantized"):
        model = demo(suffix)
        with Silence(model, frames):
            result = model.generate(input_features=taken, task="transcribe", language="en", return_timestamps=True,
                                  return_segments=True, temperature=0.0, num_beams=1, condition_on_prev_tokens=False,
                                  max_new_tokens=224)
        recognized = [word for segment in result["segments"][0]
                 for word in words(tokenizer.decode(segment["tokens"], skip_special_tokens=True))]
        wrong = errors(spoken, recognized)
        print(f"{suffix or 'f32'}: {wrong} of {len(spoken)} words wrong, {wrong / len(spoken) * 100:.2f} %", flush=True)


if __name__ == "__main__":
    main()
