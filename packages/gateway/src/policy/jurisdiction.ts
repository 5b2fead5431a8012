/** Clouds name regions by what they are in: AWS `eu-central-1`, Google `europe-west4`, Azure `swedencentral`. */
const places: readonly (readonly [pattern: RegExp, jurisdiction: string])[] = [
  [/^us(?:-|$)|^(?:east|west|central|northcentral|southcentral|westcentral)us\d?$/u, "us"],
  [/^uk(?:$|south|west)|^europe-west2$|^eu-west-2$/u, "uk"],
  [/^switzerland|^europe-west6$|^eu-central-2$/u, "ch"],
  [/^(?:eu|europe)(?:-|$)|^(?:north|west)europe$/u, "eu"],
  [/^(?:austria|belgium|denmark|finland|france|germany|ireland|italy|netherlands|norway|poland|spain|sweden)/u, "eu"],
  [/^canada|^ca-|^northamerica-northeast/u, "ca"],
  [/^japan|^jp$|^ap-northeast-[13]$|^asia-northeast[12]$/u, "jp"],
  [/^korea|^ap-northeast-2$|^asia-northeast3$/u, "kr"],
  [/^in$|^(?:central|south|west)india$|^ap-south-[12]$|^asia-south[12]$/u, "in"],
  [/^au$|^australia|^ap-southeast-[24]$/u, "au"],
  [/^china|^cn-|^(?:north|east)china/u, "cn"],
  [/^brazil|^sa-east-|^southamerica-east/u, "br"],
  [/^singapore|^southeastasia$|^ap-southeast-1$|^asia-southeast1$/u, "sg"],
];

/**
 * Whose law holds in a region, by its name: `eu` (where the GDPR holds, Norway included), `us`, `uk`, … Undefined where
 * the name does not say. From the region lists of AWS, Google Cloud and Azure.
 */
export function jurisdictionOf(region: string): string | undefined {
  const name = region.trim().toLowerCase();
  return places.find(([pattern]) => pattern.test(name))?.[1];
}

const words: ReadonlySet<string> = new Set(places.map(([, jurisdiction]) => jurisdiction));

/** Whether a jurisdiction's own name is one of those that regions give. */
export function isJurisdiction(word: string): boolean {
  return words.has(word);
}
