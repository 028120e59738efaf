// The frame around every page, and the one place that knows all features.

import { lazy, type ReactNode, Suspense, useCallback, useEffect, useState } from "react";
import { type Problem, UNREACHABLE } from "../api/request.ts";
import { Library } from "../features/library/library.tsx";
import { SearchField } from "../features/search/search-field.tsx";
import { SearchPage } from "../features/search/search-page.tsx";
import { DropZone } from "../features/upload/drop-zone.tsx";
import { FileButton } from "../features/upload/file-button.tsx";
import { UploadQueue } from "../features/upload/queue.ts";
import { UploadPanel } from "../features/upload/upload-panel.tsx";
import { Link, replacePage, usePath, useQuery } from "../shared/navigation.tsx";
import {
  decodeRoute,
  keyOf,
  LIBRARY,
  mailKeyOf,
  nextPath,
  type Route,
  signInPath,
  sortOf,
  startOf,
  tagOf,
  wordsOf,
} from "../shared/route.ts";
import {
  personOf,
  type SessionState,
  session,
  useSession,
  useSignInWanted,
} from "../shared/session.ts";
import { Trouble } from "../shared/trouble.tsx";
import { AccountMenu } from "./account-menu.tsx";
import styles from "./app.module.css";
import { ConnectionNotice } from "./connection-notice.tsx";
import { gateOf } from "./gate.ts";
import { Logo } from "./logo.tsx";

// The library plays nothing: the player and its page are a chunk of their own. A chunk that cannot be had, for the
// server is gone or has a newer page, must not leave an empty window.
export const loadWatch = () =>
  import("../features/watch/watch.tsx").then((it) => ({ default: it.Watch }), unloaded);

const Watch = lazy(loadWatch);

// Without accounts nobody needs these.
const SignIn = lazy(() =>
  import("../features/account/sign-in.tsx").then((it) => ({ default: it.SignIn }), unloaded),
);
const SignInDialog = lazy(() =>
  import("../features/account/sign-in.tsx").then((it) => ({ default: it.SignInDialog }), unloaded),
);
const SignUp = lazy(() =>
  import("../features/account/sign-up.tsx").then((it) => ({ default: it.SignUp }), unloaded),
);
const AskToSignUp = lazy(() =>
  import("../features/account/sign-up.tsx").then((it) => ({ default: it.AskToSignUp }), unloaded),
);
const SignUpByProvider = lazy(() =>
  import("../features/account/sign-up.tsx").then(
    (it) => ({ default: it.SignUpByProvider }),
    unloaded,
  ),
);
const SignUpClosed = lazy(() =>
  import("../features/account/sign-up.tsx").then((it) => ({ default: it.SignUpClosed }), unloaded),
);
const Forgotten = lazy(() =>
  import("../features/account/forgotten.tsx").then((it) => ({ default: it.Forgotten }), unloaded),
);
const NewAddress = lazy(() =>
  import("../features/account/new-address.tsx").then(
    (it) => ({ default: it.NewAddress }),
    unloaded,
  ),
);
const Account = lazy(() =>
  import("../features/account/account.tsx").then((it) => ({ default: it.Account }), unloaded),
);
const People = lazy(() =>
  import("../features/people/people.tsx").then((it) => ({ default: it.People }), unloaded),
);

const Jobs = lazy(() =>
  import("../features/jobs/jobs.tsx").then((it) => ({ default: it.Jobs }), unloaded),
);

const unloaded = () => ({ default: Unloaded });

const UNLOADED: Problem = {
  ...UNREACHABLE,
  detail:
    "The server did not send this part of the page. It does not answer, or has a newer page: load this one again.",
};

function Unloaded() {
  return <Trouble problem={UNLOADED} onRetry={() => window.location.reload()} />;
}

export function App() {
  const path = usePath();
  const query = useQuery();
  const route = decodeRoute(path);
  const state = useSession();
  const wanted = useSignInWanted();
  const user = personOf(state);
  const [queue] = useState(() => new UploadQueue(session.renew));
  const upload = useCallback((files: File[]) => queue.add(files), [queue]);

  // A stranger who goes elsewhere does not sign in: what waits for that fails.
  // biome-ignore lint/correctness/useExhaustiveDependencies: another page is why to dismiss it
  useEffect(() => session.dismiss, [path]);

  return (
    <>
      <a className={styles.skip} href="#content">
        Skip to the content
      </a>
      <header className={styles.header}>
        <Link to={LIBRARY} className={styles.home} aria-label="Clip Cut, to the library">
          <Logo />
        </Link>
        <SearchField words={route.page === "search" ? wordsOf(query) : ""} />
        <div className={styles.actions}>
          <Actions state={state} route={route} onFiles={upload} />
        </div>
      </header>
      <main id="content" className={styles.main} tabIndex={-1}>
        <Suspense fallback={<Loading />}>
          {/* A page shows what its person may see: another one's is another page. */}
          <Page
            key={user?.id ?? ""}
            route={route}
            query={query}
            state={state}
            wanted={wanted}
            onFiles={upload}
          />
        </Suspense>
      </main>
      <ConnectionNotice />
      <UploadPanel queue={queue} folded={route.page === "watch"} />
      <DropZone onFiles={upload} />
      {wanted && user !== null && (
        <Suspense>
          <SignInDialog email={user.email} />
        </Suspense>
      )}
    </>
  );
}

