/** What is wrong, by field: names as in `Failure.field`, such as `rank` or `runs.1.lr`. */
export type Problems = Map<string, string>;
