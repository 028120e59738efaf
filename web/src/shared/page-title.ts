// The name of the browser's tab.

import { useEffect } from "react";

const SITE = "Clip Cut";

/** Names the tab while the page is shown; null leaves it the site's name. */
export function usePageTitle(title: string | null) {
  useEffect(() => {
    document.title = title === null ? SITE : `${title} · ${SITE}`;
    return () => {
      document.title = SITE;
    };
  }, [title]);
}