interface ActionsProps {
  state: SessionState;
  route: Route;
  onFiles: (files: File[]) => void;
}

function Actions({ state, route, onFiles }: ActionsProps) {
  const button = (
    <FileButton onFiles={onFiles}>
      <span className={styles.word}>Upload</span>
    </FileButton>
  );
  // Its place is kept until it is known who looks at the page: a button that comes moves the search beside it, and
  // one that goes would be pressed by some.
  if (state.state === "loading") return <div className={styles.kept}>{button}</div>;
  if (state.state !== "on") return button;
  if (state.user !== null) {
    return (
      <>
        {button}
        <AccountMenu user={state.user} />
      </>
    );
  }
  if (state.firstAccount || route.page === "sign-in") return null;
  const here = window.location.pathname + window.location.search;
  return (
    <Link to={signInPath(here)} className="button quiet">
      Sign in
    </Link>
  );
}

interface PageProps {
  route: Route;
  query: string;
  state: SessionState;
  /** A request of this page waits for a sign-in. */
  wanted: boolean;
  onFiles: (files: File[]) => void;
}

function Page({ route, query, state, wanted, onFiles }: PageProps) {
  const linkKey = keyOf(query);
  const user = personOf(state);
  switch (gateOf(route, state, { hasKey: linkKey !== null, wanted })) {
    case "wait":
      return <Loading />;
    case "first-account":
      return (
        <SignUp kind="first" linkKey={linkKey} onSignedUp={() => replacePage(homeOf(route))} />
      );
    case "sign-up":
      if (linkKey !== null)
        return <SignUp kind="later" linkKey={linkKey} onSignedUp={() => replacePage(LIBRARY)} />;
      return state.state === "on" && state.mail ? <AskToSignUp /> : <SignUpByProvider />;
    case "sign-up-closed":
      return <SignUpClosed />;
    case "sign-in":
      return <SignIn onSignedIn={() => goOn(route, query)} />;
    case "sign-in-first":
      return <SignIn reason="Sign in to see this page." onSignedIn={() => goOn(route, query)} />;
    case "done":
      return <Elsewhere to={route.page === "sign-in" ? nextPath(query) : LIBRARY} />;
    case "forbidden":
      return <Lost title="This page is for administrators" />;
    case "unknown":
      return <Lost title="There is no such page" />;
    case "unreachable":
      return <Trouble problem={UNREACHABLE} onRetry={() => void session.load()} />;
    case "open":
      break;
  }
  const choose = <FileButton onFiles={onFiles}>Choose files</FileButton>;
  switch (route.page) {
    case "mine":
      return (
        <Library key="own" collected="own" tag={null} sort={sortOf(query)} invitation={choose} />
      );
    case "shared":
      return (
        <Library
          key="shared"
          collected="shared"
          tag={null}
          sort={sortOf(query)}
          invitation={null}
        />
      );
    case "forgotten":
      return <Forgotten linkKey={mailKeyOf(query)} />;
    case "new-address":
      return <NewAddress linkKey={mailKeyOf(query) ?? ""} />;
    case "account":
      return user && <Account user={user} />;
    case "people":
      return user && <People user={user} />;
    case "jobs":
      return <Jobs />;
    case "watch":
      return <Watch id={route.id} from={startOf(query)} />;
    case "search":
      return <SearchPage words={wordsOf(query)} />;
    default: {
      const tag = tagOf(query);
      const invitation = tag === null && mayUpload(state) && choose;
      return (
        <Library
          key={`all ${tag}`}
          collected="all"
          tag={tag}
          sort={sortOf(query)}
          invitation={invitation}
        />
      );
    }
  }
}

function mayUpload(state: SessionState): boolean {
  return state.state !== "on" || state.user !== null;
}

/** Leaves the page of the sign-in; any other page is shown where the sign-in was. */
function goOn(route: Route, query: string) {
  if (route.page === "sign-in") replacePage(nextPath(query));
}

// The key of a link does not stay in the address, which people copy.
function homeOf(route: Route): string {
  return route.page === "library" ? LIBRARY : window.location.pathname;
}

/** Stands for a moment on a page that its person has no use for. */
function Elsewhere({ to }: { to: string }) {
  useEffect(() => replacePage(to), [to]);
  return <Loading />;
}

function Loading() {
  return <div className={styles.loading} role="status" aria-label="Loading" />;
}

function Lost({ title }: { title: ReactNode }) {
  return (
    <div className={styles.lost}>
      <h1>{title}</h1>
      <Link to={LIBRARY} className="button">
        To the library
      </Link>
    </div>
  );
}
