// Why a sign-in by the OpenID provider has not led to a session, in words.

const WORDS: Record<string, string> = {
  unknown:
    "Your account at the provider is not linked to one here. Sign in by password and link it on your account’s page.",
  disabled: "This account may not sign in; ask the administrator.",
  taken: "Your account at the provider is linked to another account here.",
  cancelled: "The sign-in at the provider was ended.",
  expired: "The sign-in took too long, or began in another browser. Try again.",
};

/** Returns the words for the address that the server has sent a browser to; null where nothing went wrong. */
export function providerTrouble(query: string): string | null {
  const word = new URLSearchParams(query).get("provider");
  if (word === null) return null;
  const known = Object.entries(WORDS).find(([it]) => it === word);
  return known?.[1] ?? "The sign-in at the provider failed. Try again, or sign in by password.";
}
