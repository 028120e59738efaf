"""Clips, made by ffmpeg as the proofs run: moving bars, and a speech in words that the demo model knows."""

from node.command import output
from node.folder import ROOT

RATE = 25
_SPEECH = ROOT / "clipcut/demo/speech.ogg"


def make(path, seconds):
    """Makes a clip of this length."""
    argv = ["nice", "-n", "10", "ffmpeg", "-v", "error", "-nostdin", "-y"]
    argv += ["-f", "lavfi", "-i", f"testsrc2=s=640x360:r={RATE}:d={seconds}", "-stream_loop", "-1", "-i", str(_SPEECH)]
    argv += ["-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-g", "50", "-pix_fmt", "yuv420p"]
    output([*argv, "-c:a", "aac", "-b:a", "64k", str(path)])
    return path


def count_frames(path):
    """Returns the number of pictures of a file that decode."""
    argv = ["ffprobe", "-v", "error", "-count_frames", "-select_streams", "v:0", "-show_entries", "stream=nb_read_frames"]
    return int(output([*argv, "-of", "csv=p=0", str(path)]).strip().strip(","))
