/** What one request to the admin API gives. */
export interface AdminReply {
  readonly status: number;
  readonly body: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export function wrong(status: number, error: string): AdminReply {
  return { status, body: { error } };
}

/** As the header `allow` writes them. */
export function onlyMethods(allow: string): AdminReply {
  return { ...wrong(405, `use ${allow.split(",", 1)[0]}`), headers: { allow } };
}
