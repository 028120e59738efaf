// The entry: mounts the application.

import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../shared/theme.css";
import { App } from "./app.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
