// The entry: requests what a video's page or the library needs, and mounts the application.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { PAGE, requestEarly, requestListEarly } from "../api/videos.ts";
import { fetchPoster } from "../features/watch/stage-poster.ts";
import { prefetchEngine } from "../player/engine-chunk.ts";
import { decodeRoute, sortOf, tagOf } from "../shared/route.ts";
import { startSession } from "../shared/session.ts";
import "../shared/theme.css";
import { App, loadWatch } from "./app.tsx";

// Before the first render, and all at once: one after the other they would cost a slow line a round trip each.
const route = decodeRoute(window.location.pathname);
if (route.page === "watch") {
  void requestEarly(route.id).then((it) => it.state === "ready" && fetchPoster(it.value));
  loadWatch();
  prefetchEngine();
}
if (route.page === "library") {
  const { search } = window.location;
  const list = { collected: "all", tag: tagOf(search), sort: sortOf(search) } as const;
  requestListEarly({ ...list, limit: PAGE, cursor: null });
}

startSession();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
