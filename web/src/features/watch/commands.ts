// The lines to copy for other players.

interface Line {
  name: string;
  text: string;
}

/** Returns each way to play the video; the paths are absolute on `origin`. */
export function commands(playback: { hls: string; dash: string }, origin: string): Line[] {
  const hls = new URL(playback.hls, origin).href;
  const dash = new URL(playback.dash, origin).href;
  return [
    { name: "HLS", text: hls },
    { name: "DASH", text: dash },
    { name: "VLC", text: `vlc '${hls}'` },
    { name: "ffplay", text: `ffplay '${hls}'` },
    { name: "curl", text: `curl --compressed '${hls}'` },
  ];
}
