// The page of one video: the player or what it waits for, and what is known about it.

import { useEffect, useState } from "react";
import type { Captions } from "../../api/caption-document.ts";
import type { Video } from "../../api/document.ts";
import { Driver } from "../../player/driver.ts";
import { prefetchEngine } from "../../player/engine-chunk.ts";
import { Player } from "../../player/player.tsx";
import { DeleteDialog } from "../../shared/delete-dialog.tsx";
import { EditDialog } from "../../shared/edit-dialog.tsx";
import { age, clock, viewCount } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Link, navigate } from "../../shared/navigation.tsx";
import { usePageTitle } from "../../shared/page-title.ts";
import { encodedParts, playback, progress } from "../../shared/progress.ts";
import { ProgressBar } from "../../shared/progress-bar.tsx";
import { RenditionList } from "../../shared/rendition-list.tsx";
import { LIBRARY, tagPath } from "../../shared/route.ts";
import { useSession } from "../../shared/session.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { VISIBILITY } from "../../shared/visibility.ts";
import { captionLabel, isUnderWay } from "./caption-words.ts";
import { CaptionsDialog } from "./captions-dialog.tsx";
import { FrameButton } from "./frame-button.tsx";
import { Notes } from "./notes.tsx";
import { PlayElsewhere } from "./play-elsewhere.tsx";
import { ShareLinks } from "./share-links.tsx";
import { SharedPeople } from "./shared-people.tsx";
import { Stage } from "./stage.tsx";
import { stagePoster } from "./stage-poster.ts";
import { Transcript } from "./transcript.tsx";
import { useVideo } from "./use-video.ts";
import { useView } from "./use-view.ts";
import styles from "./watch.module.css";

// As soon as this page's code is there: the video's document is still on its way then.
prefetchEngine();

interface WatchProps {
  id: string;
  /** The moment to begin at, in seconds. */
  from: number;
}

export function Watch({ id, from }: WatchProps) {
  const { video, deleted, refresh, look, replace } = useVideo(id);
  const title = video.state === "ready" ? video.value.title : null;

  usePageTitle(title);

  if (video.state === "loading")
    return <div className={styles.placeholder} role="status" aria-label="Loading" />;
  const missing = video.state === "failed" && video.problem.status === 404;
  if (deleted || missing) return <Gone />;
  if (video.state === "failed") return <Trouble problem={video.problem} onRetry={refresh} />;
  return <Screen key={id} video={video.value} from={from} onLook={look} onReplace={replace} />;
}

interface ScreenProps {
  video: Video;
  from: number;
  onLook: () => void;
  onReplace: (video: Video) => void;
}

