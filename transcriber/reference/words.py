"""Writes when each word of the goldens' sounds begins (tests/golden/words.json): truly, by espeak-ng itself, and as the
references' algorithm places it: OpenAI's rows (those that predict a token), by transformers' own functions, over the
attention of the demo's f32 decoder. With --heads, prints how far off each head is instead.

    target/reference/bin/python transcriber/reference/words.py [--heads]

Needs espeak-ng 1.51 and its library: the sounds are made again, and must be those that are there.
"""

import ctypes, difflib, json, re, sys
from types import SimpleNamespace

import numpy as np
import onnxruntime
import soundfile
import torch
from transformers import GenerationConfig, WhisperFeatureExtractor, WhisperTokenizerFast
from transformers.generation.logits_process import (
    SuppressTokensAtBeginLogitsProcessor, SuppressTokensLogitsProcessor, WhisperTimeStampLogitsProcessor)
from transformers.models.whisper.generation_whisper import WhisperGenerationMixin

import golden
from golden import DEMO, GOLDEN, RATE, features

PREFIX, END, FIRST_TIME, LAYERS, HEADS = [1201, 1202, 1302], 1200, 1307, 2, 4


class Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("message", ctypes.c_uint), ("text", ctypes.c_int), ("length", ctypes.c_int),
                ("milliseconds", ctypes.c_int), ("sample", ctypes.c_int), ("user", ctypes.c_void_p),
                ("id", ctypes.c_char * 8)]


class Speaker:
    """espeak-ng's library, which reports the sample at which a word begins."""

    def __init__(self):
        self.library, self.found = ctypes.CDLL("libespeak-ng.so.1"), []
        self.rate = self.library.espeak_Initialize(2, 0, None, 0)
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(Event))
        self.callback = kind(self.on_events)
        self.library.espeak_SetSynthCallback(self.callback)

    def on_events(self, _samples, _count, events):
        n = 0
        while events[n].type != 0:
            if events[n].type == 1:
                self.found.append((events[n].text - 1, events[n].length, events[n].sample))
            n += 1
        return 0

    def words(self, text, voice, speed):
        self.found.clear()
        self.library.espeak_SetVoiceByName(voice.encode())
        self.library.espeak_SetParameter(1, speed, 0)
        spoken = text.encode() + b"\0"
        self.library.espeak_Synth(spoken, ctypes.c_size_t(len(spoken)), 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        return [(text[at : at + length], sample / self.rate) for at, length, sample in self.found]


def truth():
    """The words of each sound and the seconds at which they begin."""
    speaker, speak, talk = Speaker(), golden.speak, golden.talk
    spoken, talks = [], []

    def listened(text, voice, speed):
        sound = speak(text, voice, speed)
        spoken.append((sound, speaker.words(text, voice, speed)))
        return sound

    def placed(rng, seconds, **options):
        spoken.clear()
        sound = talk(rng, seconds, **options)
        at, words = 0, []
        for part, part_words in spoken:
            # Between two sentences there is nothing but the pause, and the sentences are known to the sample.
            begins = (i for i in range(at, len(sound)) if np.array_equal(sound[i : i + 4000], part[: min(4000, len(sound) - i)]))
            # The last one may be cut off before its first word.
            start = next(begins, len(sound))
            words += [(word, start / RATE + seconds) for word, seconds in part_words]
            at = start + len(part)
        talks.append(words)
        return sound

    golden.speak, golden.talk = listened, placed
    late = {"late": 20.0, "across-30s": 27.5}
    true_words = {}
    for (name, sound), words in zip(golden.sounds().items(), talks):
        there, _ = soundfile.read(GOLDEN / f"{name}.flac", dtype="float32")
        if len(there) != len(sound) or np.abs(np.clip(sound, -1, 1) - there).max() > 1e-4:
            sys.exit(f"{name} comes out otherwise than {name}.flac: another espeak-ng?")
        words = [(word, at + late.get(name, 0)) for word, at in words]
        true_words[name] = [(word, round(at, 3)) for word, at in words if at < len(sound) / RATE]
    return true_words


class Demo:
    """The demo's f32 networks, asked greedily as OpenAI's `transcribe` asks."""

    def __init__(self):
        threads = onnxruntime.SessionOptions()
        threads.intra_op_num_threads = 2
        session = lambda name: onnxruntime.InferenceSession(str(DEMO / "onnx" / name), threads)
        self.encoder, self.decoder = session("encoder_model.onnx"), session("decoder_model_merged.onnx")
        self.tokenizer = WhisperTokenizerFast(tokenizer_file=str(DEMO / "tokenizer.json"))
        config = GenerationConfig.from_pretrained(DEMO)
        self.alignment_heads = config.alignment_heads
        self.rules = [
            SuppressTokensLogitsProcessor(config.suppress_tokens),
            SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, len(PREFIX)),
            WhisperTimeStampLogitsProcessor(config, begin_index=len(PREFIX)),
        ]

    def decode(self, ids, hidden):
        given = {i.name: np.zeros((1, HEADS, 1, 32), np.float32) for i in self.decoder.get_inputs() if i.name.startswith("past")}
        given |= {"input_ids": np.array([ids]), "encoder_hidden_states": hidden, "use_cache_branch": np.array([False])}
        wanted = ["logits", *(f"cross_attentions.{layer}" for layer in range(LAYERS))]
        logits, *attentions = self.decoder.run(wanted, given)
        return torch.from_numpy(logits[0, -1:]), attentions

    def answer(self, mel):
        """The tokens, and the attention behind each of them and of the prefix."""
        hidden = self.encoder.run(None, {"input_features": mel[None]})[0]
        ids = list(PREFIX)
        while True:
            scores, attentions = self.decode(ids, hidden)
            for rule in self.rules:
                scores = rule(torch.tensor([ids]), scores)
            token = int(scores.argmax())
            if token == END or len(ids) == len(PREFIX) + 224:
                return ids[len(PREFIX) :], attentions
            ids.append(token)


