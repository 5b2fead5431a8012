/**
 * What cancelling an answer does to its bill. `stop`: it ends with the connection; `runs`: the whole answer is written
 * and billed.
 */
export type AbortBilling = "stop" | "runs" | "unknown";
