// The cues in the media element, where a correction has to reach them: what was loaded is not loaded
// again.

/** A cue by its name: changed, new when the name is not there yet, gone when `cue` is null. */
export interface CueChange {
  name: string;
  cue: { start: number; end: number; text: string } | null;
}

/** Makes the change in the captions that are shown. */
export function correct(media: HTMLVideoElement, { name, cue }: CueChange): void {
  const shown = [...media.textTracks].find((it) => it.mode === "showing");
  if (shown === undefined) return;
  const stale = cuesNamed(shown, name);
  for (const it of stale) shown.removeCue(it);
  if (cue === null) return;
  const fresh = new VTTCue(cue.start, cue.end, escaped(cue.text));
  // Under the old name: hls.js knows by it that the cue is there already.
  fresh.id = stale[0]?.id ?? name;
  shown.addCue(fresh);
}

// hls.js puts the number of the discontinuity before a cue's own name.
function cuesNamed(track: TextTrack, name: string): TextTrackCue[] {
  return [...(track.cues ?? [])].filter((it) => it.id === name || it.id.endsWith(`_${name}`));
}

/** Returns the text as WebVTT writes it: what looks like markup is words. */
export function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
