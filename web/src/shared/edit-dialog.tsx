// The title, the description and the tags of a video, and where there are accounts, who may watch it, to be edited.

import { type FormEvent, type ReactNode, useState } from "react";
import type { Video, Visibility } from "../api/document.ts";
import { type Problem, sentence } from "../api/request.ts";
import { editVideo, showVideo } from "../api/videos.ts";
import styles from "./dialog.module.css";
import { Dialog } from "./dialog.tsx";
import { ErrorText } from "./error-text.tsx";
import { PosterSection } from "./poster-section.tsx";
import { useSession } from "./session.ts";
import { readTags, writeTags } from "./tags.ts";
import { VISIBILITY } from "./visibility.ts";

interface EditDialogProps {
  video: Video;
  onClose: () => void;
  onSaved: (video: Video) => void;
  /** The part below the form. */
  children?: ReactNode;
}

export function EditDialog({ video, onClose, onSaved, children }: EditDialogProps) {
  const accounts = useSession().state === "on";
  const [title, setTitle] = useState(video.title);
  const [description, setDescription] = useState(video.description);
  const [tags, setTags] = useState(writeTags(video.tags));
  const [visibility, setVisibility] = useState(video.visibility);
  const [saving, setSaving] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  // Of the document that the fields began with: later ones come by events while somebody types.
  const [revision, setRevision] = useState(video.revision);
  const [theirs, setTheirs] = useState<Video | null>(null);

  const save = async (event: FormEvent) => {
    event.preventDefault();
    setSaving(true);
    const edit = {
      title: title.trim(),
      description,
      tags: readTags(tags),
      ...(accounts && { visibility }),
    };
    const outcome = await editVideo(video.id, edit, revision);
    if (outcome.state === "failed") {
      if (outcome.problem.status === 412) await meetTheirs();
      else setProblem(outcome.problem);
      setSaving(false);
      return;
    }
    setSaving(false);
    onSaved(outcome.value);
    onClose();
  };

  // Somebody else was faster: what they wrote is shown beside what was typed here, and saving again is a decision.
  const meetTheirs = async () => {
    const outcome = await showVideo(video.id);
    if (outcome.state === "failed") {
      setProblem(outcome.problem);
      return;
    }
    setProblem(null);
    setTheirs(outcome.value);
    setRevision(outcome.value.revision);
  };

  return (
    <Dialog title="Edit video" onClose={onClose}>
      <form onSubmit={save}>
        <label className="field">
          Title
          <input
            required
            dir="auto"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
        <label className="field">
          Description
          <textarea
            dir="auto"
            rows={5}
            value={description}
            onChange={(event) => setDescription(event.target.value)}
          />
        </label>
        <label className="field">
          Tags, with commas between
          <input dir="auto" value={tags} onChange={(event) => setTags(event.target.value)} />
        </label>
        {accounts && <VisibilityChoice chosen={visibility} onChoose={setVisibility} />}
        {theirs !== null && <Theirs video={theirs} />}
        <ErrorText text={problem === null ? "" : sentence(problem)} />
        <div className="actions">
          <button type="button" className="button quiet" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button" disabled={saving}>
            Save
          </button>
        </div>
      </form>
      {hasPlan(video) && <PosterSection video={video} />}
      {children}
    </Dialog>
  );
}

/** Returns whether a poster can be made of it. */
function hasPlan({ state }: Video): boolean {
  return state === "planned" || state === "playable" || state === "ready";
}

/** The changes that somebody else has saved meanwhile. */
function Theirs({ video }: { video: Video }) {
  return (
    <div role="alert">
      <p>
        Somebody has edited this video meanwhile. Save again to put yours in place of theirs, or
        take over what you want to keep:
      </p>
      <dl className={styles.theirs}>
        <dt>Title</dt>
        <dd dir="auto">{video.title}</dd>
        <dt>Description</dt>
        <dd dir="auto">{video.description}</dd>
        <dt>Tags</dt>
        <dd dir="auto">{writeTags(video.tags)}</dd>
        <dt>Who may watch it</dt>
        <dd>{VISIBILITY[video.visibility].name}</dd>
      </dl>
    </div>
  );
}

interface VisibilityChoiceProps {
  chosen: Visibility;
  onChoose: (visibility: Visibility) => void;
}

function VisibilityChoice({ chosen, onChoose }: VisibilityChoiceProps) {
  return (
    <fieldset className={styles.choice}>
      <legend>Who may watch it</legend>
      {(Object.keys(VISIBILITY) as Visibility[]).map((it) => (
        <label key={it}>
          <input
            type="radio"
            name="visibility"
            checked={it === chosen}
            onChange={() => onChoose(it)}
          />
          {VISIBILITY[it].name}
          <span>{VISIBILITY[it].meaning}</span>
        </label>
      ))}
    </fieldset>
  );
}
