/** One request and the answer that a real cluster gave. */
export interface Example {
  readonly name: string;
  /** The operation's id. */
  readonly operation: string;
  readonly summary: string;
  /** A refusal that is worth showing to those who read. */
  readonly shown?: true;
  /** Meanwhile another feed is being uploaded. */
  readonly during?: 'upload';
  /** Values of the operation's parameters, by name. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Headers that are no parameters: those that HTTP itself gives a meaning. */
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, or text of another media type. */
  readonly body?: unknown;
  readonly answer: {
    readonly status: number;
    readonly type?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** Where it has a `type` and no body here, that is too long to be shown. */
    readonly body?: unknown;
  };
}

/** The tokens of the cluster that the examples are of. */
export const syncToken = 's3cret';
export const adminToken = '{adminToken}';

export const problemType = 'application/problem+json';
export const asSync = { Authorization: `Bearer ${syncToken}`, 'Content-Type': 'application/json' } as const;
export const asAdmin = { Authorization: `Bearer ${adminToken}`, 'Content-Type': 'application/json' } as const;