function Screen({ video, from, onLook, onReplace }: ScreenProps) {
  const [driver] = useState(() => new Driver());
  const [dialog, setDialog] = useState<"edit" | "delete" | "captions" | null>(null);
  const accounts = useSession().state === "on";
  const addresses = playback(video);
  const source = useFirst(
    addresses && {
      url: addresses.hls,
      ladder: ladderOf(video, addresses),
      poster: stagePoster(video),
    },
  );
  const url = addresses?.hls ?? null;
  useEffect(() => {
    if (url !== null) driver.renew(url);
  }, [driver, url]);
  useView(video.id, driver);
  const { captions } = video;
  const ownLanguage = video.renditions.find((it) => it.kind === "audio")?.language ?? null;

  useEffect(() => {
    const listed = captions.filter((it) => it.listed && it.name !== null);
    const known = listed.map((it) => ({
      id: it.name ?? "",
      label: captionLabel(it),
      language: it.language ?? "",
      forced: it.forced,
    }));
    driver.setKnownTextTracks(known, ownLanguage);
  }, [driver, captions, ownLanguage]);

  const { state, renditions } = video;
  useEffect(() => {
    const listed = renditions.filter((it) => it.listed).map((it) => it.name);
    driver.setListed(state === "ready" ? null : listed);
  }, [driver, state, renditions]);

  return (
    <article className={styles.page} data-wide={addresses !== null}>
      {addresses === null || source === null ? (
        <Stage video={video} onRetried={onReplace} />
      ) : (
        <div className={styles.theatre} data-words={hasWords(captions)}>
          <Player
            driver={driver}
            url={source.url}
            ladder={source.ladder}
            poster={source.poster}
            autoplay
            from={within(from, video.durationSeconds)}
            title={video.title}
            durationSeconds={video.durationSeconds}
            encoded={encodedParts(video)}
          />
          <div className={styles.beside}>
            <Transcript
              video={video.id}
              tracks={captions}
              durationSeconds={video.durationSeconds}
              driver={driver}
              mayEdit={video.mayEdit}
              onManage={() => setDialog("captions")}
            />
          </div>
        </div>
      )}
      <header className={styles.head}>
        <div>
          <h1 dir="auto">{video.title}</h1>
          <p className={styles.meta}>
            {video.owner !== null && <bdi>{video.owner.name}</bdi>}
            {video.owner !== null && " · "}
            {facts(video)}
          </p>
          {video.tags.length > 0 && (
            <ul className={styles.tags} aria-label="Tags">
              {video.tags.map((it) => (
                <li key={it}>
                  <Link to={tagPath(it)} dir="auto">
                    {it}
                  </Link>
                </li>
              ))}
            </ul>
          )}
        </div>
        {video.mayEdit && (
          <div className={styles.tools}>
            <button type="button" className="button quiet small" onClick={() => setDialog("edit")}>
              <Icon name="edit" size={18} /> Edit
            </button>
            <button
              type="button"
              className="button quiet small"
              onClick={() => setDialog("delete")}
            >
              <Icon name="trash" size={18} /> Delete
            </button>
            {addresses !== null && hasPicture(video) && (
              <FrameButton video={video} driver={driver} />
            )}
          </div>
        )}
      </header>
      <div className={styles.columns}>
        {(video.description !== "" || video.notes.length > 0) && (
          <div>
            {video.description !== "" && (
              <p className={styles.description} dir="auto">
                {video.description}
              </p>
            )}
            <Notes notes={video.notes} />
          </div>
        )}
        {addresses !== null && <PlayElsewhere playback={addresses} />}
      </div>
      {/* Last, so that nothing moves when the encode has ended and it goes. */}
      <Work video={video} />
      {dialog === "edit" && (
        <EditDialog video={video} onClose={() => setDialog(null)} onSaved={onReplace}>
          {accounts && <SharedPeople video={video.id} />}
          {accounts && <ShareLinks video={video.id} />}
        </EditDialog>
      )}
      {dialog === "delete" && (
        <DeleteDialog
          video={video}
          onClose={() => setDialog(null)}
          onDeleted={() => navigate(LIBRARY)}
        />
      )}
      {dialog === "captions" && (
        <CaptionsDialog
          video={video.id}
          tracks={captions}
          durationSeconds={video.durationSeconds}
          onClose={() => setDialog(null)}
          onChanged={onLook}
        />
      )}
    </article>
  );
}

// An address may get a new ticket, and a poster may come late: neither is a reason to begin again.
function useFirst<T>(value: T | null): T | null {
  const [first, setFirst] = useState(value);
  if (first === null && value !== null) setFirst(value);
  return first ?? value;
}

/** Returns the moment, or one before the video's end when it lies behind that. */
function within(seconds: number, durationSeconds: number | null): number {
  return Math.min(seconds, Math.max(0, (durationSeconds ?? Number.POSITIVE_INFINITY) - 1));
}

function Work({ video }: { video: Video }) {
  const work = progress(video);
  // Before there is a player, the stage itself shows the progress.
  if (work === null || playback(video) === null) return null;
  return (
    <section className={styles.work} aria-label="Encoding">
      <p className={styles.meta}>{work.label}</p>
      <ProgressBar label={work.label} fraction={work.fraction} />
      <RenditionList renditions={video.renditions} />
    </section>
  );
}

function Gone() {
  return (
    <div className={styles.gone}>
      <Icon name="film" size={48} />
      <h1>This video is not here</h1>
      <p>It may have been deleted, or the address is mistyped.</p>
      <Link to={LIBRARY} className="button">
        To the library
      </Link>
    </div>
  );
}

/** Returns whether there are words to read, or will be; without, the transcript is a line below the player. */
function hasWords(captions: Captions[]): boolean {
  return captions.some((it) => it.listed || isUnderWay(it));
}

function hasPicture({ renditions }: Video): boolean {
  return renditions.some((it) => it.kind === "video");
}

/** Returns the playlist with all renditions: once all are encoded it is that of every player. */
function ladderOf({ state }: Video, { hls, ladder }: NonNullable<Video["playback"]>): string {
  return state === "ready" ? hls : ladder;
}

function facts({ durationSeconds, createdAt, renditions, visibility, views }: Video): string {
  const best = renditions.find((it) => it.kind === "video");
  const parts = [
    durationSeconds === null ? "" : clock(durationSeconds),
    age(createdAt, Date.now()),
    viewCount(views),
    best?.frameRate ? `${Number(best.frameRate.toFixed(2))} frames per second` : "",
    visibility === "public" ? "" : VISIBILITY[visibility].name,
  ];
  return parts.filter((it) => it !== "").join(" · ");
}
