// A sentence of the server on the page: what stands between backticks is a command or a name.

import { Fragment } from "react";

export function Message({ text }: { text: string }) {
  // Of "a `b` c" the odd parts stood between backticks; a lone backtick stays a character.
  const parts = text.split("`");
  if (parts.length % 2 === 0) return text;
  return parts.map((part, at) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have no identity but their place
    return <Fragment key={at}>{at % 2 === 1 ? <code>{part}</code> : part}</Fragment>;
  });
}
