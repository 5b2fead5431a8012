/** A model's name as Google's paths and bodies have it: `models/x`, `tunedModels/x`, `publishers/google/models/x`. */
export function resourceName(model: string): string {
  const name = model.replace(/^google\//u, "");
  return name.includes("/") ? name : `models/${name}`;
}

/** The same in a path. A version's mark (`x@001`) stands on the wire as it is. */
export function resourcePath(model: string): string {
  return `/${resourceName(model).split("/").map(encodeURIComponent).join("/")}`.replaceAll("%40", "@");
}
