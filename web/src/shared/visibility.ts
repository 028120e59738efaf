// The people who may watch a video, in words.

import type { Visibility } from "../api/document.ts";

export const VISIBILITY: Record<Visibility, { name: string; meaning: string }> = {
  public: { name: "Public", meaning: "Everybody may watch it, and the library shows it." },
  unlisted: { name: "Unlisted", meaning: "Everybody who has its address may watch it." },
  private: {
    name: "Private",
    meaning: "Only you, and the people whom you share it with, by name or by link.",
  },
};
