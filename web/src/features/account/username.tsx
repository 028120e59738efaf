// The address of the account, in a form that asks for a password alone: password managers file the new one under it.

export function Username({ email }: { email: string }) {
  return (
    <input
      className="visually-hidden"
      type="email"
      autoComplete="username"
      aria-hidden="true"
      tabIndex={-1}
      readOnly
      value={email}
    />
  );
}
