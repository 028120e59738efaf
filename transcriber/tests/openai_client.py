"""Asks for every format through OpenAI's own client. Usage: openai_client.py URL SOUND WORDS"""

import sys
from pathlib import Path

from openai import BadRequestError, NotFoundError, OpenAI

url, sound, words = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
client = OpenAI(base_url=url, api_key="none", max_retries=0, timeout=60)


def ask(form, **more):
    return client.audio.transcriptions.create(file=sound, model="whisper-1", response_format=form, **more)


assert ask("json").text == words
print("json", end=" ")
assert ask("text").strip() == words
print("text", end=" ")
assert "-->" in ask("srt") and ask("srt").startswith("1\n")
print("srt", end=" ")
assert ask("vtt").startswith("WEBVTT")
print("vtt", end=" ")
answer = ask("verbose_json", language="en", prompt="Hello.", temperature=0, timestamp_granularities=["word", "segment"])
assert answer.language == "english" and answer.duration > 5, answer
assert len(answer.words) == len(answer.text.split()) and answer.segments[0].end > answer.segments[0].start, answer
print("verbose_json", end=" ")
# The demo model was never taught to translate: it may find no text that it is sure of.
assert isinstance(client.audio.translations.create(file=sound, model="demo").text, str)
print("translation", end=" ")
assert [model.id for model in client.models.list()] == ["demo"] and client.models.retrieve("demo").id == "demo"
print("models", end=" ")
for wrong, error, parameter in [({"language": "xx"}, BadRequestError, "language"), ({"model": "gpt-5"}, NotFoundError, "model")]:
    try:
        client.audio.transcriptions.create(**{"file": sound, "model": "demo", **wrong})
    except error as refused:
        assert refused.param == parameter, refused
    else:
        raise AssertionError(wrong)
print("errors")
