// The HTML of the watch page: index.html that names the chunk of this page too, so that it is on its way at once and not
// behind the entry, which would ask for it. The engine is larger than both, so the entry asks for it when it has come.

import type { Plugin } from "vite";

const PAGE = "src/features/watch/watch.tsx";

export function watchPage(): Plugin {
  return {
    name: "watch-page",
    apply: "build",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        const files = Object.values(bundle);
        const index = files.find((it) => it.fileName === "index.html");
        if (index?.type !== "asset") throw new Error("the build has no index.html");
        const chunks = files.filter((it) => it.type === "chunk");
        const paths = new Set<string>();
        const styles = new Set<string>();
        const add = (fileName: string) => {
          const chunk = chunks.find((it) => it.fileName === fileName);
          if (chunk === undefined || chunk.isEntry || paths.has(fileName)) return;
          paths.add(fileName);
          for (const it of chunk.viteMetadata?.importedCss ?? []) styles.add(it);
          for (const it of chunk.imports) add(it);
        };
        const page = chunks.find((it) => it.facadeModuleId?.endsWith(PAGE));
        if (page === undefined) throw new Error(`the build has no chunk of ${PAGE}`);
        add(page.fileName);
        const links = [
          ...[...styles].map((it) => `<link rel="stylesheet" crossorigin href="/${it}">`),
          ...[...paths].map((it) => `<link rel="modulepreload" crossorigin href="/${it}">`),
        ];
        const html = String(index.source).replace(
          "</head>",
          `  ${links.join("\n    ")}\n  </head>`,
        );
        this.emitFile({ type: "asset", fileName: "watch.html", source: html });
      },
    },
  };
}
