// The results of a search: videos, each with the moments in which the words are said.

import { type ReactNode, useEffect } from "react";
import { sentence } from "../../api/request.ts";
import type { Found } from "../../api/search.ts";
import { clock } from "../../shared/format.ts";
import { Icon } from "../../shared/icons.tsx";
import { Message } from "../../shared/message.tsx";
import { Link } from "../../shared/navigation.tsx";
import { watchPath } from "../../shared/route.ts";
import { Trouble } from "../../shared/trouble.tsx";
import { parts } from "./marks.ts";
import styles from "./search.module.css";
import { useSearch } from "./use-search.ts";

export function SearchPage({ words }: { words: string }) {
  const { results, loading, problem, refresh, more } = useSearch(words);

  useEffect(() => {
    document.title = words === "" ? "Search · Clip Cut" : `${words} · Clip Cut`;
    return () => {
      document.title = "Clip Cut";
    };
  }, [words]);

  if (words.trim() === "")
    return (
      <Nothing title="Search" hint="Type a word of a title, or one that is said in a video." />
    );
  if (results === null && problem !== null) return <Trouble problem={problem} onRetry={refresh} />;
  if (results === null)
    return <div className={styles.waiting} role="status" aria-label="Searching" />;
  if (results.found.length === 0)
    return (
      <Nothing
        title={
          <>
            Nothing found for “<bdi>{words}</bdi>”
          </>
        }
        hint="Titles, descriptions and captions have no such words. Try fewer of them, or another spelling."
      />
    );
  return (
    <>
      <h1 className={styles.heading}>
        Results for “<bdi>{words}</bdi>”
      </h1>
      <ul className={styles.results} aria-label="Results">
        {results.found.map((found) => (
          <Result key={found.video.id} found={found} words={words} />
        ))}
      </ul>
      {problem !== null && (
        <p className="error-text" role="alert">
          <Message text={sentence(problem)} />
        </p>
      )}
      {results.next !== null && (
        <p className={styles.below}>
          <button type="button" className="button quiet" disabled={loading} onClick={more}>
            {loading ? "Loading…" : "More results"}
          </button>
        </p>
      )}
    </>
  );
}

function Result({ found, words }: { found: Found; words: string }) {
  const { video, hits, hitsTotal } = found;
  const rest = hitsTotal - hits.length;
  return (
    <li className={styles.result}>
      <Link to={watchPath(video.id)} className={styles.picture} tabIndex={-1} aria-hidden="true">
        {video.posterSmall === null ? (
          <Icon name="film" size={32} />
        ) : (
          <img src={video.posterSmall} alt="" loading="lazy" decoding="async" />
        )}
        {video.durationSeconds !== null && (
          <span className={styles.duration}>{clock(video.durationSeconds)}</span>
        )}
      </Link>
      <div className={styles.text}>
        <h2 className={styles.title}>
          <Link to={watchPath(video.id)} dir="auto">
            <Marked text={video.title} words={words} />
          </Link>
        </h2>
        {video.description !== "" && (
          <p className={styles.description} dir="auto">
            <Marked text={video.description} words={words} />
          </p>
        )}
        {hits.length > 0 && (
          <ul className={styles.hits} aria-label={`Said in ${video.title}`}>
            {hits.map((hit) => (
              <li key={`${hit.language} ${hit.startSeconds}`}>
                <Link to={watchPath(video.id, hit.startSeconds)}>
                  <span className={styles.time}>{clock(hit.startSeconds)}</span>
                  <q dir="auto" lang={hit.language ?? undefined}>
                    <Marked text={hit.text} words={words} />
                  </q>
                </Link>
              </li>
            ))}
          </ul>
        )}
        {rest > 0 && (
          <p className={styles.rest}>
            {rest} more {rest === 1 ? "moment" : "moments"}
          </p>
        )}
      </div>
    </li>
  );
}

function Marked({ text, words }: { text: string; words: string }) {
  return parts(text, words).map((part) =>
    part.marked ? <mark key={part.at}>{part.text}</mark> : part.text,
  );
}

function Nothing({ title, hint }: { title: ReactNode; hint: string }) {
  return (
    <div className={styles.nothing} role="status">
      <Icon name="search" size={40} />
      <h1>{title}</h1>
      <p>{hint}</p>
    </div>
  );
}
