/** The table of roles as it is typed: `human=user, gpt=assistant`. */
export function writeRoles(roles: Readonly<Record<string, string>>): string {
  return Object.entries(roles)
    .map(([name, role]) => `${name}=${role}`)
    .join(', ');
}

/** The table that was typed; an entry without a name or a role is not one yet. */
export function readRoles(text: string): Record<string, string> {
  const entries = text.split(/[,\n]/).map((entry) => entry.split('=').map((word) => word.trim()));
  return Object.fromEntries(entries.flatMap(([name, role]) => (name && role ? [[name, role] as const] : [])));
}
