"""The first proof: an upload through the edges plays while it is encoded, whole, and gets captions."""

from node.failure import Failure
from node.report import say
from proofs import clip, media
from proofs.api import Api
from proofs.upload import Upload

SECONDS = 60


def prove(cluster):
    """Uploads, plays, and reads the captions."""
    api = Api(cluster.url, cluster.token)
    source = clip.make(cluster.folder / "clip.mp4", SECONDS)
    upload = Upload(cluster, source)
    video = upload.id()
    say(f"uploaded {video}")
    master = api.wait_until(video, "planned", lambda it: it["playback"], 60)["playback"]["hls"]
    states = []
    playlist = media.renditions(api, master)[0]
    file = cluster.folder / "played.mp4"
    count = media.fetch(api, playlist, file, seen=lambda: states.append(api.video(video)["state"]))
    frames = clip.count_frames(file)
    if frames != SECONDS * clip.RATE:
        raise Failure(f"{frames} pictures were played of {SECONDS * clip.RATE}")
    if states == ["ready"]:
        raise Failure("the first segment came when all was encoded")
    say(f"{frames} pictures in {count} segments; the first came while the video was {states[0]}")
    upload.wait()
    document = api.wait_until(video, "captions", lambda it: captions(it), 180)
    words = api.bytes(captions(document)).decode().split()
    if len(words) < 40:
        raise Failure(f"the captions have {len(words)} words: {' '.join(words)}")
    say(f"captions: {len(words)} words")
    cluster.video = video


def captions(document):
    """Returns the path of the words that the machine wrote, once they are written."""
    return next((track["files"]["txt"] for track in document["captions"] if track["state"] == "done"), None)
