// The field of the address that opens an account.

import { Field } from "../../shared/form.tsx";

interface EmailFieldProps {
  begins?: boolean;
  value: string;
  onChange: (value: string) => void;
}

export function EmailField(props: EmailFieldProps) {
  return (
    <Field
      label="E-mail"
      name="email"
      type="email"
      // By which password managers know the account.
      autoComplete="username"
      required
      {...props}
    />
  );
}