def token_times(attentions, frames, heads):
    """The second at which each token of an answer begins. transformers takes the rows of the tokens themselves; those
    that predict them, one earlier, are OpenAI's."""

    class Outputs(dict):
        __getattr__ = dict.__getitem__

    outputs = Outputs(cross_attentions=[[torch.from_numpy(a) for a in attentions]], sequences=torch.zeros(1, 1))
    whisper = SimpleNamespace(config=SimpleNamespace(decoder_layers=LAYERS, median_filter_width=7))
    before = len(PREFIX) - 1
    times = WhisperGenerationMixin._extract_token_timestamps(
        whisper, outputs, heads, num_frames=torch.tensor([frames]), num_input_ids=before)
    return times[0, before:].tolist()


def pieces(tokens, filled):
    """The sentences as (start, end, first token, last token + 1), and the frames that are done with."""
    is_time = [token >= FIRST_TIME for token in tokens]
    frames = lambda n: 2 * (tokens[n] - FIRST_TIME)
    cuts = [n for n in range(1, len(tokens)) if is_time[n] and is_time[n - 1]]
    ends_with_one = len(tokens) >= 2 and is_time[-1] and not is_time[-2]
    if not cuts:
        last = [frames(n) for n in range(len(tokens)) if is_time[n]][-1]
        return [(frames(0), last if last > frames(0) else filled, 0, len(tokens))], filled
    cuts += [len(tokens)] if ends_with_one else []
    sentences = [(frames(a), frames(b - 1), a, b) for a, b in zip([0, *cuts], cuts)]
    return sentences, filled if ends_with_one else sentences[-1][1]


def windows(demo, name, extractor):
    sound, _ = soundfile.read(GOLDEN / f"{name}.flac", dtype="float32")
    mel, frames = features(extractor, sound)
    at, found = 0, []
    while at < frames:
        filled = min(3000, frames - at)
        tokens, attentions = demo.answer(mel[:, at : at + 3000])
        sentences, used = pieces(tokens, filled)
        found.append((at, filled, tokens, attentions, sentences))
        at += min(max(2, used), max(2, filled))
    return found


def sentences(demo, found, heads):
    """Each sentence's words with their starts; they lie within it, and the first one begins it. Without heads, by their share
    of its characters."""
    for at, filled, tokens, attentions, pieces_there in found:
        times = token_times(attentions, filled, heads) if heads else []
        for start, end, first, behind in pieces_there:
            words = []
            for n in range(first, behind):
                text = demo.tokenizer.decode([tokens[n]]) if tokens[n] < END else ""
                if words and not text.startswith(" "):
                    words[-1][0] += text
                elif text.strip():
                    words.append([text.strip(), n])
            if start >= end or not words:
                continue
            total, passed = sum(len(word) + 1 for word, _ in words), 0
            for count, (word, n) in enumerate(words):
                share = start / 100 + (end - start) / 100 * passed / total
                words[count][1] = min(max(times[n], start / 100), end / 100) if heads and count else share
                passed += len(word) + 1
            yield [[word, round(at / 100 + begins, 3)] for word, begins in words]


def off(demo, all_windows, true_words, heads):
    """How far off the words begin, those that were recognized rightly."""
    bare, offs = lambda words: [(re.sub(r"\W", "", word).lower(), at) for word, at in words], []
    for name, found in all_windows.items():
        true, recognized = bare(true_words[name]), bare(word for words in sentences(demo, found, heads) for word in words)
        same = difflib.SequenceMatcher(None, [w for w, _ in true], [w for w, _ in recognized], autojunk=False)
        for block in same.get_matching_blocks():
            offs += [recognized[block.b + n][1] - true[block.a + n][1] for n in range(block.size)]
    far = np.abs(offs)
    return f"{len(offs)} words: median {np.median(far):.3f} s, mean {far.mean():.3f} s, 95 % {np.percentile(far, 95):.3f} s"


def main():
    demo, extractor, true_words = Demo(), WhisperFeatureExtractor.from_pretrained(DEMO), truth()
    all_windows = {name: windows(demo, name, extractor) for name in true_words}
    print("by characters", off(demo, all_windows, true_words, None))
    print(demo.alignment_heads, off(demo, all_windows, true_words, demo.alignment_heads), flush=True)
    if "--heads" in sys.argv:
        for head in ([layer, head] for layer in range(LAYERS) for head in range(HEADS)):
            print(head, off(demo, all_windows, true_words, [head]), flush=True)
        return
    placed = {name: list(sentences(demo, found, demo.alignment_heads)) for name, found in all_windows.items()}
    words = {name: {"truth": true_words[name], "reference": placed[name]} for name in true_words}
    lines = [f'"{name}": {json.dumps(entry)}' for name, entry in words.items()]
    (GOLDEN / "words.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
