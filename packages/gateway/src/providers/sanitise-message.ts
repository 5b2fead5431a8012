const maxScannedChars = 4096;
const maxShownChars = 500;
const removed = "[removed]";

/**
 * What must not reach a caller, in the order it is looked for. Addresses go first, since they may hold keys.
 * Every pattern is linear in the text, which is at most 4,096 characters long.
 */
const unshowable: readonly RegExp[] = [
  // Addresses: ours, the provider's, a host inside somebody's network.
  /\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'<>)\]]+/gi,
  /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})*/g,
  /\b(?:[a-z0-9-]{1,63}\.){1,6}(?:com|ai|io|net|org|dev|app|cloud|cn|eu|local|internal|svc)\b(?::\d{1,5})?(?:\/[^\s"'<>)\]]*)?/gi,
  /\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b/g,
  /\[?\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{0,4}\b\]?(?::\d{1,5})?/gi,
  // Credentials by their prefixes, and anything masked with stars: the rest of it is still a part of a key.
  /\b(?:bearer|basic)\s+[\w.~+/=-]{8,}/gi,
  /\b(?:sk|pk|rk|xai|gsk|csk|pplx|nvapi|hf|fw|tgp|key|api|ghp|glpat|xox[abp]|hr|r8)[-_][\w*.-]{6,}/gi,
  /\bAIza[\w*-]{6,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{8,}/g,
  /\beyJ[\w-]{8,}(?:\.[\w-]*){0,4}/g,
  /[^\s"'`]*\*{3,}[^\s"'`]*/g,
  /[^\s"'`]+(?:\.{3}|…)[^\s"'`.,:;)]{3,}/g,
  // Accounts.
  /\b(?:org|proj|user|acct|team|ws|wrkspc|req|asst)[-_][A-Za-z0-9]{6,}/g,
  /\b(?:organization|project|account|team|tenant|workspace|subscription)s?[\s:/=#]{1,3}[`'"]?(?=[\w-]*\d)[\w-]{6,}[`'"]?/gi,
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b\d{12}\b/g,
  // Anything that long with letters and digits mixed is no word.
  /(?<![\w+/-])(?=[A-Za-z+/]{0,64}\d)(?=[\d+/]{0,64}[A-Za-z])[A-Za-z0-9+/_]{32,}={0,2}/g,
];

/**
 * A provider's message in a form that callers may see, at most 500 characters: without keys, addresses and account
 * ids. Undefined where nothing showable is left, which includes every HTML page.
 */
export function sanitiseMessage(text: string): string | undefined {
  if (looksLikeHtml(text)) return undefined;
  let shown = flatten(firstWords(text));
  for (const pattern of unshowable) shown = shown.replaceAll(pattern, removed);
  shown = shown.replaceAll(/(?:\[removed\][\s,;:]*){2,}/g, `${removed} `).trim();
  if (shown.replaceAll(removed, "").replaceAll(/[^\p{L}\p{N}]/gu, "") === "") return undefined;
  return shown.length <= maxShownChars ? shown : `${wholeChars(shown, maxShownChars - 1)}…`;
}

/** Whether a body is a page for people rather than an answer for programs. */
export function looksLikeHtml(text: string): boolean {
  return (
    /^\s*<(?:!doctype|html|head|body|title|h1|center|p|div|\?xml)\b/i.test(text) || /<(?:html|body)[\s>]/i.test(text)
  );
}

/** Cut between words, so that no key is cut in two and thereby no longer recognised. */
function firstWords(text: string): string {
  if (text.length <= maxScannedChars) return text;
  const head = text.slice(0, maxScannedChars);
  return head.slice(0, Math.max(0, head.search(/\s\S*$/)));
}

function flatten(text: string): string {
  return text
    .replaceAll(/<\/?[a-z][^<>]{0,200}>/gi, " ")
    .replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim();
}

/** Never ends in half a surrogate pair. */
function wholeChars(text: string, length: number): string {
  const cut = text.slice(0, length);
  return /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
}
