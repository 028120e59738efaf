// A failure in words, read out as soon as it appears; nothing while there is none.

import { Message } from "./message.tsx";

export function ErrorText({ text }: { text: string }) {
  if (text === "") return null;
  return (
    <p className="error-text" role="alert" dir="auto">
      <Message text={text} />
    </p>
  );
}
