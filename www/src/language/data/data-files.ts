/** Endings of files that can be read to train on. */
export const DATA_FILES = '.txt,.jsonl,.ndjson,.json,.csv,.tsv,.md,.parquet';
