const superscripts = /[⁰¹²³⁴-⁹]+/gu;
const vulgar = /[¼-¾⅐-⅞]/gu;

/**
 * A short answer as it is compared: case, accents of Latin, Greek and Cyrillic letters, leading articles, quotes, Markdown
 * and closing marks say nothing. What tells names apart stays: `C++` is no `C`, `3.5` no `35`.
 */
export function plainWords(text: string): string {
  let plain = once(text);
  // What is taken away can lay bare what is taken away, too.
  for (let turn = 0; turn < 8; turn += 1) {
    const next = once(plain);
    if (next === plain) break;
    plain = next;
  }
  return plain;
}

function once(text: string): string {
  return text
    .replace(superscripts, (digits) => `^${digits.normalize("NFKD")}`)
    .replace(vulgar, (sign) => ` ${sign.normalize("NFKD").replace("\u2044", "/")}`)
    .normalize("NFKD")
    .replace(/[\u0300-\u036F]/gu, "")
    .toLowerCase()
    .replace(/ß/gu, "ss")
    .replace(/[−‐‑–—]/gu, "-")
    .replace(/['’‘`´"“”„«»「」『』]/gu, "")
    .replace(/(?<!\d)[.](?!\d)|(?<=\d)[.](?!\d)|(?<!\d)[.](?=\p{L})/gu, "")
    .replace(/(?<!\d),|,(?!\d)|[;?¿¡。、，；？！…]|(?<!\d)!/gu, " ")
    .replace(/(?<=[\p{L}\p{N}])-(?=\p{L})/gu, " ")
    .replace(/\*\*/gu, "")
    .replace(/^([*_]{1,3})(.+)\1$/u, "$2")
    .replace(/^(?:[\s()[\]{}#>•:]|[*-](?=\s))*(?=[\p{L}\p{N}])/u, "")
    .replace(/(?<=[\p{L}\p{N}%+])[\s()[\]{}:]*$/u, "")
    .replace(/\s+/gu, " ")
    .trim()
    .replace(/^(?:(?:the|an|a) (?=\S))+/u, "");
}
